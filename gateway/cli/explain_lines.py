"""How ``ansim replay --explain`` writes one moment: one JSON object, or text for people."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.contract.explaining import explanation, text
from gateway.contract.fitting import tenths
from gateway.contract.sentences import sentence
from gateway.domain.instant import iso
from gateway.domain.moment import Belief, Moment, Step
from gateway.languages import mark, translator
from gateway.runtime.replay import line

BELIEFS: dict[Belief, str] = {
    Belief.STARTING: mark("not begun"),
    Belief.PAUSED: mark("paused"),
    Belief.BLIND: mark("not seen"),
    Belief.AWAY: mark("away"),
    Belief.HOME: mark("at home"),
}

DECIDERS: dict[str, str] = {
    "network+kernel": mark("AI model and own habits"),
    "kernel": mark("own habits"),
    "ceiling": mark("fixed limit"),
    "unanswered": mark("unanswered question"),
    "rule": mark("fixed rule"),
}

STEPS: dict[str, str] = {
    "away": mark("taken for an absence"),
    "away.too_long": mark("away for too long"),
    "inactivity.watch": mark("asks in the home"),
    "inactivity.warning": mark("tells the centre"),
    "inactivity.alarm": mark("tells the centre: somebody must look"),
    "welfare.unknown": mark("tells the centre: not seen, and quiet before"),
}

NAME = "ansim.explain.v1"


def as_json(moment: Moment, utc_offset: int) -> str:
    """One object on one line (docs/commands.md). Times in seconds, instants ISO 8601."""
    quiet = moment.quiet
    last = quiet.last_activity
    made: dict[str, Any] = {
        "schema": NAME,
        "at": iso(moment.at.wall, utc_offset),
        "belief": str(moment.belief),
        "away": moment.away,
        "last_activity_at": None if last is None else iso(last.wall, utc_offset),
        "room": None if quiet.room is None else str(quiet.room),
        "sensor": quiet.sensor,
        "silence_s": tenths(quiet.silence),
        "covered_s": tenths(quiet.covered),
        "explanation": msgspec.to_builtins(explanation(moment.explanation, quiet)),
        "steps": [
            {
                "level": int(step.level),
                "type": str(step.type),
                "at": None if step.at is None else iso(step.at.wall, utc_offset),
                "after_s": tenths(step.after),
                "by": step.by,
            }
            for step in moment.steps
        ],
        "suspect_sensors": list(moment.suspect),
        "open_alerts": [line(alert, utc_offset) for alert in moment.open_alerts],
    }
    return msgspec.json.encode(made).decode() + "\n"


def as_text(moment: Moment, utc_offset: int, language: str) -> str:
    """The same for people: what is believed and why, what would come, which sensors."""
    _ = translator(language)
    lines = [
        f"{_minute(moment.at.wall, utc_offset)}  {_(BELIEFS[moment.belief])}",
        text(moment.explanation, moment.quiet, language),
    ]
    if moment.steps:
        lines += ["", _("If nobody moves:")]
        lines += [_step(step, utc_offset, language) for step in moment.steps]
    said = moment.explanation
    named = ", ".join(said.silent) + (f" (+{said.more_silent})" if said.more_silent else "")
    lines.append("")
    if moment.quiet.sensor:
        lines.append(_("Saw the last activity: {sensor}").format(sensor=moment.quiet.sensor))
    if named:
        lines.append(_("Alive and saw nobody since: {sensors}").format(sensors=named))
    if moment.suspect:
        lines.append(_("Not reliable: {sensors}").format(sensors=", ".join(moment.suspect)))
    if moment.open_alerts:
        lines.append(_("Open alerts:"))
        for alert in moment.open_alerts:
            at = _minute(alert.raised.wall, utc_offset)
            lines.append(f"  {at}  {int(alert.level)}  {alert.type}  {sentence(alert, language)}")
    else:
        lines.append(_("No open alert."))
    return "\n".join(lines) + "\n"


def _step(step: Step, utc_offset: int, language: str) -> str:
    _ = translator(language)
    at = _("told already") if step.at is None else _minute(step.at.wall, utc_offset)
    what, by = _(STEPS.get(step.type, step.type)), _(DECIDERS.get(step.by, step.by))
    return f"  {at}  {int(step.level)}  {what} ({by})"


def _minute(wall: float, utc_offset: int) -> str:
    return iso(wall, utc_offset)[:16].replace("T", " ")
