"""What each kind of observation does to the state. One method a kind, found by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.domain.health import SensorState
from gateway.domain.household import Household
from gateway.domain.instant import HOUR
from gateway.domain.observation import (
    Answered,
    AnswerState,
    Booted,
    CentreAnswered,
    Heard,
    HubFault,
    Measured,
    Observation,
    PauseEnded,
    PauseStarted,
    Pressed,
    Quantity,
    SensorFault,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
)
from gateway.domain.sensor import HAZARD_KINDS, Kind, Room
from gateway.engine.alerts import Alerts
from gateway.engine.batteries import Battery
from gateway.engine.comparing import Comparer
from gateway.engine.days import Days
from gateway.engine.evidence import is_activity
from gateway.engine.inactivity import Inactivity
from gateway.engine.ladders import PART_FAULTS, SENSOR_FAULTS, fault_family
from gateway.engine.state import State, Visit
from gateway.engine.supervision import DEAF_GRACE, PROOF, Supervisor

SUMMARY = 600.0
"""Seconds of one summary (requirements, section 6: telemetry is batched for ten minutes)."""

VISIT_LONGEST = 1 * HOUR
"""A visit that nobody checked out of ends by itself (R35)."""

VISITOR_LEAVES = 5 * 60.0
"""Seconds after a check-out in which the entrance is still the visitor's [D]."""

PAUSE_LONGEST = 24 * HOUR
"""A pause ends by itself at the latest after this (R34)."""


