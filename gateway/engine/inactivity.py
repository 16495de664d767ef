"""When a silence becomes a question and when an alert: the model's times below the ceilings."""

from __future__ import annotations

from gateway.domain.alert import AlertType, Level
from gateway.domain.household import Household
from gateway.domain.sensor import Room
from gateway.engine.alerts import Alerts
from gateway.engine.ceilings import STEPS, due_after, model_after
from gateway.engine.outlook import QUESTION_AFTER, Knobs, outlook
from gateway.engine.predictor import Predictor
from gateway.engine.quiet import WELFARE_BLIND
from gateway.engine.state import State
from gateway.engine.supervision import PROOF

LEARNED_SILENCE = 600.0
"""Seconds: shorter silences teach nothing (the network's grid is ten minutes)."""


class Inactivity:
    """Turns the inactivity clock into alert levels. One silence is one alert that climbs."""

    def __init__(
        self,
        state: State,
        household: Household,
        predictor: Predictor | None,
        alerts: Alerts,
        knobs: Knobs,
    ) -> None:
        self._state = state
        self._household = household
        self._predictor = predictor
        self._alerts = alerts
        self._knobs = knobs

    def activity(self, now: float, room: Room, sensor: str, entrance: bool) -> None:
        """The resident moved: learn from the silence that ended, begin the next."""
        state = self._state
        silence = state.silence
        habits = state.habits
        to_local = state.timeline.wall_offset + self._household.utc_offset * 60.0
        if silence.active and now - silence.since >= LEARNED_SILENCE:
            start = habits.start(silence.since + to_local, silence.room or Room.OTHER)
            habits.silence(start, now + to_local, self._teaches(), silence.outlook)
        habits.event(now + to_local, room, entrance)
        if silence.level:
            self._alerts.stop("inactivity", now, because="activity")
        if self._alerts.holds("welfare"):
            self._alerts.stop("welfare", now, because="activity")
        silence.restart(now, room, sensor)

    def due(self) -> float | None:
        """Engine second of the next question, level or welfare alert."""
        if self._state.presence.since is not None:
            return None
        times = [
            t
            for t in (self._question_due(), self._level_due(), self._welfare_due())
            if t is not None
        ]
        return min(times, default=None)

    def live(self, now: float) -> None:
        """Do what is due now."""
        if self._state.presence.since is not None:
            return
        question = self._question_due()
        if question is not None and question <= now:
            self._ask()
        silence = self._state.silence
        while (due := self._level_due()) is not None and due <= now:
            level, alert_type = STEPS[silence.level]
            seen = silence.seen(now)
            ceiling = self._household.ceilings[level - 1]
            silence.level = int(level)
            # one step of float rounding below the ceiling is still the ceiling's doing
            because = "ceiling" if seen >= ceiling - 1.0 else "model"
            self._raise(now, level, alert_type, because)
        welfare = self._welfare_due()
        if welfare is not None and welfare <= now:
            self._alerts.start("welfare", now, since=welfare)

    def next_question_wall(self) -> float | None:
        """Wall seconds at which level 1 would hold if nobody moved; None if it stands still or
        holds already."""
        if self._state.presence.since is not None or self._state.silence.level:
            return None
        due = self._level_due()
        return None if due is None else due + self._state.timeline.wall_offset

    def _raise(self, now: float, level: Level, alert_type: AlertType, because: str) -> None:
        since = self._state.silence.since
        self._alerts.raise_to("inactivity", now, alert_type, level, because, since=since)

    def _teaches(self) -> bool:
        """Whether this silence may be learned from (T15): not one that reached the centre, nor
        hours that were blind, paused or visited."""
        silence = self._state.silence
        return (
            silence.level < Level.WARNING
            and silence.blind == 0.0
            and silence.paused == 0.0
            and silence.stopped is None
            and not silence.visited
        )

    def _ask(self) -> None:
        state = self._state
        silence = state.silence
        silence.asked = True
        if not silence.active:
            return  # nobody was ever seen here: there is nothing to compare with
        to_local = state.timeline.wall_offset + self._household.utc_offset * 60.0
        start = state.habits.start(silence.since + to_local, silence.room or Room.OTHER)
        silence.outlook = outlook(state.habits, start, self._predictor, self._knobs)

    def _question_due(self) -> float | None:
        silence = self._state.silence
        if silence.asked or silence.level:
            return None
        return silence.reached(QUESTION_AFTER)

    def _level_due(self) -> float | None:
        silence = self._state.silence
        if silence.level >= len(STEPS):
            return None
        level, _ = STEPS[silence.level]
        model = model_after(level, silence.outlook)
        return silence.reached(due_after(level, self._household.ceilings, model))

    def _welfare_due(self) -> float | None:
        """R15: blind for an hour after a quiet time of half the first ceiling; or so long
        without a sign, seen and unseen hours together, that the second ceiling would hold."""
        silence = self._state.silence
        if silence.is_paused or self._alerts.holds("welfare"):
            return None
        times: list[float] = []
        first, second, _ = self._household.ceilings
        if silence.is_blind and silence.stopped is not None:
            if silence.seen(silence.stopped) > first / 2:
                times.append(silence.stopped + WELFARE_BLIND)
            together = silence.since + silence.paused + second
            times.append(max(together, silence.stopped + PROOF))
        elif silence.blind > PROOF and silence.level < Level.WARNING:
            times.append(silence.since + silence.paused + second)
        return min(times, default=None)
