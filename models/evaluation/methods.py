"""The published methods (docs/detection.md), each told only what has happened so far.

A method scores the present silence for every ten minutes that it may still last; whoever uses it
alarms at the first score that reaches a knob. A method keeps its own history and not the engine's,
so that the product's changes never move what it is measured against.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from itertools import accumulate
from math import exp, inf, log10, sqrt

from msgspec import Struct

from gateway.domain.instant import DAY, HOUR
from gateway.domain.sensor import Room
from gateway.engine.habits import DOORSTEP
from gateway.engine.profile import HALVES, quantile
from gateway.engine.stopping import HOURS, ROWS, STEP

KEEP_DAYS = 60
"""Days of history, as the engine's: no method shall lose for having been told less."""
HALF_HOUR = 1800.0
LONGEST = 48 * HOUR
"""Seconds: a longer silence is an outage or a journey and teaches nothing."""
FIRST = 2
"""The row of 30 minutes: nobody alarms before. [D]"""
DOOR_HOURS = 24.0
"""Hours without an alarm after a silence that began at the entrance; then one comes for certain."""
NEVER = -inf
CERTAIN = inf
LEAST_DAYS = 2
"""Whole days without which a profile is only its authors' default."""


class Gap(Struct, frozen=True, gc=False):
    """A silence that ended by itself; local seconds."""

    start: float
    end: float
    place: Room


