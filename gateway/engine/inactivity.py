"""When a silence becomes a question and when an alert: the model's times below the ceilings."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gateway.domain.alert import AlertType, Level, Outcome
from gateway.domain.household import Household
from gateway.domain.instant import DAY
from gateway.domain.sensor import Room
from gateway.engine.alerts import Alerts
from gateway.engine.asking import ANSWER_WITHIN, unanswered_after
from gateway.engine.ceilings import STEPS, again_after, due_after, model_after
from gateway.engine.control import End
from gateway.engine.habits import Habits, SilenceStart
from gateway.engine.outlook import QUESTION_AFTER, Knobs, Outlook, outlook
from gateway.engine.predictor import Predictor
from gateway.engine.quiet import WELFARE_BLIND
from gateway.engine.sight import sight
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
        unseeing: Callable[[], Collection[str]],
    ) -> None:
        """``unseeing`` names the sensors that see no more of the home's life."""
        self._unseeing = unseeing
        self._state = state
        self._household = household
        self._predictor = predictor
        self._alerts = alerts
        self._knobs = knobs

    def activity(self, now: float, room: Room, sensor: str, entrance: bool) -> None:
        """The resident moved: learn from the silence that ended, begin the next."""
        state = self._state
        silence = state.silence
        if silence.active and now - silence.began >= LEARNED_SILENCE:
            self._learn(now)
        state.habits.event(now + self._to_local, room, entrance)
        if silence.level:
            self._alerts.stop("inactivity", now, because="activity")
        if self._alerts.holds("welfare"):
            self._alerts.stop("welfare", now, because="activity")
        silence.restart(now, room, sensor)
        self._turn(now)

    def answered(self, now: float) -> None:
        """The resident said that all is well; the silence may well go on."""
        silence = self._state.silence
        self._learn_answer(now)
        self._alerts.stop("inactivity", now, because="answered")
        self._alerts.stop("welfare", now, because="answered")
        silence.answered(now)

    def judged(self, alert: str, outcome: Outcome | None, now: float) -> None:
        """The centre closed an alert, of an earlier silence or of the present one."""
        silence = self._state.silence
        if alert == silence.told:
            silence.closed, silence.outcome = silence.seen(now), outcome
        else:
            self._judge(alert, outcome)

    def due(self) -> float | None:
        """Engine second of the next question, level or welfare alert."""
        times = (
            (self._foresight_due(), self._away_due())
            if self._is_away
            else (self._foresight_due(), self._level_due(), self._welfare_due())
        )
        return min((t for t in times if t is not None), default=None)

    def live(self, now: float) -> None:
        """Do what is due now."""
        foresight = self._foresight_due()
        if foresight is not None and foresight <= now:
            self._foresee()
        silence = self._state.silence
        if self._is_away:
            while (due := self._away_due()) is not None and due <= now:
                level, _ = STEPS[silence.level]
                silence.level = int(level)
                since = self._state.presence.since or silence.since
                self._alerts.raise_to(
                    "away", now, AlertType.AWAY_TOO_LONG, level, "model", since=since
                )
                self._note_told(level, "away")
            return
        while (due := self._level_due()) is not None and due <= now:
            level, alert_type = STEPS[min(silence.level, len(STEPS) - 1)]
            because = self._because(level, silence.seen(now))
            silence.level = int(level)
            if level is Level.WATCH and self._household.asks:
                silence.question = silence.seen(now)
                silence.asked = now + self._to_local
            since = silence.since
            self._alerts.raise_to("inactivity", now, alert_type, level, because, since=since)
            self._note_told(level, "inactivity")
        welfare = self._welfare_due()
        if welfare is not None and welfare <= now:
            self._alerts.start("welfare", now, since=welfare)

    def sensors_changed(self) -> None:
        """A sensor was lost or found again: the present silence looks different."""
        self._state.silence.foreseen = False

    def note_absence(self) -> None:
        """An absence may have reached the centre by its fixed limit: then it teaches nothing."""
        if self._is_away:
            self._note_told(self._alerts.level_of("away"), "away")

    def next_question_wall(self) -> float | None:
        """Wall seconds at which level 1 would hold if nobody moved; None if it stands still or
        holds already."""
        if self._state.presence.since is not None or self._state.silence.level:
            return None
        due = self._level_due()
        return None if due is None else due + self._state.timeline.wall_offset

    @property
    def _is_away(self) -> bool:
        return self._state.presence.since is not None

    @property
    def _to_local(self) -> float:
        """Local seconds of engine second 0."""
        return self._state.timeline.wall_offset + self._household.utc_offset * 60.0

    def start(self) -> SilenceStart:
        """How the present silence began."""
        silence = self._state.silence
        return self._state.habits.start(
            silence.began + self._to_local,
            silence.room or Room.OTHER,
            bool(self._state.presence.seats),
        )

    def _because(self, level: Level, seen: float) -> str:
        # one step of float rounding below the ceiling is still the ceiling's doing
        if seen >= self._household.ceilings[level - 1] - 1.0:
            return "ceiling"
        unanswered = self._unanswered_at()
        if level is Level.WARNING and unanswered is not None and seen >= unanswered - 1.0:
            return "unanswered"
        return "model"

    def _unanswered_at(self) -> float | None:
        """Seconds of seen silence at which an open question becomes the centre's."""
        silence = self._state.silence
        return unanswered_after(silence.question, silence.outlook)

    def _learn(self, now: float) -> None:
        """What the silence that just ended says about the home (T15: not one that reached the
        centre, nor hours that were blind, paused or visited), and about its knobs and answers."""
        state = self._state
        silence = state.silence
        start = self.start()
        spoilt = silence.is_spoilt
        first = silence.first or silence.outlook
        state.habits.silence(
            start, now + self._to_local, not spoilt and silence.told is None, first
        )
        if spoilt:
            return
        self._learn_answer(now)
        if silence.told is not None:
            state.habits.absence(start, now + self._to_local, silence.told)
        if first is not None:
            length = now - silence.began
            ask = first.asking.knob_within(length)
            end = End(
                day=int((now + self._to_local) // DAY),
                ask=ask,
                tell=first.telling.knob_within(length),
                cost=1.0 - state.asking.chance(silence.asked or now + self._to_local),
                door=start.at_door,
            )
            state.control.ended(end, silence.told)
        if silence.told is not None and silence.closed is not None:
            self._judge(silence.told, silence.outcome)

    def _judge(self, alert: str, outcome: Outcome | None) -> None:
        """What the centre found teaches the knobs, and an absence the habits."""
        self._state.control.judged(alert, outcome)
        if outcome is Outcome.FALSE_AWAY:
            self._state.habits.was_away(alert)

    def _learn_answer(self, now: float) -> None:
        """Somebody is well: the open question was answered in time, or not."""
        silence = self._state.silence
        if silence.question is not None:
            answered = silence.seen(now) < silence.question + ANSWER_WITHIN
            self._state.asking.learn(silence.asked, answered=answered)

    def _note_told(self, level: Level, family: str) -> None:
        if level >= Level.WARNING:
            self._state.silence.tell(self._alerts.id_of(family))

    def _turn(self, now: float) -> None:
        """Once a day: fade what is known of answers, move the knobs a little."""
        state = self._state
        day = int((now + self._to_local) // DAY)
        if day != state.control.day:
            state.asking.turn(1)
            state.control.turn(day, self._knobs, self._household.asks)

    def _foresee(self) -> None:
        state = self._state
        silence = state.silence
        silence.foreseen = True
        if not silence.active:
            return  # nobody was ever seen here: there is nothing to compare with
        silence.outlook = self.foresight(state.habits, silence.since - silence.began)
        if silence.first is None:
            silence.first = silence.outlook

    def foresight(self, habits: Habits, known: float = 0.0) -> Outlook:
        """What is to be expected of the present silence, with this home's own knobs. ``known``
        seconds into it the resident answered."""
        state = self._state
        start = self.start()
        return outlook(
            habits,
            start,
            self._predictor,
            state.control.turned(self._knobs, start.at_door),
            state.asking if self._household.asks else None,
            known,
            sight(state.comparison, self._unseeing(), state.silence.began),
        )

    def _foresight_due(self) -> float | None:
        silence = self._state.silence
        if silence.foreseen or silence.level:
            return None
        return silence.reached(QUESTION_AFTER)

    def _away_due(self) -> float | None:
        """When an absence lasts so long that somebody may lie at the door after all. An empty
        home is not asked."""
        silence = self._state.silence
        if silence.outlook is None or silence.level >= Level.WARNING:
            return None
        asks = silence.level < Level.WATCH and not self._household.asks
        after = silence.outlook.ask_after if asks else silence.outlook.tell_after
        return None if after is None else silence.reached(after)

    def _level_due(self) -> float | None:
        silence = self._state.silence
        if silence.level >= len(STEPS):
            again = again_after(silence.closed, self._household.ceilings)
            return None if again is None else silence.reached(again)
        level, _ = STEPS[silence.level]
        model = model_after(level, silence.outlook)
        unanswered = self._unanswered_at()
        if level is Level.WARNING and unanswered is not None:
            model = unanswered if model is None else min(model, unanswered)
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
