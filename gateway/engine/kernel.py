"""How long silences like this one lasted in this home, and a little of how long anywhere.

The survival curve is a weighted count of the home's own silences: those that began at the same hour
(a bell of two hours), in the same room (others weigh 0.15) and lately (faded over 45 days). A few
pseudo-silences from other homes stand in until there are own ones, and stay as a grain of doubt.
Above the 90th percentile an exponential tail goes on where counting ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp

from gateway.engine.habits import FADE_DAYS, KEEP_DAYS, SilenceStart
from gateway.engine.predictor import Silences
from gateway.engine.prior import ANYWHERE
from gateway.engine.profile import Gap
from gateway.engine.stopping import HOURS, ROWS, STEP

PSEUDO_SILENCES = 6.0
"""What the silences of other homes weigh together, in own ones (3 to 8 in the prototype)."""
OTHER_ROOM = 0.15
OTHER_SEAT = 0.15
"""What a silence weighs that began in a bed or seat, for one that did not, and the other way."""
COUNTED = 0.9
LEAST_TAIL = 0.25
"""Hours."""
_STEP_MINUTES = int(STEP // 60)
_QUARTERS = 96
_BELL = tuple(
    exp(-0.5 * (min(apart, _QUARTERS - apart) / 4.0 / 2.0) ** 2) for apart in range(_QUARTERS)
)
"""By quarter hours apart on the clock; two hours is the bell's width."""
_FADE = tuple(exp(-age / FADE_DAYS) for age in range(KEEP_DAYS + 1))


def survival(gaps: Sequence[Gap], start: SilenceStart, others: Silences = ANYWHERE) -> list[float]:
    """Row by row, the probability that a silence of at least 20 minutes lasts that long.

    ``others``: the pseudo-silences, at least one.
    """
    quarter = int(start.local) // 900 % _QUARTERS
    place, day = start.place, int(start.local) // 86_400
    anywhere = [0.0] * (ROWS + 1)
    for began, length, room, weight in others:
        near = weight * _BELL[began // 15 - quarter]
        anywhere[min(ROWS, length // _STEP_MINUTES)] += near if room == place else near * OTHER_ROOM
    scale = PSEUDO_SILENCES / sum(anywhere)
    ended = [weight * scale for weight in anywhere]
    for gap in gaps:
        minute = gap.start
        near = _BELL[minute // 15 % _QUARTERS - quarter]
        near *= _FADE[min(KEEP_DAYS, max(0, day - minute // 1440))]
        if gap.place != place:
            near *= OTHER_ROOM
        if gap.seated is not start.seated:
            near *= OTHER_SEAT
        ended[min(ROWS, gap.length // _STEP_MINUTES)] += near
    return _with_tail(ended)


def _with_tail(ended: Sequence[float]) -> list[float]:
    """A curve from the weights of silences that ended within each step."""
    total = sum(ended)
    counted, edge = 0.0, 0
    while edge < ROWS and counted + ended[edge] < COUNTED * total:
        counted += ended[edge]
        edge += 1
    over = ended[edge + 1 :]
    excess = sum(weight * (index + 1) for index, weight in enumerate(over)) * HOURS
    tail = max(LEAST_TAIL, (excess + 1.0) / (sum(over) + 1.0))
    left = 1.0 - COUNTED
    curve = _counted(ended[:edge], total)
    curve.extend(left * exp(-row * HOURS / tail) for row in range(ROWS - len(curve)))
    return curve


def _counted(ended: Iterable[float], total: float) -> list[float]:
    """Row j is a silence of (j + 1) steps: what ended within j + 1 steps is gone by then."""
    curve, gone = [], 0.0
    for weight in ended:
        gone += weight
        curve.append(max(1.0 - COUNTED, 1.0 - gone / total))
    return curve