class Method(ABC):
    """What all have in common: 60 days of silences of ten minutes and more, refitted at the first
    activity of each day. Everything is local time in seconds. The place of a silence is the room
    of its last activity, or the entrance if that came within a minute of an entrance event: what
    the engine knows of the door, the published methods shall know too."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._place = Room.OTHER
        self._entrance = -inf
        self._day = -1
        self._gaps: list[Gap] = []

    def moved(self, local: float, room: Room, entrance: bool) -> None:
        """Somebody moved in a room, or at an entrance sensor."""
        if self._began is not None and STEP <= local - self._began <= LONGEST:
            self._gaps.append(Gap(self._began, local, self._place))
        day = int(local // DAY)
        if day != self._day:
            self._day = day
            self._gaps = [gap for gap in self._gaps if gap.start >= (day - KEEP_DAYS) * DAY]
            self._refit()
        if entrance:
            self._entrance = local
        at_door = local - self._entrance <= DOORSTEP
        self._began, self._place = local, Room.ENTRANCE if at_door else room

    def scores(self) -> array[float]:
        """Of the present silence, never falling: row j is for (j + 1) steps of ten minutes."""
        if self._began is None:
            return array("d", [NEVER]) * ROWS
        later = (self._score(self._began, self._place, (j + 1) * HOURS) for j in range(FIRST, ROWS))
        return array("d", [NEVER] * FIRST + list(accumulate(later, max)))

    @abstractmethod
    def _refit(self) -> None:
        """A new day: draw up again what is usual from the silences kept."""

    @abstractmethod
    def _score(self, began: float, place: Room, hours: float) -> float:
        """How unusual it is that the silence that began then and there lasts these hours."""


class Fixed(Method):
    """The services in use: so many hours, whatever the home. The knob is in hours."""

    def _refit(self) -> None:
        pass

    def _score(self, began: float, place: Room, hours: float) -> float:  # noqa: ARG002 - looks at nothing else
        return hours


class ByHalfHour(Method):
    """Methods that know, of each half hour of the day, how long silences last that stand in it;
    with the door rule: a silence that began at the entrance neither alarms within 24 hours nor
    is it learned from."""

    def _refit(self) -> None:
        days: dict[int, list[float]] = {}
        for gap in self._gaps:
            if gap.place is Room.ENTRANCE:
                continue
            for half in range(int(gap.start // HALF_HOUR), -int(-gap.end // HALF_HOUR)):
                number = half // HALVES
                if number < self._day:
                    day = days.setdefault(number, [0.0] * HALVES)
                    stood = (min(gap.end, (half + 1) * HALF_HOUR) - gap.start) / HOUR
                    day[half % HALVES] = max(day[half % HALVES], stood)
        if len(days) >= LEAST_DAYS:
            self._draw([sorted(column) for column in zip(*days.values(), strict=True)])

    def _score(self, began: float, place: Room, hours: float) -> float:
        if place is Room.ENTRANCE:
            return NEVER if hours < DOOR_HOURS else CERTAIN
        return self._unusual(hours, int((began + hours * HOUR) // HALF_HOUR) % HALVES)

    @abstractmethod
    def _draw(self, columns: Sequence[Sequence[float]]) -> None:
        """Of each half hour, the longest silence of each day, hours, sorted."""

    @abstractmethod
    def _unusual(self, hours: float, half: int) -> float:
        """Score of a silence that has lasted these hours in this half hour of the day."""


class Cuddihy(ByHalfHour):
    """Cuddihy et al. 2007: an alert line, the 95th percentile for each time of day. The knob is
    how many times the line a silence must last. Line before any history, width and least of it
    from the prototype."""

    def __init__(self) -> None:
        super().__init__()
        self._line = [12.0] * HALVES

    def _draw(self, columns: Sequence[Sequence[float]]) -> None:
        lines = [quantile(column, 0.95) for column in columns]
        self._line = [max(0.5, *_around(lines, half)) for half in range(HALVES)]

    def _unusual(self, hours: float, half: int) -> float:
        return hours / self._line[half]


class FloeckLitz(ByHalfHour):
    """Floeck and Litz 2008: an inactivity profile with a linear threshold. The knob is how many
    standard deviations above the mean a silence must last. Profile before any history, smoothing
    and least spread from the prototype."""

    def __init__(self) -> None:
        super().__init__()
        self._mean = [6.0] * HALVES
        self._spread = [3.0] * HALVES

    def _draw(self, columns: Sequence[Sequence[float]]) -> None:
        means = [sum(column) / len(column) for column in columns]
        spreads = [
            sqrt(sum((hours - mean) ** 2 for hours in column) / len(column)) + 0.25
            for mean, column in zip(means, columns, strict=True)
        ]
        self._mean = [sum(_around(means, half)) / 3.0 for half in range(HALVES)]
        self._spread = [sum(_around(spreads, half)) / 3.0 for half in range(HALVES)]

    def _unusual(self, hours: float, half: int) -> float:
        return (hours - self._mean[half]) / self._spread[half]


def _around(values: Sequence[float], half: int) -> tuple[float, float, float]:
    return values[half - 1], values[half], values[(half + 1) % HALVES]


Mixture = tuple[tuple[float, float], ...]
"""A hyperexponential distribution: (share, mean in hours) of each part."""

SHORTEST_HOURS = STEP / HOUR
"""Silences are fitted by how much longer than ten minutes they last."""
FEW, ENOUGH = 8, 25
"""Silences for one mean, and for a mixture of two. [D]"""
ROUNDS = 60
"""Of expectation and maximisation; by then the fit of such a mixture no longer moves."""
ANYWHERE: Mixture = ((1.0, 1.5),)
"""Before a home has ``FEW`` silences. From the prototype."""
LEAST_MEAN = 0.01


class Moshtaghi(Method):
    """Moshtaghi, Zukerman and Russell 2015: hyperexponential silences by room and by day and
    night. The knob is how improbable such a silence must be, as minus its decimal logarithm.
    There is no door rule: the entrance is a room like others."""

    def __init__(self) -> None:
        super().__init__()
        self._yesterday: tuple[Gap, ...] = ()
        self._fitted: dict[tuple[Room, bool], Mixture] = {}

    def _refit(self) -> None:
        self._yesterday = tuple(self._gaps)
        self._fitted = {}  # fitted when asked for: most rooms are not, on most days

    def _score(self, began: float, place: Room, hours: float) -> float:
        context = place, _is_night(began)
        if context not in self._fitted:
            self._fitted[context] = self._fit(*context)
        beyond = max(0.0, hours - SHORTEST_HOURS)
        left = sum(share * exp(-beyond / mean) for share, mean in self._fitted[context])
        return -log10(left + 1e-300)

    def _fit(self, place: Room, night: bool) -> Mixture:
        """The narrowest context with enough silences: room and time, room, the whole home."""
        here = [gap for gap in self._yesterday if gap.place is place]
        now = [gap for gap in here if _is_night(gap.start) == night]
        for gaps in (now, here, self._yesterday):
            if len(gaps) >= FEW:
                return hyperexponential([(g.end - g.start) / HOUR - SHORTEST_HOURS for g in gaps])
        return ANYWHERE


def _is_night(local: float) -> bool:
    """From 21 to 6."""
    return not 6.0 <= local % DAY / HOUR < 21.0


def hyperexponential(hours: Sequence[float]) -> Mixture:
    """Fit two exponentials, or one where there are few values. Deterministic."""
    count = len(hours)
    ordered = sorted(max(value, 1e-3) for value in hours)
    if count < ENOUGH:
        return ((1.0, max(0.05, sum(ordered) / count)),)
    means = [max(LEAST_MEAN, quantile(ordered, share)) for share in (0.3, 0.95)]
    share = 0.5
    for _ in range(ROUNDS):
        weight = total = 0.0
        for value in ordered:
            first = share / means[0] * exp(-value / means[0])
            second = (1.0 - share) / means[1] * exp(-value / means[1])
            part = first / (first + second + 1e-300)
            weight += part
            total += part * value
        share = weight / count
        means[0] = max(LEAST_MEAN, total / (weight + 1e-9))
        means[1] = max(LEAST_MEAN, (sum(ordered) - total) / (count - weight + 1e-9))
    return ((share, means[0]), (1.0 - share, means[1]))
