"""What the measure asks of whatever notices silences: the engine and the published methods alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.observation import Observation


class Detector(Protocol):
    """Strictly causal: it knows what it was stepped through and nothing else."""

    def step(self, observation: Observation) -> Sequence[float]:
        """Live up to an observation and take it in. Returns the wall seconds of the alarms that
        were raised on the way, in order."""
        ...

    def alone(self, cut: float, until: float) -> float | None:
        """Wall second of the first alarm after the last observation if somebody collapsed at wall
        second ``cut``, before the next one, up to wall second ``until``; None without one. Until
        the cut the resident is well, and may for instance answer. Changes nothing."""
        ...
