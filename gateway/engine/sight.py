"""How much of the home's life is still seen while sensors are lost.

A home in which half of the sensors died falls silent more often and for longer although its
resident lives as before. What was learned with all of them is then seen through those that are
left: of the ten-minute slots with life, the share in which one of these used to fire too.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.domain.instant import DAY
from gateway.engine.comparing import BLOCK, DOUBT, Comparison
from gateway.engine.stopping import ROWS, STEP

LEAST = 0.25
"""Nobody is held to be seen less than so [D]: with fewer than a third of the sensors that prove it
the home is blind, and that is told instead (decision 0006)."""


def sight(comparison: Comparison, lost: Collection[str], began: float) -> tuple[float, ...] | None:
    """For each row of a silence that began at engine second ``began``: the share of the home's life
    that would be seen without the ``lost`` sensors. None while nothing of it is lost."""
    if not lost:
        return None
    unseen = {sensor: 1.0 - _covered(comparison, sensor, lost) for sensor in lost}
    blocks = []
    for block in range(int(DAY // BLOCK)):
        known = comparison.beside.get(f"@{block}")
        gone = 0.0
        if known is not None:
            gone = sum(times * unseen.get(s, 0.0) for s, times in known.fired.items())
            gone /= known.slots + DOUBT
        blocks.append(max(LEAST, 1.0 - gone))
    moments = (began + (row + 1) * STEP for row in range(ROWS))
    return tuple(blocks[int(moment % DAY // BLOCK)] for moment in moments)


def _covered(comparison: Comparison, sensor: str, lost: Collection[str]) -> float:
    """In how many of a sensor's slots the best of its living companions fired as well."""
    beside = comparison.beside.get(sensor)
    if beside is None:
        return 1.0  # it never fired: nothing is missed
    return max(
        (times / beside.slots for s, times in beside.fired.items() if s not in lost), default=0.0
    )
