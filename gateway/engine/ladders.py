"""The A-table as data: which alert a condition becomes, and how it ages."""

from __future__ import annotations

from typing import NamedTuple

from gateway.domain.alert import AlertType, Level
from gateway.domain.household import Limits
from gateway.domain.instant import HOUR


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
    "clock": AlertType.TECH_CLOCK,
    "link": AlertType.TECH_LINK,
    "model": AlertType.TECH_MODEL,
    "update": AlertType.TECH_UPDATE,
}
"""Parts of the hub that can be at fault (``HubFault.part``)."""


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
        "battery": _ages(AlertType.TECH_SENSOR_BATTERY),
        "tamper": _ages(AlertType.TECH_TAMPER, Level.WARNING),
        "paused": _once(AlertType.PAUSED, Level.WATCH),
        "visit": _once(AlertType.VISIT, Level.NOTE),
    }
    for part, alert_type in PART_FAULTS.items():
        table[part] = _ages(alert_type)
    return table
