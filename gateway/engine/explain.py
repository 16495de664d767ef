"""Why there is an inactivity alert, and what the engine believes at any moment (R23).

"Usual" is the survival curve of silences of at least 20 minutes that began like this one: at this
hour, in this room, lately (docs/detection.md), on days like this one. For the last the home's own
silences of weekends are left out on weekdays and the other way round; the network knows the weekend
by itself. The alert was decided on the curve of all days, so the two may differ a little.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.domain.alert import Alert, AlertType, Doubt, Explanation, Level, Quiet
from gateway.domain.household import Household
from gateway.domain.instant import DAY
from gateway.domain.moment import Belief, Moment, Step
from gateway.domain.sensor import Kind
from gateway.engine.asking import unanswered_after
from gateway.engine.ceilings import STEPS, due_after, model_after
from gateway.engine.habits import LEARNING_DAYS, SilenceStart
from gateway.engine.inactivity import Inactivity
from gateway.engine.ladders import ladders
from gateway.engine.outlook import Outlook
from gateway.engine.predictor import Predictor
from gateway.engine.state import State
from gateway.engine.supervision import Supervisor

EXPLAINED = frozenset(
    {
        AlertType.INACTIVITY_WATCH,
        AlertType.INACTIVITY_WARNING,
        AlertType.INACTIVITY_ALARM,
        AlertType.AWAY_TOO_LONG,
        AlertType.WELFARE_UNKNOWN,
    }
)
"""Alerts about somebody of whom nothing is seen."""

NAMED_MOST = 16
"""Silent sensors that are named; a home has about ten. It bounds what an alert costs on the card."""

CEILING, RULE, UNANSWERED = "ceiling", "rule", "unanswered"


class Explainer:
    """Reads the engine's state and changes nothing in it."""

    def __init__(
        self,
        state: State,
        household: Household,
        supervisor: Supervisor,
        inactivity: Inactivity,
        predictor: Predictor | None,
        suspect: Callable[[], tuple[str, ...]],
    ) -> None:
        self._suspect = suspect
        self._state = state
        self._household = household
        self._supervisor = supervisor
        self._inactivity = inactivity
        self._predictor = predictor
        self._entrances = [s.id for s in household.sensors if s.kind is Kind.ENTRANCE]

    def of(self, alert: Alert, now: float) -> Explanation | None:
        """The explanation of an alert's new version; None where there is nothing to explain, also
        when it is over: what is seen then is another silence."""
        if alert.type not in EXPLAINED or not alert.cause:
            return None
        before = RULE if alert.explanation is None else alert.explanation.by
        said = self._state.silence.outlook
        by = before
        if alert.because == "model":
            by = CEILING if said is None else said.by
        elif alert.because in (CEILING, UNANSWERED):
            by = alert.because
        return self._explanation(now, by)

    def moment(self, now: float, quiet: Quiet, away: bool | None, open_: list[Alert]) -> Moment:
        """What is believed at engine second ``now``, until which everything was lived through."""
        silent = self._state.silence
        by = next((a.explanation.by for a in open_ if a.explanation is not None), "")
        if not self._state.started:
            belief = Belief.STARTING
        elif silent.is_paused:
            belief = Belief.PAUSED
        elif silent.is_blind:
            belief = Belief.BLIND
        else:
            belief = Belief.HOME if self._state.presence.since is None else Belief.AWAY
        return Moment(
            at=self._state.timeline.instant(now),
            belief=belief,
            away=away,
            quiet=quiet,
            explanation=self._explanation(now, by),
            steps=tuple(self._steps(now)),
            suspect=self._suspect(),
            open_alerts=tuple(open_),
        )

    # -- the facts -------------------------------------------------------------------------------

    def _explanation(self, now: float, by: str) -> Explanation:
        state = self._state
        suspect = self._suspect()
        silent = [s for s in self._supervisor.proven(now) if s not in suspect]
        start = self._start()
        usual = None if start is None else self._usual(start)
        door_open = self._door_open(now, suspect)
        return Explanation(
            by=by,
            usual_p50=None if usual is None else usual.usual_p50,
            usual_p95=None if usual is None else usual.usual_p95,
            weekend=None if start is None else is_weekend(start.local),
            days=state.habits.seen,
            silent=tuple(silent[:NAMED_MOST]),
            more_silent=max(0, len(silent) - NAMED_MOST),
            door_used=self._door_used(now),
            door_open=door_open,
            at_door=state.presence.at_door if self._entrances else None,
            doubts=tuple(self._doubts(now, bool(suspect), bool(door_open), usual)),
        )

    def _doubts(
        self, now: float, suspect: bool, door_open: bool, usual: Outlook | None
    ) -> list[Doubt]:
        state = self._state
        silence = state.silence
        found = {
            Doubt.SUSPECT_SENSORS: suspect,
            Doubt.AT_DOOR: state.presence.at_door,
            Doubt.DOOR_OPEN: door_open,
            Doubt.NO_DOOR_SENSOR: not self._entrances,
            Doubt.LITTLE_HISTORY: state.habits.seen < LEARNING_DAYS,
            Doubt.NO_MODEL: self._predictor is None or (usual is not None and not usual.hazards),
            Doubt.PART_BLIND: silence.blind_seconds(now) > 0.0,
            Doubt.PART_PAUSED: silence.paused > 0.0 or silence.is_paused,
            Doubt.VISITED: silence.visited,
            Doubt.CLOCK_UNSURE: not state.timeline.synced,
            Doubt.NEVER_SEEN: not silence.active,
        }
        return [doubt for doubt, holds in found.items() if holds]

    def _door_used(self, now: float) -> float | None:
        """Reckoned from the silence: that is corrected when a reboot turns out to be longer."""
        presence = self._state.presence
        if presence.entrance is None:
            return None
        if presence.activity is None or presence.entrance > presence.activity:
            return max(0.0, now - presence.entrance)
        return now - self._state.silence.since + presence.activity - presence.entrance

    def _door_open(self, now: float, suspect: tuple[str, ...]) -> bool | None:
        rules = self._state.rules
        sound = [s for s in self._entrances if s not in suspect and not rules.misread(s, now)]
        return any(s in rules.doors for s in sound) if sound else None

    def _start(self) -> SilenceStart | None:
        """How this silence began; None if nobody was ever seen."""
        silence = self._state.silence
        if not silence.active:
            return None
        return self._inactivity.start()

    def _usual(self, start: SilenceStart) -> Outlook:
        habits = self._state.habits
        weekend = is_weekend(start.local)
        same = [gap for gap in habits.gaps if is_weekend(gap.start * 60.0) is weekend]
        habits = msgspec.structs.replace(habits, gaps=same)
        return self._inactivity.foresight(habits)

    # -- what would come -------------------------------------------------------------------------

    def _steps(self, now: float) -> list[Step]:
        presence, silence = self._state.presence, self._state.silence
        leaving = presence.due() if silence.stopped is None else None
        if presence.since is not None or leaving is not None:
            return self._absence(now, leaving)
        if silence.stopped is not None:
            due = self._inactivity.due()  # while the clock stands only welfare is due
            if due is None:
                return []
            after = due - silence.since
            return [self._step(Level.ALARM, AlertType.WELFARE_UNKNOWN, due, after, RULE)]
        return self._levels()

    def _levels(self) -> list[Step]:
        """The levels of a silence that goes on. One that is shorter than the network's hour is
        given the outlook that it would have then: nothing but time goes into it until that."""
        silence = self._state.silence
        said = self._said()
        question = silence.question
        steps: list[Step] = []
        before = 0.0
        for level, alert_type in STEPS:
            ceiling = self._household.ceilings[level - 1]
            after = due_after(level, self._household.ceilings, model_after(level, said))
            by = CEILING if said is None or after >= ceiling else said.by
            unanswered = unanswered_after(question, said)
            if level is Level.WARNING and unanswered is not None and unanswered < after:
                after, by = unanswered, UNANSWERED
            after = max(after, before)  # one level after the other
            at = None if level <= silence.level else silence.reached(after)
            steps.append(self._step(level, alert_type, at, after, by))
            before = after
            if level is Level.WATCH and self._household.asks and question is None:
                question = after
        return steps

    def _said(self) -> Outlook | None:
        """The outlook of the present silence, or the one that it would have in its first hour."""
        silence = self._state.silence
        if silence.outlook is not None or silence.foreseen or silence.level:
            return silence.outlook
        if self._start() is None:
            return None
        return self._inactivity.foresight(self._state.habits, silence.since - silence.began)

    def _absence(self, now: float, leaving: float | None) -> list[Step]:
        """The rungs of an absence that holds, or would be believed in at ``leaving``; the model
        may put the long ones earlier."""
        presence, silence = self._state.presence, self._state.silence
        since = presence.activity if leaving is not None else presence.since
        said = self._said()
        steps = []
        for limit, alert_type, level in ladders(self._household.limits)["away"]:
            at: float | None = max((since or 0.0) + limit, leaving or 0.0)
            after, by = limit, RULE
            asked = level is Level.WATCH and self._household.asks
            sooner = None if asked or level is Level.NOTE else model_after(level, said)
            due = None if sooner is None else silence.reached(sooner)
            if said is not None and sooner is not None and due is not None and due < (at or due):
                after, at, by = sooner, due, said.by
            if leaving is None and at is not None and at <= now:
                at = None
            steps.append(self._step(level, alert_type, at, after, by))
        return steps

    def _step(
        self, level: Level, alert_type: AlertType, at: float | None, after: float, by: str
    ) -> Step:
        instant = None if at is None else self._state.timeline.instant(at)
        return Step(level, alert_type, instant, after, by)


def is_weekend(local: float) -> bool:
    """Whether a local second lies on a Saturday or Sunday (day 0 is a Thursday)."""
    return (int(local // DAY) + 3) % 7 >= 5
