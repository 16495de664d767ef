"""The A-table as data: which alert a condition becomes, and how it ages."""

from __future__ import annotations

from typing import NamedTuple

from gateway.domain.alert import AlertType, Level
from gateway.domain.household import Limits
from gateway.domain.instant import DAY, HOUR
from gateway.domain.sensor import Kind
from gateway.engine.comparing import BUSY, SILENT
from gateway.engine.drift import DECLINE, TURN


class Rung(NamedTuple):
    """``after`` seconds of the condition it is an alert of this type and level."""

    after: float
    type: AlertType
    level: Level


def _once(alert_type: AlertType, level: Level) -> tuple[Rung, ...]:
    return (Rung(0.0, alert_type, level),)


def _ages(alert_type: AlertType, level: Level = Level.WATCH) -> tuple[Rung, ...]:
    """A fault of the watch itself ages (R14): over 24 h level 2, over 72 h level 3."""
    rungs = [Rung(0.0, alert_type, level)]
    for after, older in ((24 * HOUR, Level.WARNING), (72 * HOUR, Level.ALARM)):
        if older > level:
            rungs.append(Rung(after, alert_type, older))
    return tuple(rungs)


MAINS_LASTS = 180.0
"""Seconds of mains loss before it is told (R12, UL's figure)."""

PART_FAULTS: dict[str, AlertType] = {
    "config": AlertType.TECH_CONFIG,
    "storage": AlertType.TECH_STORAGE,
    "journal": AlertType.JOURNAL_RECOVERED,
    "clock": AlertType.TECH_CLOCK,
    "link": AlertType.TECH_LINK,
    "model": AlertType.TECH_MODEL,
    "update": AlertType.TECH_UPDATE,
}
"""Parts of the hub that can be at fault (``HubFault.part``)."""

SENSOR_FAULTS: dict[str, AlertType] = {
    "wire": AlertType.TECH_SENSOR_SUSPECT,
    "stuck": AlertType.TECH_SENSOR_SUSPECT,
    "replay": AlertType.TECH_SENSOR_SUSPECT,
    "downgrade": AlertType.TECH_SENSOR_SUSPECT,
    "bad-key": AlertType.TECH_SENSOR_SUSPECT,
    "tamper-evidence": AlertType.TECH_TAMPER,
}
"""Faults of a sensor that its source can find (``SensorFault.fault``)."""


MUTE = frozenset({"wire", "stuck", "replay"})
"""Faults in which a help button does not call, or may not: those begin at level 2."""


def fault_family(fault: str, kind: Kind) -> str:
    """The family of conditions of a sensor's fault: one alert for each sensor and fault."""
    return f"mute.{fault}" if kind is Kind.HELP and fault in MUTE else f"fault.{fault}"


NAMED = {fault_family(f, kind): f for f in SENSOR_FAULTS for kind in (Kind.HELP, Kind.MOTION)}
NAMED |= {SILENT: SILENT, BUSY: BUSY, DECLINE: "decline", TURN: "turn"}
"""Families whose alerts say in ``because`` what is wrong and not how they came about: state and
level tell that already, and the technician has to know which of seven things to look at, the
person who reads the digest which of two."""

REPEATED = {"battery": DAY}
"""Families that are told again, as a new version of the same alert, after so many seconds: a low
battery daily until it is renewed (R14)."""


def ladders(limits: Limits) -> dict[str, tuple[Rung, ...]]:
    """The rungs of every family of conditions but inactivity, whose clock can stand still."""
    away = limits.away_too_long
    table = {
        "help": _once(AlertType.HELP_BUTTON, Level.EMERGENCY),
        "smoke": _once(AlertType.SMOKE, Level.EMERGENCY),
        "gas": _once(AlertType.GAS, Level.EMERGENCY),
        "co": _once(AlertType.CO, Level.EMERGENCY),
        "flood": _once(AlertType.FLOOD, Level.ALARM),
        "away": (
            Rung(0.0, AlertType.AWAY, Level.NOTE),
            Rung(away, AlertType.AWAY_TOO_LONG, Level.WATCH),
            Rung(1.5 * away, AlertType.AWAY_TOO_LONG, Level.WARNING),
        ),
        "no_exit": _once(AlertType.NO_EXIT, Level.WATCH),
        "door": _once(AlertType.DOOR_OPEN_LONG, Level.WARNING),
        "temp.low": _once(AlertType.TEMP_LOW, Level.WARNING),
        "temp.high": _once(AlertType.TEMP_HIGH, Level.WARNING),
        "welfare": _once(AlertType.WELFARE_UNKNOWN, Level.ALARM),
        "blind": _ages(AlertType.BLIND, Level.WARNING),
        "mains": (
            Rung(MAINS_LASTS, AlertType.TECH_MAINS, Level.WATCH),
            Rung(1 * HOUR, AlertType.TECH_MAINS, Level.WARNING),
        ),
        "lost": _ages(AlertType.TECH_SENSOR_LOST),
        "suspect": _ages(AlertType.TECH_SENSOR_SUSPECT),
        SILENT: _ages(AlertType.TECH_SENSOR_SUSPECT),
        BUSY: _ages(AlertType.TECH_SENSOR_SUSPECT),
        DECLINE: _once(AlertType.ROUTINE_DRIFT, Level.WATCH),
        TURN: _once(AlertType.ROUTINE_DRIFT, Level.WATCH),
        "battery": _ages(AlertType.TECH_SENSOR_BATTERY),
        "tamper": _ages(AlertType.TECH_TAMPER, Level.WARNING),
        "paused": _once(AlertType.PAUSED, Level.WATCH),
        "visit": _once(AlertType.VISIT, Level.NOTE),
    }
    for part, alert_type in PART_FAULTS.items():
        table[part] = _ages(alert_type)
    for fault, alert_type in SENSOR_FAULTS.items():
        begins = Level.WARNING if alert_type is AlertType.TECH_TAMPER else Level.WATCH
        table[fault_family(fault, Kind.MOTION)] = _ages(alert_type, begins)
    for fault in MUTE:
        table[fault_family(fault, Kind.HELP)] = _ages(SENSOR_FAULTS[fault], Level.WARNING)
    return table
