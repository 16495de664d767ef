"""Writes each activity into its day, and lets the days be judged once one is over."""

from __future__ import annotations

from gateway.domain.household import Household
from gateway.engine.alerts import Alerts
from gateway.engine.state import State
from gateway.engine.supervision import PROOF, Supervisor


class Days:
    """Stands between the engine's clocks and ``routine.py``, ``drift.py``, which know neither
    silence nor absence."""

    def __init__(
        self,
        state: State,
        household: Household,
        supervisor: Supervisor,
        alerts: Alerts,
    ) -> None:
        self._state = state
        self._utc_offset = household.utc_offset * 60.0
        self._supervisor = supervisor
        self._alerts = alerts

    def active(self, sensor: str, now: float) -> bool:
        """Somebody was active; silence and absence still stand as before it. Returns whether a
        day that counts was over: then ``judge``."""
        state = self._state
        local = now + state.timeline.wall_offset + self._utc_offset
        if not sensor or state.routine.knows(local, sensor):
            return False
        silence = state.silence
        unknown = state.presence.since
        if unknown is None and (silence.visited or now - silence.since - silence.seen(now) > PROOF):
            unknown = silence.since
        return state.routine.event(
            local,
            sensor,
            counts=silence.stopped is None,
            unknown_since=None if unknown is None else local - (now - unknown),
            doubtful=self._doubtful,
        )

    def judge(self, now: float) -> None:
        """Tell a drift that began, or end one."""
        for family, holds in self._state.drift.judge(self._state.routine):
            if holds:
                self._alerts.start(family, now)
            else:
                self._alerts.stop(family, now)

    def _doubtful(self) -> set[str]:
        """Sensors whose silence says nothing about the resident."""
        return {*self._supervisor.suspect(), *self._state.comparison.silent()}
