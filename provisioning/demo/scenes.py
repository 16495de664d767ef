"""The four scenes, in the order of the week, and what is seen of them while they play."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct

from gateway.languages import mark
from provisioning.demo import children, home
from provisioning.demo.failure import SceneError
from provisioning.demo.stage import HUB, Stage, now

PRESS = "2026-03-02T10:00"
PRESS_OVER = "2026-03-02T10:30"
DEAD_TOLD = "2026-03-03T06:00"
CUT = "2026-03-04T09:00"
CUT_PRESS = "2026-03-04T10:30"
REPAIRED = "2026-03-04T21:00"
REPAIRED_OVER = "2026-03-04T21:10"
COLLAPSE_OVER = "2026-03-07T16:00"
"""Saturday: more than 24 hours after a Friday's collapse, so that the last ceiling is passed."""

WEEK_OVER = "2026-03-08T23:59"

STORING = 3.0
"""Real seconds in which the centre has surely stored what the broker had when time stood still."""


class Notes(Struct):
    """What the scenes leave for the table: real latencies in milliseconds, and counts."""

    latencies: dict[str, list[tuple[str, float]]] = {}
    facts: dict[str, str] = {}


Say = Callable[[str, str], None]
"""Tells the viewer something: simulated time and a sentence."""


class Scene(Struct, frozen=True):
    """``key``     its letter
    ``title``   msgid of what it shows
    ``budget``  real seconds after which it has failed. Each plays in a few seconds; the rest is
                for a machine that is busy with something else"""

    key: str
    title: str
    budget: float
    play: Callable[[Stage, Say, Notes, Callable[[str], str]], Awaitable[None]]


async def _help(stage: Stage, say: Say, notes: Notes, _: Callable[[str], str]) -> None:
    await _advance(stage, PRESS)
    begun = now()
    pressed = await stage.ask({"do": "press", "sensor": home.HELP, "seconds": 10})
    alert = str(pressed["alert_id"])
    if "received_ms" not in pressed:
        raise SceneError(_("The centre did not say that it received the call."))
    received = float(pressed["received_ms"])
    await stage.until(
        lambda: _said(stage, alert, "accepted"), _("Nobody at the centre accepted the call.")
    )
    accepted = (now() - begun) * 1000
    notes.latencies["a"] = [
        (_("stored"), float(pressed["stored_ms"])),
        (_("received"), received),
        (_("accepted"), accepted),
    ]
    say(PRESS, _("The help button is pressed: {figures}").format(figures=figures(notes, "a")))
    await _operator(stage, "close", alert, "--outcome", "test", "--service", "phone")
    await stage.until(lambda: _closed(stage, alert), _("The home did not hear of the closing."))
    await _advance(stage, PRESS_OVER)
    say(PRESS_OVER, _("The operator closed it: a test, by phone."))


async def _dead(stage: Stage, say: Say, notes: Notes, _: Callable[[str], str]) -> None:
    await _advance(stage, DEAD_TOLD)
    await stage.until(
        lambda: lost_since(stage, home.DEAD),
        _("No heartbeat names the dead sensor {sensor}.").format(sensor=home.DEAD),
        patience=STORING,
    )
    at = lost_since(stage, home.DEAD)
    notes.facts["d"] = _("dead {dead}, named {named}").format(dead="02:00", named=str(at)[11:16])
    say(
        str(at),
        _("A heartbeat names a dead sensor: {sensor}, silent since {since}.").format(
            sensor=home.DEAD, since="02:00"
        ),
    )


async def _cut(stage: Stage, say: Say, notes: Notes, _: Callable[[str], str]) -> None:
    await _advance(stage, CUT)
    await stage.line.cut()
    await stage.until(lambda: _unlinked(stage), _("The hub did not notice the cut link."))
    say(CUT, _("The link is cut."))
    await _advance(stage, CUT_PRESS, offline=True)
    await stage.ask({"do": "press", "sensor": home.HELP})
    say(CUT_PRESS, _("The help button is pressed; nobody can hear it yet."))
    await _advance(stage, REPAIRED, offline=True)
    waiting = int((await stage.status())["waiting_alerts"])
    say(
        REPAIRED,
        _("{count} alerts wait on the hub; the link is repaired.").format(count=waiting),
    )
    if not waiting:
        raise SceneError(_("No alert waited on the hub although the link was cut."))
    await stage.line.open()
    begun = now()
    await _advance(stage, REPAIRED_OVER)
    stage.missing = _("The alerts that waited did not all arrive.")
    flushed = await stage.ask({"do": "flush", "seconds": 10})
    took = (now() - begun) * 1000
    if not flushed["empty"]:
        raise SceneError(_("The alerts that waited did not all arrive."))
    notes.latencies["c"] = [(_("all received"), took)]
    notes.facts["c"] = _("{count} waited").format(count=waiting)
    say(REPAIRED_OVER, _("All of them are received: {figures}").format(figures=figures(notes, "c")))
    for (alert,) in stage.query(
        "SELECT alert_id FROM alerts WHERE hub = ? AND type = 'help.button' AND open", HUB
    ):
        await _operator(stage, "close", str(alert), "--outcome", "true", "--service", "visit")


