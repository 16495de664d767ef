"""The product's own engine as a detector, and whom it lives with: a resident who may answer its
questions, and a centre that closes its alerts.
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable
from random import Random

from msgspec import Struct

from gateway.domain.alert import Alert, AlertState, AlertType, Level, Outcome
from gateway.domain.decisions import Decisions
from gateway.domain.household import Household
from gateway.domain.instant import Instant
from gateway.domain.observation import Answered, AnswerState, CentreAnswered, Observation, What
from gateway.engine.engine import Engine
from gateway.engine.outlook import Knobs
from gateway.engine.predictor import Predictor
from models.evaluation.trial import Trial

SILENT = frozenset(
    {
        AlertType.INACTIVITY_WATCH,
        AlertType.INACTIVITY_WARNING,
        AlertType.INACTIVITY_ALARM,
        AlertType.AWAY_TOO_LONG,
        AlertType.WELFARE_UNKNOWN,
    }
)
"""Alerts that say that nobody was seen for too long. A help button, a hazard or a fault is no
false alarm of these."""

JUDGED_AFTER = 1800.0
"""Seconds from a false alarm to the centre's closing it as false [D]."""
HAIR = 1e-3
"""Seconds by which a deadline is looked at late, so that rounding never finds it not yet due. The
engine lives through each deadline at its own time."""
ANSWER_FROM, ANSWER_TO = 30.0, 600.0
"""Seconds that somebody takes to answer [D]."""


class Resident(Struct, frozen=True):
    """Answers a question with the probability ``at_home`` by day, half of it from 23 to 7, and
    never while away: the assumption of docs/detection.md."""

    trial: Trial
    at_home: float
    seed: int

    def answers(self, wall: float) -> float | None:
        """Seconds from a question at wall second ``wall`` to its answer; None for no answer."""
        chance = Random(f"{self.seed} {self.trial.home.name} {wall:.0f}")
        silence = self.trial.silence(wall)
        if silence < 0 or self.trial.is_out(wall):
            return None
        likely = self.at_home / 2.0 if self.trial.is_night(wall) else self.at_home
        if chance.random() >= likely:
            return None
        return chance.uniform(ANSWER_FROM, ANSWER_TO)


class HubDetector:
    """``stage`` 1 counts questions in the home, 2 what the centre is told.

    In the untouched stream the ``resident`` answers, if the home asks, and a centre closes every
    alert with the outcome that ``judge`` finds. Who collapsed answers nobody.
    """

    def __init__(
        self,
        household: Household,
        predictor: Predictor | None,
        stage: Level,
        knobs: Knobs | None = None,
        resident: Resident | None = None,
        judge: Callable[[float], Outcome] = lambda _: Outcome.FALSE_SLEEP,
    ) -> None:
        self.engine = Engine(household, predictor, knobs)
        self.questions: list[float] = []
        self.spans: list[tuple[float, float]] = []
        """Absences that the engine believed in, wall seconds."""
        self.seen: list[Alert] = []
        """Every alert of the last step."""
        self._stage = stage
        self._resident = resident
        self._judge = judge
        self._due: float | None = None
        self._at: Instant | None = None
        self._coming: list[tuple[float, int, What]] = []
        self._made = 0
        self._left: float | None = None

    def step(self, observation: Observation) -> list[float]:
        alarms: list[float] = []
        self.seen.clear()
        while (at := self._next(observation.at)) is not None:
            if self._coming and self._coming[0][0] <= at.boottime:
                _, _, what = heapq.heappop(self._coming)
                decisions = self.engine.step(Observation(0, at, what))
            else:
                decisions = self.engine.tick(at)
            alarms += self._take(decisions)
        decisions = self.engine.step(observation)
        self._at = observation.at
        alarms += self._take(decisions)
        self._note_absence(observation.at.wall)
        return alarms

    def alone(self, until: float) -> float | None:
        engine, at, due = copy.deepcopy(self.engine), self._at, self._due
        while at is not None and due is not None:
            moment = at.plus(due + HAIR - at.boottime)
            if moment.wall > until:
                return None
            decisions = engine.tick(moment)
            if alarms := [alert.at.wall for alert in decisions.alerts if self._is_alarm(alert)]:
                return alarms[0]
            due = decisions.due
        return None

    def _next(self, before: Instant) -> Instant | None:
        """The next moment at which something happens before an observation."""
        if self._at is None:
            return None
        moments = [self._coming[0][0]] if self._coming else []
        if self._resident is not None and self._due is not None:
            moments.append(self._due)
        soonest = min(moments, default=before.boottime) + HAIR
        return before.plus(soonest - before.boottime) if soonest < before.boottime else None

    def _take(self, decisions: Decisions) -> list[float]:
        self._due = decisions.due
        self.seen += decisions.alerts
        alarms = []
        for alert in decisions.alerts:
            if self._is_alarm(alert):
                alarms.append(alert.at.wall)
            if alert.type is AlertType.AWAY and alert.state is AlertState.RAISED:
                last = alert.quiet.last_activity
                self._left = alert.at.wall if last is None else last.wall
            self._react(alert)
        return alarms

    def _note_absence(self, wall: float) -> None:
        if self._left is not None and self.engine.away_since is None:
            self.spans.append((self._left, wall))
            self._left = None

    def _react(self, alert: Alert) -> None:
        if alert.type not in SILENT or alert.state not in (
            AlertState.RAISED,
            AlertState.ESCALATED,
        ):
            return
        if alert.level >= Level.WARNING:
            outcome = self._judge(alert.at.wall)
            closing = CentreAnswered(alert.id, AnswerState.CLOSED, "centre", outcome)
            self._later(alert.at.boottime + JUDGED_AFTER, closing)
        elif self._resident is not None and alert.type is AlertType.INACTIVITY_WATCH:
            self.questions.append(alert.at.wall)
            if (after := self._resident.answers(alert.at.wall)) is not None:
                self._later(alert.at.boottime + after, Answered())

    def _later(self, boottime: float, what: What) -> None:
        self._made += 1
        heapq.heappush(self._coming, (boottime, self._made, what))

    def _is_alarm(self, alert: Alert) -> bool:
        return (
            alert.type in SILENT
            and alert.level >= self._stage
            and alert.state in (AlertState.RAISED, AlertState.ESCALATED)
        )