class Intake:
    """Takes observations in. ``take`` says whether deadlines may have come nearer."""

    def __init__(
        self,
        state: State,
        household: Household,
        supervisor: Supervisor,
        alerts: Alerts,
        inactivity: Inactivity,
    ) -> None:
        self._state = state
        self._sensors = {sensor.id: sensor for sensor in household.sensors}
        self._limits = household.limits
        self._supervisor = supervisor
        self._alerts = alerts
        self._inactivity = inactivity
        self._comparer = Comparer(state.comparison, supervisor.suspect)
        self._days = Days(state, household, supervisor, alerts)
        self.has_entrance = any(s.kind is Kind.ENTRANCE for s in household.sensors)
        self._takers: dict[type, Callable[[Any, float], bool]] = {
            Switched: self._switched,
            Heard: self._heard,
            Pressed: self._pressed,
            Measured: self._measured,
            SensorFault: self._sensor_fault,
            SourceChanged: self._source,
            HubFault: self._fault,
            PauseStarted: self._pause,
            PauseEnded: self._resume,
            VisitStarted: self._check_in,
            VisitEnded: self._check_out,
            Answered: self._answers,
            CentreAnswered: self._answered,
        }

    def take(self, observation: Observation, now: float) -> bool:
        """Take one observation in at engine second ``now``. Returns True if deadlines may have
        come nearer: an ordinary motion only puts them off."""
        taker = self._takers.get(type(observation.what))
        return True if taker is None else taker(observation.what, now)

    # -- time that went by without the engine ----------------------------------------------------

    def reboot(self, observation: Observation, advance: Callable[[float], None]) -> float:
        """Another boot, or another start of the program, began. The time since the run before
        was last known to watch is time in which nobody looked; it is no activity (R17)."""
        state = self._state
        what = observation.what
        before = state.now
        if isinstance(what, Booted) and what.up_until is not None:
            if what.up_until.boot == state.timeline.boot:
                before = max(before, state.timeline.at(what.up_until))
                advance(before)
        now = state.timeline.reboot(observation.at, before)
        if now - before > PROOF:  # less is within what a sign of life proves (R15)
            self._live_through_off(before, now, advance)
        state.senses.deaf.clear()
        state.senses.grace = now + DEAF_GRACE
        state.senses.rebooted = now
        return now

    def _live_through_off(
        self, before: float, now: float, advance: Callable[[float], None]
    ) -> None:
        """Hours in which the hub was off: what was due in them is due, but nobody saw anything."""
        state = self._state
        self._supervisor.excuse(now - before)
        state.senses.tell = None
        if state.senses.blind is None:
            state.senses.blind = before
            state.silence.set_blind(before, True)
        state.senses.off = True
        advance(now)
        state.senses.off = False
        state.senses.tell = now + DEAF_GRACE

    def slept(self, missing: float) -> None:
        """The last reboot turns out to have lasted so much longer (no clock chip, R17): what was
        before it is that much older, what came since is not."""
        state = self._state
        rebooted = state.senses.rebooted
        state.silence.slept(missing, rebooted, unseen=missing > PROOF)
        presence = state.presence
        if presence.since is not None and presence.since < rebooted:
            presence.since -= missing
        if state.rules.exit is not None and state.rules.exit < rebooted:
            state.rules.exit -= missing
        for condition in state.book.conditions.values():
            if condition.since < rebooted:
                condition.since -= missing
                condition.told -= missing

    # -- blindness, pauses, visits, summaries ----------------------------------------------------

    def judge_blindness(self, now: float) -> None:
        """Tell apart "nobody moves" and "nobody looks" (R15)."""
        senses = self._state.senses
        if senses.off:
            return
        until = self._supervisor.seen_until()
        if until is not None and until <= now:
            if senses.blind is None:
                senses.blind = now
                senses.tell = max(now, senses.grace)
                self._state.silence.set_blind(now, True)
            if senses.tell is not None and senses.tell <= now:
                senses.tell = None
                self._alerts.start("blind", now, since=senses.blind)
        elif senses.blind is not None:
            senses.blind = senses.tell = None
            self._state.silence.set_blind(now, False)
            self._alerts.stop("blind", now, because="seen")

    def end_overdue(self, now: float) -> None:
        """End a pause and a visit that last too long."""
        state = self._state
        if state.paused_until is not None and state.paused_until <= now:
            self._end_pause(now)
        if state.visit is not None and state.visit.until <= now:
            self._end_visit(now)

    def due(self) -> float | None:
        """When a pause or a visit ends by itself."""
        state = self._state
        times = [state.paused_until, None if state.visit is None else state.visit.until]
        return min((t for t in times if t is not None), default=None)

    def summary_due(self) -> float | None:
        """Engine second at which the summary in the making is finished."""
        counting = self._state.counting
        if not counting.events:
            return None
        return counting.start + SUMMARY

    # -- one method a kind of observation --------------------------------------------------------

    def _switched(self, what: Switched, now: float) -> bool:
        sensor = self._sensors.get(what.sensor)
        if sensor is None:
            self._state.ignored += 1
            return False
        changed = self._alive(what.sensor, now)
        self._count(what.sensor, now)
        kind = sensor.kind
        if is_activity(sensor, what):
            entrance = kind is Kind.ENTRANCE
            if not self._comparer.knows(sensor.id, now):
                changed |= self._compare(sensor.id, entrance, now)
            changed |= self._active(sensor.id, sensor.room, entrance, now)
        if kind is Kind.OCCUPANCY:  # after it: the silence that ended was in the seat, or not
            self._state.presence.seat(sensor.id, what.on)
        if kind is Kind.ENTRANCE:
            self._state.rules.entrance(what.sensor, what.on, now)
            return True
        if kind in HAZARD_KINDS:
            self._hold(str(kind), what.on, now, what.sensor)
            return True
        if kind is Kind.MAINS:
            self._hold("mains", not what.on, now, what.sensor)
            return True
        if kind is Kind.TAMPER:
            self._hold("tamper", what.on, now, what.sensor)
            return True
        return changed

    def _heard(self, what: Heard, now: float) -> bool:
        if what.sensor not in self._sensors:
            self._state.ignored += 1
            return False
        return self._alive(what.sensor, now)

    def _pressed(self, what: Pressed, now: float) -> bool:
        sensor = self._sensors.get(what.sensor)
        if sensor is None:
            self._state.ignored += 1
            return False
        self._alive(what.sensor, now)
        if sensor.keyed:
            self._active(sensor.id, sensor.room, False, now)
        self._alerts.press("help", what.sensor, now)
        return True

    def _measured(self, what: Measured, now: float) -> bool:
        if what.sensor not in self._sensors:
            self._state.ignored += 1
            return False
        self._alive(what.sensor, now)
        if what.quantity is Quantity.TEMPERATURE:
            self._state.rules.temperature(what.sensor, what.value, now, self._limits)
        elif what.quantity is Quantity.BATTERY:
            self._battery(what.sensor, what.value, now)
        return True

    def _battery(self, sensor: str, percent: float, now: float) -> None:
        if not 0.0 <= percent <= 100.0:  # also refuses what is not a number
            self._state.ignored += 1
            return
        battery = self._state.batteries.setdefault(sensor, Battery())
        if battery.told(percent, now):
            self._alerts.stop("battery", now, subject=sensor, because="renewed")
        if battery.is_low(percent, now):
            self._alerts.start("battery", now, subject=sensor)

    def _sensor_fault(self, what: SensorFault, now: float) -> bool:
        """No sign of life and no activity: a source judged, nobody spoke."""
        sensor = self._sensors.get(what.sensor)
        if sensor is None or what.fault not in SENSOR_FAULTS:
            self._state.ignored += 1
            return False
        self._supervisor.fault(what.sensor, what.fault, what.present)
        self._hold(fault_family(what.fault, sensor.kind), what.present, now, what.sensor)
        return True

    def _source(self, what: SourceChanged, now: float) -> bool:
        self._supervisor.source(what.source, what.alive, now)
        return True

    def _fault(self, what: HubFault, now: float) -> bool:
        if what.part in PART_FAULTS:
            self._hold(what.part, what.present, now, "")
        else:
            self._state.ignored += 1
        return True

    def _pause(self, what: PauseStarted, now: float) -> bool:
        state = self._state
        if not what.seconds > 0.0:  # also refuses what is not a number
            state.ignored += 1
            return False
        if what.by == "resident":
            self._active("", Room.OTHER, False, now)
        state.paused_until = now + min(what.seconds, PAUSE_LONGEST)
        state.silence.set_paused(now, True)
        self._alerts.start("paused", now, subject=what.by)
        return True

    def _resume(self, what: PauseEnded, now: float) -> bool:
        if self._state.paused_until is not None:
            if what.by == "resident":
                self._active("", Room.OTHER, False, now)
            self._end_pause(now)
        return True

    def _check_in(self, what: VisitStarted, now: float) -> bool:
        state = self._state
        if state.visit is not None:
            self._end_visit(now)
        state.visit = Visit(what.role, now + VISIT_LONGEST)
        state.silence.visited = True
        self._alerts.start("visit", now, subject=what.role)
        return True

    def _check_out(self, _what: VisitEnded, now: float) -> bool:
        if self._state.visit is not None:
            self._end_visit(now)
        return True

    def _answers(self, _what: Answered, now: float) -> bool:
        if self._state.presence.seen(now, entrance=False):
            self._alerts.stop("away", now, because="answered")
        self._inactivity.answered(now)
        return True

    def _answered(self, what: CentreAnswered, now: float) -> bool:
        self._alerts.answer(what, now)
        if what.state is AnswerState.CLOSED:
            self._inactivity.judged(what.alert_id, what.outcome, now)
        return True

    # -- shared ----------------------------------------------------------------------------------

    def _alive(self, sensor: str, now: float) -> bool:
        """A sign of life of one sensor. Returns whether anything changed by it."""
        before = self._supervisor.heard(sensor, now)
        if before is SensorState.LOST:
            self._alerts.stop("lost", now, subject=sensor, because="heard")
        return before is not SensorState.OK or self._state.senses.blind is not None

    def _compare(self, sensor: str, entrance: bool, now: float) -> bool:
        """Let a sensor's activity be compared with the others'. Returns whether anything changed."""
        state = self._state
        visitors = state.visit is not None or (entrance and now <= state.visitor_leaves)
        ordinary = state.silence.stopped is None and not visitors
        changes = self._comparer.fired(sensor, now, ordinary)
        for family, suspect, holds in changes:
            self._hold(family, holds, now, suspect)
        return bool(changes)

    def _active(self, sensor: str, room: Room, entrance: bool, now: float) -> bool:
        """Evidence of the resident. Motion during a visit is nobody's in particular and resets
        no clock (R35)."""
        state = self._state
        visitors = state.visit is not None or (entrance and now <= state.visitor_leaves)
        if visitors and sensor:
            if entrance:
                state.presence.visitor_at_door(now)
            state.silence.visited = True
            return True
        silence = state.silence
        nearer = silence.level > 0 or silence.stopped is not None or not silence.active
        day_over = self._days.active(sensor, now)
        if state.presence.seen(now, entrance):
            self._alerts.stop("away", now, because="activity")
            nearer = True
        self._inactivity.activity(now, room, sensor, entrance)
        if day_over:
            self._days.judge(now)
        return nearer or day_over

    def _hold(self, family: str, holds: bool, now: float, subject: str) -> None:
        if holds:
            self._alerts.start(family, now, subject=subject)
        else:
            self._alerts.stop(family, now, subject=subject, because="over")

    def _end_pause(self, now: float) -> None:
        state = self._state
        state.paused_until = None
        state.silence.set_paused(now, False)
        for condition in list(state.book.conditions.values()):
            if condition.family == "paused":
                self._alerts.stop("paused", now, subject=condition.subject, because="over")

    def _end_visit(self, now: float) -> None:
        visit = self._state.visit
        self._state.visit = None
        self._state.visitor_leaves = now + VISITOR_LEAVES
        if visit is not None:
            self._alerts.stop("visit", now, subject=visit.role, because="over")

    def _count(self, sensor: str, now: float) -> None:
        counting = self._state.counting
        if not counting.events:
            wall = now + self._state.timeline.wall_offset
            counting.start = now - wall % SUMMARY
        counting.events[sensor] = counting.events.get(sensor, 0) + 1
