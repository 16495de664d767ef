"""The engine: one observation or one moment in, decisions out, in the order of engine time.

Its state is a function of the observations and of the last moment only. A tick does nothing but
live through every deadline up to that moment, each at its own time; so it never matters how often
anybody ticks, and replaying the journal's observations rebuilds the same engine.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.domain.alert import Alert, Explanation, Quiet
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.errors import SnapshotError
from gateway.domain.health import Watch
from gateway.domain.household import Household
from gateway.domain.instant import Instant
from gateway.domain.moment import Moment
from gateway.domain.observation import Observation
from gateway.engine.alerts import Alerts, Context
from gateway.engine.explain import Explainer
from gateway.engine.household_rules import FAMILIES
from gateway.engine.inactivity import Inactivity
from gateway.engine.intake import SUMMARY, Intake
from gateway.engine.ladders import fault_family, ladders
from gateway.engine.outlook import Knobs
from gateway.engine.predictor import Predictor
from gateway.engine.state import FORMAT, State
from gateway.engine.supervision import Supervisor

LEAST_STEP = 1.0
"""Seconds by which time moves on where rounding would make a deadline due again at once."""


class Engine:
    """Decides. Pure: time comes with the observations, and nothing here asks for it.

    ``predictor`` may be None: own history and ceilings then decide alone.
    """

    def __init__(
        self,
        household: Household,
        predictor: Predictor | None = None,
        knobs: Knobs | None = None,
        *,
        state: State | None = None,
    ) -> None:
        self.household = household
        self._predictor = predictor
        self._knobs = Knobs() if knobs is None else knobs
        self._state = state = State() if state is None else state
        self._alerts_out: list[Alert] = []
        self._summaries_out: list[Summary] = []
        self._supervisor = Supervisor(state.senses, household)
        self._alerts = Alerts(
            state.book,
            household.hub,
            ladders(household.limits),
            self._context,
            self._alerts_out.append,
            self._days_left,
            self._explain,
        )
        self._inactivity = Inactivity(
            state, household, predictor, self._alerts, self._knobs, self._unseeing
        )
        self._explainer = Explainer(
            state, household, self._supervisor, self._inactivity, predictor, self._suspect
        )
        self._intake = Intake(state, household, self._supervisor, self._alerts, self._inactivity)
        self._watch_exit = self._intake.has_entrance
        self._due: float | None = None
        if state.started:
            self._adopt()

    # -- the way in ------------------------------------------------------------------------------

    def step(self, observation: Observation) -> Decisions:
        """Live through what was due before this observation, then take it in."""
        state = self._state
        instant = observation.at
        if not state.started:
            self._begin(instant)
        if instant.boot != state.timeline.boot:
            now = self._intake.reboot(observation, self._advance)
        else:
            now = state.timeline.at(instant)
            if self._due is not None and now >= self._due:
                self._advance(now)  # by the clock as it was known then, as the ticks did
            missing = state.timeline.observe(instant)
            if missing:
                self._intake.slept(missing)
        if self._due is not None and now >= self._due:
            self._advance(now)
        state.now = max(state.now, now)
        if self._intake.take(observation, state.now):
            self._live(state.now)
            self._due = self._next_due()
        elif (end := self._intake.summary_due()) is not None:
            self._due = end if self._due is None else min(self._due, end)
        return self._decisions()

    def tick(self, instant: Instant) -> Decisions:
        """Live through everything that is due up to this moment of the present boot."""
        state = self._state
        if not state.started or instant.boot != state.timeline.boot:
            return self._decisions()
        now = state.timeline.at(instant)
        self._advance(now)
        state.now = max(state.now, now)
        return self._decisions()

    # -- what it can say -------------------------------------------------------------------------

    def watch(self, instant: Instant) -> Watch:
        """What can honestly be said about the watch at this moment."""
        state = self._state
        silence = state.silence
        wall = state.timeline.wall_offset
        now = self._now(instant)
        reasons = []
        if not state.started:
            reasons.append("starting")
        if silence.is_blind:
            reasons.append("blind")
        if silence.is_paused:
            reasons.append("paused")
        return Watch(
            watching=not reasons,
            reasons=tuple(reasons),
            last_activity_wall=silence.since + wall if silence.active else None,
            silence=now - silence.since if silence.active else None,
            covered=silence.seen(now) if silence.active else None,
            away=state.presence.since is not None,
            paused_until_wall=None if state.paused_until is None else state.paused_until + wall,
            visit=None if state.visit is None else state.visit.role,
            sensors=self._supervisor.states(),
            open_alerts=len(self._alerts.open_alerts()),
            next_question_wall=self._inactivity.next_question_wall(),
        )

    def explain(self, instant: Instant) -> Moment:
        """What is believed at this moment, and what would come of it (R23). Tick up to it first:
        nothing is lived through here."""
        now = self._now(instant)
        context = self._context(now)
        return self._explainer.moment(now, context.quiet, context.away, self.open_alerts())

    def open_alerts(self) -> list[Alert]:
        """The last version of every alert that still wants something."""
        return self._alerts.open_alerts()

    @property
    def away_since(self) -> float | None:
        """Wall second since which the resident is held to be away; None at home."""
        since = self._state.presence.since
        return None if since is None else since + self._state.timeline.wall_offset

    @property
    def ignored(self) -> int:
        """Readings of sensors that this home does not have."""
        return self._state.ignored

    # -- what survives ---------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole state as JSON: a cache of what the journal's observations would rebuild."""
        return msgspec.json.encode(self._state)

    @classmethod
    def restore(
        cls,
        household: Household,
        predictor: Predictor | None,
        snapshot: bytes,
        knobs: Knobs | None = None,
    ) -> Engine:
        """An engine that goes on from a snapshot of the same home.

        Sensors may have been added or taken away since. To rebuild the engine from the journal
        with the new list would be to live a life that never was: alerts that were told and closed
        would come back under other ids.

        Raises ``SnapshotError`` if it is damaged or of another format: rebuild from the journal.
        """
        try:
            state = msgspec.json.decode(snapshot, type=State)
        except msgspec.DecodeError as error:
            raise SnapshotError(
                "The engine's snapshot is damaged; rebuild it from the journal."
            ) from error
        if state.format != FORMAT:
            raise SnapshotError("The snapshot is of another version; rebuild it from the journal.")
        return cls(household, predictor, knobs, state=state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Engine:
        """A second engine in the same state; household and network are shared, they are fixed."""
        state = msgspec.json.decode(msgspec.json.encode(self._state), type=State)
        return Engine(self.household, self._predictor, self._knobs, state=state)

    def _adopt(self) -> None:
        """Sensors that came are watched from now on; what was about those that went is over."""
        state = self._state
        for gone in self._supervisor.adopt(state.now):
            state.rules.forget(gone)
            state.comparison.forget(gone)
            state.routine.forget(gone)
            state.drift.forget(gone)
            state.batteries.pop(gone, None)
            state.presence.seat(gone, taken=False)
            for condition in list(state.book.conditions.values()):
                if condition.subject == gone:
                    self._alerts.stop(condition.family, state.now, subject=gone, because="removed")
        kinds = {sensor.id: sensor.kind for sensor in self.household.sensors}
        for sensor, fault in self._supervisor.outdated():
            family = fault_family(fault, kinds[sensor])
            self._alerts.stop(family, state.now, subject=sensor, because="moved")
        self._due = self._next_due()

    # -- living through time ---------------------------------------------------------------------

    def _begin(self, instant: Instant) -> None:
        state = self._state
        state.now = state.timeline.begin(instant)
        state.started = True
        state.silence.since = state.rules.start = state.now
        if self._watch_exit:
            state.rules.exit = state.now
        state.routine.begin(instant.wall + self.household.utc_offset * 60.0)
        self._supervisor.begin(state.now)
        self._due = self._next_due()

    def _advance(self, now: float) -> None:
        state = self._state
        while self._due is not None and self._due <= now:
            moment = max(self._due, state.now)
            state.now = moment
            self._live(moment)
            self._due = self._next_due()
            if self._due is not None and self._due <= moment:
                self._due = moment + LEAST_STEP

    def _live(self, now: float) -> None:
        """Everything that may be due now, in a fixed order: first what is known about the
        senses, then about the home, last what follows from it."""
        state = self._state
        lost, found = self._supervisor.judge(now)
        for sensor in lost:
            self._alerts.start("lost", now, subject=sensor)
        for sensor in found:
            self._alerts.stop("lost", now, subject=sensor, because="heard")
        if lost or found:
            self._inactivity.sensors_changed()
        self._intake.judge_blindness(now)
        self._intake.end_overdue(now)
        if (away := state.presence.due()) is not None and away <= now and not self._standing():
            self._alerts.start("away", now, since=state.presence.leave())
        held = state.rules.holding(now, self.household.limits, self._watch_exit)
        for family, subject in sorted(held):
            self._alerts.start(family, now, subject=subject)
        for condition in list(state.book.conditions.values()):
            key = (condition.family, condition.subject)
            if condition.family in FAMILIES and key not in held:
                self._alerts.stop(condition.family, now, subject=condition.subject, because="over")
        self._inactivity.live(now)
        self._alerts.climb(now)
        self._inactivity.note_absence()
        counting = state.counting
        if counting.events and now >= counting.start + SUMMARY:
            self._summaries_out.append(
                Summary(
                    start=round(counting.start + state.timeline.wall_offset, 3),
                    seconds=SUMMARY,
                    events=counting.events,
                    away=state.presence.since is not None,
                    blind=state.silence.is_blind,
                )
            )
            counting.events = {}

    def _unseeing(self) -> tuple[str, ...]:
        """Sensors that see no more of the home's life: lost, or found silent by comparison."""
        return tuple(dict.fromkeys((*self._supervisor.lost(), *self._state.comparison.silent())))

    def _suspect(self) -> tuple[str, ...]:
        """Sensors that are not proven sound: also those that are stale, or fire without end."""
        comparison = self._state.comparison
        found = (*self._supervisor.suspect(), *comparison.silent(), *comparison.busy)
        return tuple(dict.fromkeys(found))

    def _days_left(self, sensor: str, now: float) -> int | None:
        battery = self._state.batteries.get(sensor)
        return None if battery is None else battery.days_left(now)

    def _standing(self) -> bool:
        """Whether an absence cannot be told: the home is not seen, or the watch is paused."""
        return self._state.silence.stopped is not None

    def _next_due(self) -> float | None:
        state = self._state
        now = state.now
        away = None if self._standing() else state.presence.due()
        times = (
            self._supervisor.due(now),
            self._intake.due(),
            away,
            state.rules.due(now, self.household.limits, self._watch_exit),
            self._inactivity.due(),
            self._alerts.due(),
            self._intake.summary_due(),
        )
        return min((t for t in times if t is not None), default=None)

    def _now(self, instant: Instant) -> float:
        """Engine second of a moment; one of another boot is not later than what was lived."""
        state = self._state
        same_boot = state.started and instant.boot == state.timeline.boot
        return max(state.now, state.timeline.at(instant)) if same_boot else state.now

    def _explain(self, alert: Alert, now: float) -> Explanation | None:
        return self._explainer.of(alert, now)

    def _context(self, now: float) -> Context:
        state = self._state
        silence = state.silence
        timeline = state.timeline
        return Context(
            instant=timeline.instant(now),
            quiet=Quiet(
                last_activity=timeline.instant(silence.since) if silence.active else None,
                room=silence.room,
                sensor=silence.sensor,
                silence=now - silence.since,
                covered=silence.seen(now),
            ),
            suspect=self._supervisor.suspect(),
            away=state.presence.since is not None if self._watch_exit else None,
        )

    def _decisions(self) -> Decisions:
        state = self._state
        due = None if self._due is None else self._due - state.timeline.offset
        if not self._alerts_out and not self._summaries_out:
            return Decisions(due=due)
        decisions = Decisions(tuple(self._alerts_out), tuple(self._summaries_out), due)
        self._alerts_out.clear()
        self._summaries_out.clear()
        return decisions
