"""What must be stored though the disk is full, and what may wait for room or be lost.

Pure. Alarms come with the observations that they rest on and with all that people did; readings
and summaries stay behind. The next number of what stays behind may be lower than what is stored by
then, which is why the journal fills gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gateway.domain.decisions import Decisions
from gateway.domain.observation import Heard, Measured, Observation, Switched
from gateway.journal.history import sensor_counter

READINGS = (Heard, Measured, Switched)
"""What sensors say by themselves all day long."""


class Shed(Struct, frozen=True):
    """``observations`` and ``decisions`` are to be stored now, with ``counters`` of all sensors;
    ``left`` and ``left_decisions`` stay behind."""

    observations: tuple[Observation, ...]
    decisions: tuple[Decisions, ...]
    counters: Mapping[str, int]
    left: tuple[Observation, ...]
    left_decisions: tuple[Decisions, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing that must be stored now."""
        return not self.observations and not self.decisions


def shed(observations: Sequence[Observation], decisions: Sequence[Decisions]) -> Shed:
    """Part what must be stored from what may wait. The counters of what stays behind are stored
    at once: a frame that was heard must not be taken for a new one after a kill (T2)."""
    moments = {alert.at for one in decisions for alert in one.alerts}
    kept = [o for o in observations if not isinstance(o.what, READINGS) or o.at in moments]
    counters: dict[str, int] = {}
    for observation in observations:
        name = sensor_counter(observation)
        if name is not None and observation.counter is not None:
            counters[name] = observation.counter
    numbers = {observation.sequence for observation in kept}
    return Shed(
        tuple(kept),
        tuple(Decisions(alerts=one.alerts) for one in decisions if one.alerts),
        counters,
        tuple(o for o in observations if o.sequence not in numbers),
        tuple(Decisions(summaries=one.summaries) for one in decisions if one.summaries),
    )