async def _climb(stage: Stage, say: Say, notes: Notes, _: Callable[[str], str]) -> None:
    await _advance(stage, COLLAPSE_OVER)
    climbed: list[tuple[str, list[tuple[int, str]]]] = []

    def reached() -> bool:
        climbed[:] = [one for one in climbs(stage) if [level for level, _at in one[1]][-1] == 3]
        return bool(climbed)

    await stage.until(reached, _("No inactivity alert climbed to level 3."), patience=STORING)
    alert, steps = climbed[-1]
    for level, at in steps:
        say(at, _("Inactivity, level {level}.").format(level=level))
    await _operator(stage, "accept", alert)
    begun = now()
    await _operator(stage, "close", alert, "--outcome", "true", "--service", "119")
    await stage.until(lambda: _closed(stage, alert), _("The home did not hear of the closing."))
    notes.latencies["b"] = [(_("closed at home"), (now() - begun) * 1000)]
    notes.facts["b"] = " → ".join(str(level) for level, _at in steps)
    say(COLLAPSE_OVER, _("The operator closed it: a true alarm, 119 went there."))
    await _advance(stage, WEEK_OVER)
    await stage.ask({"do": "flush", "seconds": 10})
    for other, again in climbs(stage):
        if other != alert and again[0][1] > steps[-1][1]:
            say(again[0][1], _("Nobody has moved for another day: it is told again."))
    say(WEEK_OVER, _("The week is over."))


SCENES = (
    Scene("a", mark("A help press is received and accepted"), 20.0, _help),
    Scene("d", mark("A heartbeat names a dead sensor"), 20.0, _dead),
    Scene("c", mark("A cut link: alerts wait, then each arrives once"), 60.0, _cut),
    Scene("b", mark("Inactivity climbs as one alert and is closed"), 90.0, _climb),
)
"""In the order of the week."""


# -- small words ---------------------------------------------------------------------------------


def figures(notes: Notes, key: str) -> str:
    """A scene's latencies as text."""
    return ", ".join(f"{name} {ms:.0f} ms" for name, ms in notes.latencies.get(key, ()))


def climbs(stage: Stage) -> list[tuple[str, list[tuple[int, str]]]]:
    """Each inactivity alert with the levels it reached, and when (from the centre's database)."""
    rows = stage.query(
        "SELECT alert_id, level, min(at) FROM alert_versions WHERE hub = ? AND type LIKE "
        "'inactivity.%' GROUP BY alert_id, level ORDER BY alert_id, level",
        HUB,
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for alert, level, at in rows:
        found.setdefault(str(alert), []).append((int(level), str(at)))
    return list(found.items())


async def _advance(stage: Stage, to: str, *, offline: bool = False) -> None:
    await stage.ask({"do": "advance", "to": to, "offline": offline})


async def _operator(stage: Stage, verb: str, alert: str, *more: str) -> None:
    """What a person at the centre would type."""
    data = str(stage.folder / "centre-data")
    await stage.run(
        children.office("centre", verb, alert, "--by", "duty", "--data", data, *more), 10.0
    )


def _said(stage: Stage, alert: str, state: str) -> object:
    """Whether the home itself told that it knows of the answer: the whole way and back."""
    return stage.query(
        "SELECT 1 FROM alert_versions WHERE alert_id = ? AND state = ?", alert, state
    )


def _closed(stage: Stage, alert: str) -> object:
    return _said(stage, alert, "closed")


def lost_since(stage: Stage, sensor: str) -> str | None:
    """Time of the first heartbeat that names this sensor as lost."""
    for at, body in stage.query(
        "SELECT sent, body FROM heartbeats h JOIN messages m ON m.hub = h.hub AND m.lane = "
        "'heartbeat' AND m.bootid = h.bootid AND m.sequence = h.sequence ORDER BY h.received",
    ):
        lost: dict[str, Any] = msgspec.json.decode(body)
        if sensor in lost["sensors"]["lost"]:
            return str(at)
    return None


async def _unlinked(stage: Stage) -> bool:
    return not (await stage.status())["connected"]
