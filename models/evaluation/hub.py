"""The product's own engine as a detector, and whom it lives with: a resident who may answer its
questions, and a centre that closes its alerts.
"""

from __future__ import annotations

import copy
import heapq
from random import Random

from msgspec import Struct, structs

from gateway.domain.alert import Alert, AlertState, AlertType, Level, Outcome
from gateway.domain.decisions import Decisions
from gateway.domain.instant import Instant
from gateway.domain.observation import Answered, AnswerState, CentreAnswered, Observation, What
from gateway.engine.engine import Engine
from gateway.engine.outlook import Knobs
from gateway.engine.predictor import Predictor
from gateway.runtime.replay import household_of
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
    """The hub in a trial's home. ``stage`` 1 counts questions in the home, 2 what the centre is
    told.

    In the untouched stream the resident answers with probability ``answers``, if the home asks
    (None: it does not), and a centre closes every alert with what it was. Who collapsed answers
    nobody.
    """

    def __init__(
        self,
        trial: Trial,
        predictor: Predictor | None,
        stage: Level,
        *,
        knobs: Knobs | None = None,
        answers: float | None = None,
        seed: int = 0,
    ) -> None:
        household = structs.replace(household_of(trial.home.sensors), asks=answers is not None)
        self.engine = Engine(household, predictor, knobs)
        self.questions: list[float] = []
        self.spans: list[tuple[float, float]] = []
        """Absences that the engine believed in, wall seconds."""
        self.seen: list[Alert] = []
        """Every alert of the last step."""
        self._trial = trial
        self._stage = stage
        self._resident = None if answers is None else Resident(trial, answers, seed)
        self._due: float | None = None
        self._at: Instant | None = None
        self.coming: list[tuple[float, int, What]] = []
        self._made = 0
        self._left: float | None = None

    def step(self, observation: Observation) -> list[float]:
        self.seen.clear()
        alarms = self.live(observation.at)
        decisions = self.engine.step(observation)
        self._at = observation.at
        alarms += self._take(decisions)
        self._note_absence(observation.at.wall)
        return alarms

    def alone(self, cut: float, until: float) -> float | None:
        if self._at is None:
            return None
        twin = copy.copy(self)
        twin.engine = copy.deepcopy(self.engine)
        twin.questions, twin.seen, twin.coming = [], [], list(self.coming)
        alarms = twin.live(self._at.plus(cut - self._at.wall))
        return alarms[0] if alarms else twin.still(until)

    def live(self, until: Instant) -> list[float]:
        """Let the resident and the centre answer until a moment. Returns the alarms on the way."""
        alarms: list[float] = []
        while (at := self._next(until)) is not None:
            if self.coming and self.coming[0][0] <= at.boottime:
                _, _, what = heapq.heappop(self.coming)
                decisions = self.engine.step(Observation(0, at, what))
            else:
                decisions = self.engine.tick(at)
            alarms += self._take(decisions)
        return alarms

    def still(self, until: float) -> float | None:
        """The first alarm from here on, while nothing more happens."""
        at = self._at
        while at is not None and self._due is not None:
            moment = at.plus(self._due + HAIR - at.boottime)
            if moment.wall > until:
                return None
            decisions = self.engine.tick(moment)
            if alarms := [alert.at.wall for alert in decisions.alerts if self._is_alarm(alert)]:
                return alarms[0]
            self._due = decisions.due
        return None

    def _next(self, before: Instant) -> Instant | None:
        """The next moment at which something happens before another one."""
        if self._at is None:
            return None
        moments = [self.coming[0][0]] if self.coming else []
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
            away = self._trial.is_out(alert.at.wall)
            outcome = Outcome.FALSE_AWAY if away else Outcome.FALSE_SLEEP
            closing = CentreAnswered(alert.id, AnswerState.CLOSED, "centre", outcome)
            self._later(alert.at.boottime + JUDGED_AFTER, closing)
        elif self._resident is not None and alert.type is AlertType.INACTIVITY_WATCH:
            self.questions.append(alert.at.wall)
            if (after := self._resident.answers(alert.at.wall)) is not None:
                self._later(alert.at.boottime + after, Answered())

    def _later(self, boottime: float, what: What) -> None:
        self._made += 1
        heapq.heappush(self.coming, (boottime, self._made, what))

    def _is_alarm(self, alert: Alert) -> bool:
        return (
            alert.type in SILENT
            and alert.level >= self._stage
            and alert.state in (AlertState.RAISED, AlertState.ESCALATED)
        )
