"""The A-table as data: what other alarm receivers call our alerts, and when an answer is due.

Codes are SCAIP's device type and status (requirements, section 4: numbers only). Where the table
settles no code the fields stay empty rather than invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.sensor import Kind

Severity = Literal["Minor", "Moderate", "Severe", "Extreme"]

SENSOR = "sensor"
"""Stands for the device type of the sensor that an alert is about."""

PRIORITY: dict[Level, int] = {
    Level.NOTE: 0,
    Level.WATCH: 2,
    Level.WARNING: 4,
    Level.ALARM: 7,
    Level.EMERGENCY: 9,
}
"""SCAIP ``pri`` by level."""

CAP_SEVERITY: dict[Level, Severity] = {
    Level.WATCH: "Minor",
    Level.WARNING: "Moderate",
    Level.ALARM: "Severe",
    Level.EMERGENCY: "Extreme",
}
"""Severity of the Common Alerting Protocol by level; a note has none."""


class Code(NamedTuple):
    """``cleared`` is the status once the cause is gone, where SCAIP has one of its own."""

    type: str = ""
    status: str = ""
    cleared: str = ""


CODES: dict[AlertType, Code] = {
    AlertType.HELP_BUTTON: Code("0003", "0010"),
    AlertType.SMOKE: Code("0023", "0009"),
    AlertType.GAS: Code("0021", "0009"),
    AlertType.CO: Code("0026", "0009"),
    AlertType.FLOOD: Code("0033", "0009"),
    AlertType.INACTIVITY_WATCH: Code("0010", "0009"),
    AlertType.INACTIVITY_WARNING: Code("0010", "0009"),
    AlertType.INACTIVITY_ALARM: Code("0010", "0009"),
    AlertType.WELFARE_UNKNOWN: Code("0010", "0105"),
    AlertType.AWAY: Code("0014", "0003"),
    AlertType.AWAY_TOO_LONG: Code("0014", "0003"),
    AlertType.NO_EXIT: Code("0014", "0003"),
    AlertType.ROUTINE_DRIFT: Code("0010", "0011"),
    AlertType.DOOR_OPEN_LONG: Code("0014", "0077"),
    AlertType.TEMP_LOW: Code("0020", "0101"),
    AlertType.TEMP_HIGH: Code("0020", "0100"),
    AlertType.BLIND: Code("0050", "0095"),
    AlertType.TECH_MAINS: Code("0002", "0085", "0086"),
    AlertType.TECH_SENSOR_LOST: Code(SENSOR, "0123", "0124"),
    AlertType.TECH_SENSOR_BATTERY: Code(SENSOR, "0016"),
    AlertType.TECH_SENSOR_SUSPECT: Code(SENSOR, "0067"),
    AlertType.TECH_TAMPER: Code("0038", "0125"),
    AlertType.TECH_CONFIG: Code(),
    AlertType.TECH_STORAGE: Code("0002", "0068"),
    AlertType.JOURNAL_RECOVERED: Code("0002", "0068"),
    AlertType.TECH_CLOCK: Code("0031", "0105"),
    AlertType.TECH_LINK: Code("0032", "0023", "0112"),
    AlertType.TECH_MODEL: Code(),
    AlertType.TECH_UPDATE: Code("0031", "0065"),
    AlertType.PAUSED: Code("0002", "0089"),
    AlertType.VISIT: Code("0002", "0087", "0088"),
}

DEVICES: dict[Kind, str] = {
    Kind.MOTION: "0010",
    Kind.CONTACT: "0014",
    Kind.OCCUPANCY: "0010",
    Kind.USE: "0010",
    Kind.ENTRANCE: "0014",
    Kind.HELP: "0003",
    Kind.SMOKE: "0023",
    Kind.GAS: "0021",
    Kind.CO: "0026",
    Kind.FLOOD: "0033",
    Kind.TEMPERATURE: "0020",
    Kind.MAINS: "0002",
    Kind.TAMPER: "0038",
    Kind.METER: "0010",
}
"""SCAIP device type of a sensor: that of the alert which its kind can raise."""


def scaip(alert: Alert, kinds: Mapping[str, Kind]) -> tuple[str, str]:
    """Device type and status of one version; ``kinds`` of the home's sensors by id."""
    code = CODES.get(alert.type, Code())
    kind = kinds.get(alert.subject)
    device = (DEVICES[kind] if kind is not None else "") if code.type == SENSOR else code.type
    gone = alert.state is AlertState.CLEARED and code.cleared != ""
    return device, code.cleared if gone else code.status


class Due(NamedTuple):
    """Seconds until the centre's machine and its people must have answered; None: not asked."""

    received: float | None
    accepted: float | None


MINUTE = 60.0
_AT_ONCE = Due(10, 60)
_HALF_HOUR = Due(30, 30 * MINUTE)
_FOUR_HOURS = Due(30, 240 * MINUTE)
WORKING_DAY = Due(30, None)
"""A technical alert: accepted by the next working day, which is no number of seconds."""

DUE: dict[AlertType, Due] = {
    AlertType.HELP_BUTTON: _AT_ONCE,
    AlertType.SMOKE: _AT_ONCE,
    AlertType.GAS: _AT_ONCE,
    AlertType.CO: _AT_ONCE,
    AlertType.FLOOD: _AT_ONCE,
    AlertType.INACTIVITY_WATCH: _HALF_HOUR,
    AlertType.INACTIVITY_WARNING: Due(30, 10 * MINUTE),
    AlertType.INACTIVITY_ALARM: Due(30, 3 * MINUTE),
    AlertType.WELFARE_UNKNOWN: Due(30, 10 * MINUTE),
    AlertType.AWAY: Due(None, None),
    AlertType.AWAY_TOO_LONG: _FOUR_HOURS,
    AlertType.NO_EXIT: _FOUR_HOURS,
    AlertType.ROUTINE_DRIFT: Due(30, None),
    AlertType.DOOR_OPEN_LONG: _HALF_HOUR,
    AlertType.TEMP_LOW: _HALF_HOUR,
    AlertType.TEMP_HIGH: _HALF_HOUR,
    AlertType.BLIND: _HALF_HOUR,
    AlertType.TECH_MAINS: WORKING_DAY,
    AlertType.TECH_SENSOR_LOST: WORKING_DAY,
    AlertType.TECH_SENSOR_BATTERY: WORKING_DAY,
    AlertType.TECH_SENSOR_SUSPECT: WORKING_DAY,
    AlertType.TECH_TAMPER: WORKING_DAY,
    AlertType.TECH_CONFIG: WORKING_DAY,
    AlertType.TECH_STORAGE: WORKING_DAY,
    AlertType.JOURNAL_RECOVERED: WORKING_DAY,
    AlertType.TECH_CLOCK: WORKING_DAY,
    AlertType.TECH_LINK: WORKING_DAY,
    AlertType.TECH_MODEL: WORKING_DAY,
    AlertType.TECH_UPDATE: WORKING_DAY,
    AlertType.PAUSED: Due(30, None),
    AlertType.VISIT: Due(None, None),
}

_BY_NAME: dict[str, Due] = {alert_type.value: times for alert_type, times in DUE.items()}


def due(alert_type: str, level: int) -> Due:
    """When an answer is due. Below level 2 no operator is ever called, so nobody's answer is due
    (requirements, "Settled"); level 4 is at once, whatever it is about; an unknown type is
    judged by its level alone."""
    base = _BY_NAME.get(alert_type, _HALF_HOUR)
    if level >= Level.EMERGENCY:
        return _AT_ONCE
    if level < Level.WARNING:
        return Due(base.received if level else None, None)
    return base
