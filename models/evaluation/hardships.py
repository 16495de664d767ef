"""Homes that are hard: generated lives of ten kinds, dead sensors, lost events."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from msgspec import Struct, structs

from gateway.domain.alert import Level, Outcome
from gateway.domain.instant import DAY, MONTH, Instant
from gateway.domain.observation import Heard, Observation, Switched
from gateway.domain.sensor import Kind, Sensor, Supervision
from gateway.engine.predictor import Predictor
from gateway.runtime.replay import household_of
from models.evaluation.hub import HubDetector, Resident
from models.evaluation.measure import Result, run
from models.evaluation.trial import Home, trial
from models.homes import Plan, generate

BEACON = 300.0
"""Seconds between two signs of life of a sensor that is made a beacon."""
EVENTS_A_DAY = (100.0, 200.0, 400.0, 800.0, 1200.0)


class Hardship(Struct, frozen=True):
    """A home measured: ``first`` false alarms in its first month, ``later`` a month after that;
    ``blind`` share of the time; ``told`` sensors reported lost."""

    kind: str
    result: Result
    first: int
    later: float
    blind: float
    told: int


def generated(kind: str, seed: int, days: int, *, decline: bool = False) -> Home:
    """A generated home of a kind; its volume follows from the seed."""
    plan = Plan(
        seed=seed,
        kind=kind,
        days=days,
        events_per_day=EVENTS_A_DAY[seed % len(EVENTS_A_DAY)],
        decline=24.0 * (days - 60) if decline else None,
    )
    home = generate(plan)
    zone = 540 * 60.0
    away = tuple((start - zone, end - zone) for start, end in home.away)
    return Home(f"{kind}-{seed}", home.sensors, tuple(home.observations()), away)


def suffered(
    home: Home,
    predictor: Predictor | None,
    *,
    kind: str,
    learn_days: float = 14.0,
    cuts: int = 0,
    answers: float | None = None,
    stage: Level = Level.WARNING,
) -> Hardship:
    """Lead the hub through a home."""
    on_trial = trial(home, learn_days * DAY)
    household = structs.replace(household_of(home.sensors), asks=answers is not None)
    resident = None if answers is None else Resident(on_trial, answers, 0)
    detector = _Watched(
        household,
        predictor,
        stage,
        None,
        resident,
        lambda wall: Outcome.FALSE_AWAY if on_trial.is_out(wall) else Outcome.FALSE_SLEEP,
    )
    result = run(on_trial, detector, on_trial.cuts(cuts, 0), person=home.name)
    month = on_trial.moves[0] + MONTH
    later = max(0.0, (on_trial.end - month) / MONTH)
    return Hardship(
        kind=kind,
        result=result,
        first=sum(wall < month for wall in result.alarms),
        later=sum(wall >= month for wall in result.alarms) / later if later else 0.0,
        blind=detector.blind / (on_trial.end - on_trial.moves[0]),
        told=len(detector.lost),
    )


class _Watched(HubDetector):
    """Also notes what was told about the senses."""

    blind = 0.0
    lost: frozenset[str] = frozenset()
    _blind_since: float | None = None

    def step(self, observation: Observation) -> list[float]:
        alarms = super().step(observation)
        for alert in self.seen:
            if alert.type == "tech.sensor_lost":
                self.lost |= {alert.subject}
            elif alert.type == "monitoring.blind":
                if alert.state == "raised":
                    self._blind_since = alert.at.wall
                elif alert.state == "cleared" and self._blind_since is not None:
                    self.blind += alert.at.wall - self._blind_since
                    self._blind_since = None
        return alarms


def as_beacons(home: Home, dead: frozenset[str]) -> Home:
    """The home with radio sensors: the living say so every five minutes, the ``dead`` nothing."""
    sensors = tuple(
        structs.replace(s, supervision=Supervision.BEACON, interval=BEACON, source="recording")
        for s in home.sensors
    )
    return structs.replace(home, sensors=sensors, observations=tuple(_beating(home, sensors, dead)))


def _beating(
    home: Home, sensors: tuple[Sensor, ...], dead: frozenset[str]
) -> Iterator[Observation]:
    alive = [sensor.id for sensor in sensors if sensor.id not in dead]
    first = home.observations[0].at
    beat, count = first.boottime, 0
    for observation in home.observations:
        while beat <= observation.at.boottime:
            at = Instant(first.boot, beat, first.wall + beat - first.boottime)
            for sensor in alive:
                count += 1
                yield Observation(count, at, Heard(sensor))
            beat += BEACON
        if isinstance(observation.what, Switched) and observation.what.sensor in dead:
            continue
        count += 1
        yield structs.replace(observation, sequence=count)


def half_dead(home: Home, seed: int, *, entrance: bool) -> frozenset[str]:
    """Half of the sensors, by chance; the entrance only with ``entrance``."""
    chance = Random(f"{seed} {home.name}")
    those = [s.id for s in home.sensors if entrance or s.kind is not Kind.ENTRANCE]
    chance.shuffle(those)
    return frozenset(those[: len(home.sensors) // 2])


def half_lost(home: Home, seed: int) -> Home:
    """Every other event lost, by chance."""
    chance = Random(f"{seed} {home.name}")
    kept = [o for o in home.observations if chance.random() < 0.5]
    return structs.replace(home, observations=tuple(kept))
