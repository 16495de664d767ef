"""A home on trial: its activity, its absences, and the moments at which somebody might collapse.

The rules are those of the measure (docs/detection.md) and know nothing of any detector.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from random import Random

from msgspec import Struct

from gateway.domain.instant import DAY, HOUR, MONTH
from gateway.domain.observation import Observation, Switched
from gateway.domain.sensor import Kind, Sensor
from gateway.engine.evidence import is_activity

OUTAGE = 48 * HOUR
"""Seconds: a longer silence without an annotation is an outage, out of both counts."""
INFERRED_AWAY = 2 * HOUR
"""Seconds: a longer silence that began at the entrance is an absence that nobody wrote down."""
AT_ENTRANCE = 600.0
"""Seconds between an entrance event and the beginning of such a silence."""
TRIES = 60
"""Instants tried for each one wanted, where hardly any time is left to choose from."""

Span = tuple[float, float]


class Home(Struct, frozen=True):
    """A recorded or generated home as the measure needs it. ``away`` are annotated absences in
    wall seconds; ``utc_offset`` in minutes."""

    name: str
    sensors: tuple[Sensor, ...]
    observations: tuple[Observation, ...]
    away: tuple[Span, ...]
    fingerprint: str = ""
    utc_offset: int = 540


class Trial(Struct, frozen=True, dict=True):
    """``moves`` are the wall seconds of activity, ``begin`` and ``end`` of the time on trial,
    ``away`` annotated and inferred absences, ``outages`` what counts for nothing. Silence ``i``
    lies between move ``i`` and the next."""

    home: Home
    moves: tuple[float, ...]
    begin: float
    end: float
    away: tuple[Span, ...]
    outages: tuple[Span, ...]

    @cached_property
    def months(self) -> float:
        """Home-months on trial, outages not among them."""
        lost = sum(b - max(a, self.begin) for a, b in self.outages if b > self.begin)
        return max(0.0, self.end - self.begin - lost) / MONTH

    def silence(self, wall: float) -> int:
        """Index of the last activity up to a moment: the silence that it lies in; -1 for none."""
        return bisect_right(self.moves, wall) - 1

    def raised_in(self, alarm: float) -> int:
        """Index of the silence that an alarm was raised in. In the very second of the next
        activity it is still the one that ends there: nothing alarms after no silence at all."""
        return bisect_left(self.moves, alarm) - 1

    def counts(self, index: int) -> bool:
        """Whether an alarm in this silence is a false alarm: it began on trial and is no outage."""
        if index < 0 or index + 1 >= len(self.moves) or self.moves[index] < self.begin:
            return False
        return not inside(self.outages, self.moves[index])

    def is_away(self, index: int) -> bool:
        """Whether the resident was out in the middle of this silence."""
        return inside(self.away, (self.moves[index] + self.moves[index + 1]) / 2)

    def is_out(self, wall: float) -> bool:
        """Whether the resident is away at this moment."""
        return inside(self.away, wall)

    def cuts(self, count: int, seed: int) -> list[float]:
        """``count`` incapacitation instants, wall seconds in order: uniform in time while the
        person is neither away nor the recording out. Fewer where there is no such time."""
        chance = Random(f"{seed} {self.home.name}")
        found: list[float] = []
        for _ in range(count * TRIES):
            if len(found) == count or self.end <= self.begin:
                break
            wall = chance.uniform(self.begin, self.end)
            if not inside(self.away, wall) and not inside(self.outages, wall):
                found.append(wall)
        return sorted(found)

    def is_night(self, wall: float) -> bool:
        """From 23 to 7, local time."""
        return not 7.0 <= (wall + self.home.utc_offset * 60.0) % DAY / HOUR < 23.0


def trial(home: Home, learn: float) -> Trial:
    """The trial of a home after ``learn`` seconds of learning."""
    kinds = {sensor.id: sensor for sensor in home.sensors}
    moves: list[float] = []
    entrances: list[float] = []
    for observation in home.observations:
        what = observation.what
        if isinstance(what, Switched) and is_activity(kinds[what.sensor], what):
            moves.append(observation.at.wall)
            if kinds[what.sensor].kind is Kind.ENTRANCE:
                entrances.append(observation.at.wall)
    outages: list[Span] = []
    inferred: list[Span] = []
    for start, stop in pairwise(moves):
        if stop - start > OUTAGE and not any(a < stop and b > start for a, b in home.away):
            outages.append((start, stop))
        elif stop - start > INFERRED_AWAY:
            last = bisect_right(entrances, start) - 1
            if last >= 0 and entrances[last] >= start - AT_ENTRANCE:
                inferred.append((start, stop))
    return Trial(
        home=home,
        moves=tuple(moves),
        begin=(moves[0] if moves else 0.0) + learn,
        end=moves[-1] if moves else 0.0,
        away=_joined([*home.away, *inferred]),
        outages=tuple(outages),
    )


def inside(spans: Sequence[Span], wall: float) -> bool:
    """Whether a moment lies in one of these spans, sorted and apart from each other."""
    place = bisect_right(spans, wall, key=_start) - 1
    return place >= 0 and wall < spans[place][1]


def _start(span: Span) -> float:
    return span[0]


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)
