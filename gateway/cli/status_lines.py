"""The text of ``ansim status``. No table library: it must be there in a blink."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.languages import mark, translator
from gateway.runtime.status import Status, Verdict

VERDICTS = {
    Verdict.OK: mark("well"),
    Verdict.WARNING: mark("warning"),
    Verdict.CRITICAL: mark("critical"),
    Verdict.UNKNOWN: mark("unknown"),
}
_GLYPHS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.CRITICAL: "✗", Verdict.UNKNOWN: "?"}

Translate = Callable[[str], str]


def lines(status: Status, code: Verdict, facts: tuple[str, ...], language: str) -> str:
    """All lines, the verdict first."""
    _ = translator(language)
    head = f"{_GLYPHS[code]} {_(VERDICTS[code])}"
    if facts:
        head += f": {', '.join(facts)}"
    return "\n".join([f"{status.hub}  {head}", *_body(status, _)])


def _body(status: Status, _: Translate) -> Iterator[str]:
    if not status.running:
        if "silent" in status.reasons:
            yield _("The hub does not answer. This is what its journal says:")
        else:
            yield _("The hub is not running. This is what its journal says:")
        if status.last_known_at:
            yield _("Last observation: {at}").format(at=_short(status.last_known_at))
    elif status.watching:
        yield _("The home is watched.")
    else:
        yield _("The home is NOT watched: {reasons}").format(reasons=", ".join(status.reasons))
    if status.last_activity_at and status.silence_s is not None:
        yield _("Last activity: {at}, {hours} h ago{away}").format(
            at=_short(status.last_activity_at),
            hours=f"{status.silence_s / 3600:.1f}",
            away=_(" (away)") if status.away else "",
        )
    if status.paused_until:
        yield _("Paused until {at}").format(at=_short(status.paused_until))
    if status.running:
        bad = [*status.sensors_lost, *status.sensors_stale]
        yield _("Sensors: {ok} alive, {bad} stale or lost{names}, {unproven} not proven").format(
            ok=status.sensors_ok,
            bad=len(bad),
            names=f" ({', '.join(bad)})" if bad else "",
            unproven=len(status.sensors_unproven),
        )
        for sensor, reason in sorted(status.sensor_problems.items()):
            if reason == "set-aside":
                yield _("Set aside: {sensor}; on site: ansim sensor rearm {sensor}").format(
                    sensor=sensor
                )
            else:
                yield _("Not read: {sensor} ({reason})").format(sensor=sensor, reason=reason)
        if not status.connected:
            yield _("No link to the centre: {why}").format(why=status.link_trouble)
        elif status.centre_there is False:
            yield _("Linked, but no centre is there.")
        else:
            yield _("Linked to the centre.")
        if status.second_path:
            yield _("The second path to the centre is in use.")
        if status.link_fault is not None:
            yield _(LINK_FAULTS.get(status.link_fault, LINK_FAULT)).format(why=status.link_fault)
    yield _("Waiting for the centre: {alerts} alerts, {records} records").format(
        alerts=status.waiting_alerts, records=status.waiting_records
    )
    for alert in status.alerts:
        yield f"  {alert.level}  {alert.type}  {alert.state}  {_short(alert.raised_at)}  " + (
            alert.subject
        )
    for part, detail in sorted(status.faults.items()):
        yield _("Fault: {part} ({detail})").format(part=part, detail=detail)


LINK_FAULT = mark("The link is at fault: {why}")
LINK_FAULTS = {
    "identity": mark("Another hub seems to use this hub's certificate: look for a copied card."),
    "suspect": mark("A message that ends each session is set aside and tried by itself."),
    "unreceived": mark("An alert has gone without the centre's answer for 10 minutes."),
}
"""By ``Uplink.fault``: each has another remedy, so each has its own sentence."""


def _short(iso: str) -> str:
    return iso[:16].replace("T", " ")
