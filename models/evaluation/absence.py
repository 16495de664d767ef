"""Out-of-home time, hour by hour, against the annotations (Petersen, Kaye et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gateway.domain.instant import HOUR
from gateway.domain.sensor import Kind
from models.evaluation.trial import Home, Span


class Absence(Struct, frozen=True):
    """Clock hours of the whole recording: ``away`` and ``home`` by annotation (the greater part of
    the hour), ``found`` of the one and ``kept`` of the other. ``motion``
    sensors there are: without them little is seen of somebody who came back."""

    away: int
    home: int
    found: int
    kept: int
    motion: int

    @property
    def sensitivity(self) -> float | None:
        return self.found / self.away if self.away else None

    @property
    def specificity(self) -> float | None:
        return self.kept / self.home if self.home else None


def hours_away(home: Home, believed: Sequence[Span]) -> Absence | None:
    """None where nothing is annotated or no sensor watches the entrance."""
    entrance = any(sensor.kind is Kind.ENTRANCE for sensor in home.sensors)
    if not home.away or not entrance or not home.observations:
        return None
    away = at_home = found = kept = 0
    hour = home.observations[0].at.wall // HOUR * HOUR
    end = home.observations[-1].at.wall
    while hour < end:
        is_away = _share(home.away, hour) > 0.5
        says_away = _share(believed, hour) > 0.5
        away += is_away
        at_home += not is_away
        found += is_away and says_away
        kept += not is_away and not says_away
        hour += HOUR
    motion = sum(sensor.kind is Kind.MOTION for sensor in home.sensors)
    return Absence(away, at_home, found, kept, motion)


def _share(spans: Sequence[Span], hour: float) -> float:
    return sum(max(0.0, min(b, hour + HOUR) - max(a, hour)) for a, b in spans) / HOUR
