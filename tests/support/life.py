"""A home for tests of the engine: say what happens and when, get the alerts."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import msgspec

from gateway.domain.alert import Alert, Outcome
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.household import Household
from gateway.domain.instant import HOUR, Instant
from gateway.domain.observation import (
    AnswerState,
    Booted,
    CentreAnswered,
    Observation,
    Switched,
    What,
)
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.engine.engine import Engine
from gateway.engine.outlook import Knobs
from gateway.engine.predictor import Predictor
from gateway.engine.state import State

MONDAY = 1_772_377_200.0
"""2026-03-02 00:00 in Korea (UTC+9), a Monday."""

WIRED = (
    Sensor("hall", Kind.MOTION, Room.HALL),
    Sensor("bed", Kind.OCCUPANCY, Room.BED),
    Sensor("fridge", Kind.CONTACT, Room.KITCHEN),
    Sensor("door", Kind.ENTRANCE, Room.ENTRANCE),
    Sensor("button", Kind.HELP, Room.LIVING),
)
"""A small wired home."""

CEILINGS_ONLY = Knobs(ask=1e12, tell=1e12, tell_by_asking=1e12)
"""A false alarm so dear that the model never speaks before a ceiling."""


def beacons(count: int = 3, interval: float = 60.0) -> tuple[Sensor, ...]:
    """Motion sensors that the hub hears by radio, each at least every ``interval`` seconds."""
    return tuple(
        Sensor(f"pir{n}", Kind.MOTION, Room.HALL, Supervision.BEACON, interval, source="ble")
        for n in range(count)
    )


class Life:
    """An engine with a clock of its own: hours count from MONDAY."""

    def __init__(
        self,
        sensors: Sequence[Sensor] = WIRED,
        predictor: Predictor | None = None,
        household: Household | None = None,
        knobs: Knobs | None = None,
    ) -> None:
        # without a network own history alone would speak too; the plain rules are looked at
        self.knobs = knobs or (CEILINGS_ONLY if predictor is None else Knobs())
        self.household = household or Household("hub-test", tuple(sensors))
        self.predictor = predictor
        self.engine = Engine(self.household, predictor, self.knobs)
        self.boot = "kernel-start1"
        self.boottime_of_zero = 0.0
        self.wall_error = 0.0
        self.synced = True
        self.observations: list[Observation] = []
        self.alerts: list[Alert] = []
        self.summaries: list[Summary] = []

    def instant(self, hour: float) -> Instant:
        """The moment ``hour`` hours after MONDAY, as this hub's clocks say it."""
        seconds = hour * HOUR
        return Instant(
            self.boot,
            seconds - self.boottime_of_zero,
            MONDAY + seconds + self.wall_error,
            self.synced,
        )

    def at(self, hour: float, what: What, counter: int | None = None) -> Self:
        """Something becomes known."""
        self.feed(Observation(len(self.observations) + 1, self.instant(hour), what, counter))
        return self

    def feed(self, observation: Observation) -> None:
        self.observations.append(observation)
        self.take(self.engine.step(observation))

    def take(self, decisions: Decisions) -> None:
        self.alerts += decisions.alerts
        self.summaries += decisions.summaries

    def moves(self, hour: float, sensor: str = "hall", *, on: bool = True) -> Self:
        """Somebody is seen."""
        return self.at(hour, Switched(sensor, on))

    def until(self, hour: float) -> Self:
        """Time passes."""
        self.take(self.engine.tick(self.instant(hour)))
        return self

    def restart(self, hour: float, *, up_until: float, kernel: str = "kernel", start: str) -> Self:
        """The program (or with another ``kernel`` the machine) starts again, from a snapshot."""
        before = self.instant(up_until)
        self.engine = Engine.restore(
            self.household, self.predictor, self.engine.snapshot(), self.knobs
        )
        if kernel != self.boot.partition("-")[0]:
            self.boottime_of_zero = hour * HOUR
        self.boot = f"{kernel}-{start}"
        return self.at(hour, Booted("0.0", up_until=before))

    def answers(
        self,
        hour: float,
        alert: Alert,
        state: AnswerState = AnswerState.ACCEPTED,
        outcome: Outcome | None = None,
    ) -> Self:
        return self.at(hour, CentreAnswered(alert.id, state, "operator", outcome))

    def rebuilt(self) -> Engine:
        """Another engine that saw only what the journal holds."""
        engine = Engine(self.household, self.predictor, self.knobs)
        for observation in self.observations:
            engine.step(observation)
        return engine

    @property
    def state(self) -> State:
        """What the engine remembers, as a restart would find it."""
        return msgspec.json.decode(self.engine.snapshot(), type=State)

    def copy(self) -> Life:
        return copy.deepcopy(self)

    def of(self, prefix: str) -> list[Alert]:
        """Alert versions whose type begins so."""
        return [alert for alert in self.alerts if alert.type.startswith(prefix)]

    def told(self, prefix: str) -> list[tuple[float, int, str]]:
        """(hour, level, state) of those versions."""
        return [
            (round((a.at.wall - MONDAY - self.wall_error) / HOUR, 3), int(a.level), str(a.state))
            for a in self.of(prefix)
        ]
