"""Homes for the tests of the measure: say when which sensor switched, in hours from midnight."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.domain.instant import HOUR, Instant
from gateway.domain.observation import Observation, Switched
from models.evaluation.trial import Home
from tests.support.life import MONDAY, WIRED

Event = tuple[float, str] | tuple[float, str, bool]
"""(hours after MONDAY, sensor), and whether it switched on; it did unless said otherwise."""


def home(
    events: Iterable[Event], away: Iterable[tuple[float, float]] = (), name: str = "home"
) -> Home:
    """A small wired home; ``away`` in hours as well."""
    return Home(
        name=name,
        sensors=WIRED,
        observations=tuple(
            Observation(number, Instant("boot", hours * HOUR, at(hours)), Switched(sensor, not off))
            for number, (hours, sensor, off) in enumerate(
                ((event[0], event[1], len(event) == 3 and not event[2]) for event in events), 1
            )
        ),
        away=tuple((at(start), at(end)) for start, end in away),
    )


def at(hours: float) -> float:
    """Wall second of so many hours after MONDAY."""
    return MONDAY + hours * HOUR


def hourly(first: float, last: float, sensor: str = "hall") -> list[Event]:
    """An event each hour, both ends included."""
    return [(first + hour, sensor) for hour in range(int(last - first) + 1)]
