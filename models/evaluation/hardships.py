"""Homes that are hard: generated lives of ten kinds, dead sensors, lost events.

A home that was degraded is judged by what is true about the untouched one: its absences, its
outages, the time on trial and the cuts. Only its silences are those that the hub can still see.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from time import perf_counter

from msgspec import Struct, structs

from gateway.domain.alert import AlertState, AlertType, Level
from gateway.domain.instant import HOUR, MONTH, Instant
from gateway.domain.observation import Heard, Observation, Switched
from gateway.domain.sensor import Kind, Sensor, Supervision
from gateway.engine.predictor import Predictor, Silences
from gateway.runtime.replay import Replay, household_of
from models.evaluation.hub import HubDetector
from models.evaluation.measure import Result, run
from models.evaluation.trial import Home, Trial, trial
from models.homes import Plan, generate

BEACON = 300.0
"""Seconds between two signs of life of a sensor that is made a beacon."""
EVENTS_A_DAY = (100.0, 200.0, 400.0, 800.0, 1200.0)
DECLINE_DAYS = 60
"""Days that a generated decline takes, the last of the home."""
CEILINGS = {Level.WATCH: 8.0, Level.WARNING: 12.0, Level.ALARM: 24.0}
"""Hours of silence at home after which a level holds (R18), and below: while held to be away the
hub waits longer."""
AWAY_LIMIT = 36.0
"""Hours of absence after which the centre is told in any case (decision 0003)."""
ROUNDING = 1e-3
"""Hours by which a delay that was computed from wall seconds may miss a ceiling it keeps."""


class FalseAlarm(Struct, frozen=True):
    """``after`` hours of silence at ``wall`` seconds; ``away`` whether the resident truly was."""

    wall: float
    after: float
    type: str
    away: bool


class Collapse(Struct, frozen=True):
    """A cut and its alarm: ``since`` is the wall second of the last activity, ``after`` the hours
    from there to the alarm; ``held_away`` whether the hub then believed the home empty."""

    wall: float
    since: float
    after: float
    held_away: bool

    def over(self, ceiling: float) -> bool:
        return self.after > ceiling + ROUNDING


class Hardship(Struct, frozen=True):
    """A home measured. ``start`` is its first activity and ``end`` its last, wall seconds;
    ``blind`` the share of the time on trial, ``lost`` when each sensor was told lost, ``suspects``
    sensors told suspect while on trial. ``forced`` silences went on past the fixed limit, 12 h at home
    or 36 h away: the hub must tell each of them (R18, R21), unless it takes the one for the other."""

    kind: str
    result: Result
    start: float
    end: float
    alarms: tuple[FalseAlarm, ...]
    collapses: tuple[Collapse, ...]
    blind: float
    lost: dict[str, float]
    suspects: int
    forced: int

    @property
    def first(self) -> int:
        """False alarms in the first month on trial from the first activity."""
        return sum(alarm.wall < self.start + MONTH for alarm in self.alarms)

    @property
    def afterwards(self) -> tuple[FalseAlarm, ...]:
        """The false alarms after the first month."""
        return tuple(alarm for alarm in self.alarms if alarm.wall >= self.start + MONTH)

    @property
    def later(self) -> float:
        """False alarms a month after the first month."""
        months = max(0.0, (self.end - self.start) / MONTH - 1.0)
        return len(self.afterwards) / months if months else 0.0


class Cost(Struct, frozen=True):
    """``seconds`` to replay ``rows`` observations; ``asked`` is how often the network was."""

    rows: int
    seconds: float
    asked: int


def generated(kind: str, seed: int, days: int, *, decline: bool = False) -> Home:
    """A generated home of a kind; its volume follows from the seed."""
    plan = Plan(
        seed=seed,
        kind=kind,
        days=days,
        events_per_day=EVENTS_A_DAY[seed % len(EVENTS_A_DAY)],
        decline=24.0 * (days - DECLINE_DAYS) if decline else None,
    )
    home = generate(plan)
    zone = 540 * 60.0
    away = tuple((start - zone, end - zone) for start, end in home.away)
    return Home(f"{kind}-{seed}", home.sensors, tuple(home.observations()), away)


def suffered(
    on_trial: Trial,
    predictor: Predictor | None,
    *,
    kind: str,
    cuts: Sequence[float] = (),
    answers: float | None = None,
    stage: Level = Level.WARNING,
    living: frozenset[str] = frozenset(),
) -> Hardship:
    """Lead the hub through a home. ``living`` sensors go on to give signs of life after a cut."""
    detector = _Watched(on_trial, predictor, stage, answers, living)
    result = run(on_trial, detector, cuts, person=on_trial.home.name)
    return Hardship(
        kind=kind,
        result=result,
        start=on_trial.moves[0],
        end=on_trial.end,
        alarms=tuple(_false(on_trial, wall, detector.types[wall]) for wall in result.alarms),
        collapses=tuple(_collapses(on_trial, detector, cuts, result)),
        blind=detector.blindness(on_trial.begin, on_trial.end),
        lost=detector.lost,
        suspects=sum(on_trial.begin <= wall < on_trial.end for wall in detector.suspects),
        forced=sum(1 for _ in _forced(on_trial)),
    )


def _forced(on_trial: Trial) -> Iterator[int]:
    """Silences that no wisdom may leave untold."""
    for silence, (since, until) in enumerate(pairwise(on_trial.moves)):
        limit = AWAY_LIMIT if on_trial.is_away(silence) else CEILINGS[Level.WARNING]
        if until - since > limit * HOUR and on_trial.counts(silence):
            yield silence


def _false(on_trial: Trial, wall: float, type_: str) -> FalseAlarm:
    silence = on_trial.raised_in(wall)
    after = (wall - on_trial.moves[silence]) / HOUR
    return FalseAlarm(wall, after, type_, on_trial.is_away(silence))


def _collapses(
    on_trial: Trial, detector: _Watched, cuts: Sequence[float], result: Result
) -> Iterator[Collapse]:
    raised = {on_trial.raised_in(wall): wall for wall in result.alarms}
    for cut, delay in zip(cuts, result.delays, strict=True):
        silence = on_trial.silence(cut)
        since = on_trial.moves[silence]
        # A delay of nothing is an alarm before the cut; the cut is then the latest it can be.
        alarm = cut + delay * HOUR if delay > 0 else min(cut, raised.get(silence, cut))
        yield Collapse(cut, since, (alarm - since) / HOUR, since in detector.held_away)


class _Watched(HubDetector):
    """Also notes what was told about the senses, and where the hub believed in an absence."""

    def __init__(
        self,
        trial: Trial,
        predictor: Predictor | None,
        stage: Level,
        answers: float | None,
        living: frozenset[str],
    ) -> None:
        super().__init__(trial, predictor, stage, answers=answers)
        self._living = [s.id for s in trial.home.sensors if s.id in living]
        self.types: dict[float, str] = {}
        self.lost: dict[str, float] = {}
        self.suspects: list[float] = []
        self.held_away: set[float] = set()
        self._blind: list[tuple[float, float]] = []
        self._blind_since: float | None = None

    def step(self, observation: Observation) -> list[float]:
        alarms = super().step(observation)
        for alert in self.seen:
            wall = alert.at.wall
            self.types[wall] = (
                str(alert.type) if self._is_alarm(alert) else self.types.get(wall, "")
            )
            if alert.type is AlertType.BLIND:
                self._note_blind(alert.state, wall)
            elif alert.state is not AlertState.RAISED:
                continue
            elif alert.type is AlertType.TECH_SENSOR_LOST:
                self.lost.setdefault(alert.subject or "", wall)
            elif alert.type is AlertType.TECH_SENSOR_SUSPECT:
                self.suspects.append(wall)
        return alarms

    def alone(self, cut: float, until: float) -> float | None:
        alarm = super().alone(cut, until)
        since = self._trial.moves[self._trial.silence(cut)]
        latest = since + CEILINGS[self._stage] * HOUR
        if self._at is not None and (alarm is None or alarm > latest):
            engine = copy.deepcopy(self.engine)
            engine.tick(self._at.plus(max(0.0, latest - self._at.wall)))
            if engine.away_since is not None:
                self.held_away.add(since)
        return alarm

    def still(self, until: float) -> float | None:
        """Living sensors go on to say that they live: a home that falls still is not blind."""
        if not self._living:
            return super().still(until)
        at = self._at
        while at is not None and (at := at.plus(BEACON)).wall <= until:
            for sensor in self._living:
                told = self.engine.step(Observation(0, at, Heard(sensor))).alerts
                if alarms := [alert.at.wall for alert in told if self._is_alarm(alert)]:
                    return alarms[0]
        return None

    def blindness(self, begin: float, end: float) -> float:
        """Share of a time in which the home was told not to be seen."""
        spans = list(self._blind)
        if self._blind_since is not None:  # to the end: nobody ever saw again
            spans.append((self._blind_since, end))
        lost = sum(max(0.0, min(b, end) - max(a, begin)) for a, b in spans)
        return lost / (end - begin) if end > begin else 0.0

    def _note_blind(self, state: AlertState, wall: float) -> None:
        if state is AlertState.RAISED:
            self._blind_since = wall
        elif state is AlertState.CLEARED and self._blind_since is not None:
            self._blind.append((self._blind_since, wall))
            self._blind_since = None


def degraded(truth: Trial, home: Home) -> Trial:
    """The trial of a home from which something was taken: its own silences, and otherwise what is
    true about the untouched one."""
    return structs.replace(trial(home, 0.0), begin=truth.begin, end=truth.end, away=truth.away,
                           outages=truth.outages)  # fmt: skip


def as_beacons(home: Home, dead: frozenset[str], since: float) -> Home:
    """The home with radio sensors that say every five minutes that they live; from wall second
    ``since`` on the ``dead`` say nothing at all."""
    sensors = tuple(
        structs.replace(s, supervision=Supervision.BEACON, interval=BEACON, source="recording")
        for s in home.sensors
    )
    lived = tuple(_with_beats(home, sensors, dead, since))
    return structs.replace(home, sensors=sensors, observations=lived)


def _with_beats(
    home: Home, sensors: tuple[Sensor, ...], dead: frozenset[str], since: float
) -> Iterator[Observation]:
    first = home.observations[0].at
    beat, count = first.boottime, 0
    for observation in home.observations:
        while beat <= observation.at.boottime:
            at = Instant(first.boot, beat, first.wall + beat - first.boottime)
            for sensor in sensors:
                if at.wall < since or sensor.id not in dead:
                    count += 1
                    yield Observation(count, at, Heard(sensor.id))
            beat += BEACON
        what = observation.what
        if isinstance(what, Switched) and what.sensor in dead and observation.at.wall >= since:
            continue
        count += 1
        yield structs.replace(observation, sequence=count)


def half_dead(home: Home, seed: int, *, entrance: bool) -> frozenset[str]:
    """Half of the sensors, by chance; ``entrance`` says whether those at the door are among them
    or go on."""
    chance = Random(f"{seed} {home.name}")
    doors = [s.id for s in home.sensors if s.kind is Kind.ENTRANCE]
    others = [s.id for s in home.sensors if s.kind is not Kind.ENTRANCE]
    chance.shuffle(others)
    those = doors + others if entrance else others
    return frozenset(those[: len(home.sensors) // 2])


def half_lost(home: Home, seed: int, since: float) -> Home:
    """From wall second ``since`` on every other event lost, by chance. Nobody's life ends with it:
    wired sensors are read as alive."""
    chance = Random(f"{seed} {home.name}")
    kept = tuple(o for o in home.observations if o.at.wall < since or chance.random() < 0.5)
    return structs.replace(home, observations=kept)


class _Counted:
    """A network that counts how often it is asked."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.asked = 0

    @property
    def fingerprint(self) -> str:
        return self._predictor.fingerprint

    @property
    def silences(self) -> Silences:
        return self._predictor.silences

    def hazard(self, rows: array[float]) -> Sequence[float]:
        self.asked += 1
        return self._predictor.hazard(rows)


def replayed(predictor: Predictor, plan: Plan) -> Cost:
    """What it costs to replay a generated home; making its rows is not counted."""
    home = generate(plan)
    lived = list(home.observations())
    counted = _Counted(predictor)
    replay = Replay(household_of(home.sensors), counted)
    began = perf_counter()
    for _ in replay.alerts(lived):
        pass
    return Cost(len(lived), perf_counter() - began, counted.asked)
