"""A recorded home through the same engine as on the hub, in seconds instead of weeks.

Nothing here asks for the time: the last observation is the last moment. So the same recording makes
the same bytes on every machine, every Python and every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway.contract.explaining import explanation
from gateway.domain.alert import Alert
from gateway.domain.household import Household
from gateway.domain.instant import HOUR, Instant, iso
from gateway.domain.observation import Observation
from gateway.domain.sensor import Sensor
from gateway.engine.engine import Engine
from gateway.engine.predictor import Predictor

REPLAYED = "replay"
"""The pseudonym of a home that has no settings; alert ids are made from it."""


def household_of(sensors: tuple[Sensor, ...], utc_offset: int = 540) -> Household:
    """A household with the defaults of the standard risk group, for a recording alone."""
    return Household(hub=REPLAYED, sensors=sensors, utc_offset=utc_offset)


class Replay:
    """Feeds observations to an engine; afterwards knows how many there were."""

    def __init__(self, household: Household, predictor: Predictor | None = None) -> None:
        self.engine = Engine(household, predictor)
        self.count = 0
        self.end: Instant | None = None
        """The moment at which a replay ended; None before, and where there was no row until then."""

    def alerts(
        self, observations: Iterable[Observation], until: float | None = None
    ) -> Iterator[Alert]:
        """Every version of every alert, in the order in which a hub would have told it.

        ``until``: wall second at which to stop; without it the last observation is the end.
        """
        step = self.engine.step
        last: Observation | None = None
        self.end = None
        for observation in observations:
            if until is not None and observation.at.wall > until:
                break
            last = observation
            self.count += 1
            yield from step(observation).alerts
        if last is not None:
            end = last.at
            if until is not None:
                end = end.plus(max(0.0, until - end.wall))
            self.end = end
            yield from self.engine.tick(end).alerts


def line(alert: Alert, utc_offset: int) -> dict[str, Any]:
    """One alert version as ``ansim replay --json`` prints it. Hours are rounded to 0.1 s."""
    quiet = alert.quiet
    last = quiet.last_activity
    return {
        "at": iso(alert.at.wall, utc_offset),
        "type": str(alert.type),
        "level": int(alert.level),
        "state": str(alert.state),
        "alert_id": alert.id,
        "version": alert.version,
        "raised_at": iso(alert.raised.wall, utc_offset),
        "last_activity_at": None if last is None else iso(last.wall, utc_offset),
        "silence_hours": _hours(quiet.silence),
        "covered_hours": _hours(quiet.covered),
        "subject": alert.subject,
        "because": alert.because,
        "room": None if quiet.room is None else str(quiet.room),
        "sensor": quiet.sensor,
        "away": alert.away,
        "open": alert.open,
        "suspect_sensors": list(alert.suspect),
        "explanation": msgspec.to_builtins(explanation(alert.explanation, quiet)),
    }


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / HOUR, 5)
