"""What the engine must know about a home before the first observation."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from gateway.domain.instant import HOUR
from gateway.domain.sensor import Sensor


class RiskGroup(StrEnum):
    """Which fixed ceilings hold (R18, F5)."""

    STANDARD = "standard"
    LOW_INTRUSION = "low-intrusion"


CEILINGS: dict[RiskGroup, tuple[float, float, float]] = {
    RiskGroup.STANDARD: (8 * HOUR, 12 * HOUR, 24 * HOUR),
    RiskGroup.LOW_INTRUSION: (24 * HOUR, 36 * HOUR, 50 * HOUR),
}
"""Seconds of silence after which levels 1, 2 and 3 hold whatever the model says (R18)."""


class Limits(Struct, frozen=True):
    """Limits that a town may set for a home. Defaults and their reasons are in docs/settings.md."""

    away_too_long: float = 24 * HOUR
    """Seconds (R21)."""
    no_exit: float | None = 72 * HOUR
    """Seconds without any use of the entrance (R21); None for people who hardly leave."""
    door_open_long: float = 1 * HOUR
    """Seconds the entrance may stand open [D]."""
    temperature_low: float = 10.0
    """Degrees Celsius, held for an hour [D]."""
    temperature_high: float = 33.0
    """Degrees Celsius, held for an hour [D]: the Korean heat-wave advisory's figure."""


class Household(Struct, frozen=True):
    """A home as its pseudonym, its sensors and its rules; no name, no address (P1).

    ``hub``             the hub's random pseudonym
    ``utc_offset``      minutes east of UTC; Korea: 540 all year
    ``ceilings``        seconds for levels 1, 2, 3; never above those of the risk group
    ``asks``            whether something in the home can ask the resident: only then is level 1 a
                        question, and silence an answer
    """

    hub: str
    sensors: tuple[Sensor, ...]
    risk_group: RiskGroup = RiskGroup.STANDARD
    ceilings: tuple[float, float, float] = CEILINGS[RiskGroup.STANDARD]
    utc_offset: int = 540
    limits: Limits = Limits()
    asks: bool = False
