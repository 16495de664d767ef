"""The outlook on a silence: when stage 1 would ask and stage 2 would tell if it went on.

Two opinions, one average: the hazard network (what silences are like in any home, seen through this
home's figures and calibrated on it) and the kernel (what silences were like here). Whatever the
network says or fails to say, the kernel alone can carry it; and the fixed ceilings, which are not
here, hold whatever either says (R18).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import log1p

from gateway.engine import features, kernel
from gateway.engine.asking import Asking
from gateway.engine.habits import DAY, FOUR_HOURS, Habits, SilenceStart
from gateway.engine.predictor import Predictor
from gateway.engine.prior import ANYWHERE
from gateway.engine.stopping import (
    FIRST,
    QUESTION_AFTER,
    ROWS,
    STEP,
    TOWARDS_NOTHING,
    Knobs,
    Outlook,
    later,
    quantile_of_silence,
    settled,
    stops,
    waiting_costs,
)

__all__ = ["QUESTION_AFTER", "Knobs", "Outlook", "outlook"]

OVERDISPERSION = 0.3
"""Days differ more than independent ten minutes would: a Gamma-mixed hazard (0.2 to 0.3)."""
SURE = 1e-6
"""A network is never surer than this of anything."""


def outlook(
    habits: Habits,
    start: SilenceStart,
    predictor: Predictor | None,
    knobs: Knobs,
    asking: Asking | None = None,
    known: float = 0.0,
    sight: Sequence[float] | None = None,
) -> Outlook:
    """What to expect of the silence that began with ``start``. Never raises.

    ``asking`` where the home can ask: a question then costs what an unanswered one is likely to.
    ``known`` seconds into the silence the resident answered that all is well; the times count from
    there. ``sight`` is, row by row, the share of the home's life that its living sensors see.
    """
    others = ANYWHERE if predictor is None else predictor.silences
    curve = kernel.survival(habits.gaps, start, others)
    hazards = _asked(predictor, habits, start)
    if sight is not None:
        curve = _dimmed(curve, sight)
        hazards = tuple([hazard * seen for hazard, seen in zip(hazards, sight, strict=False)])
    if hazards:
        network = _survival(hazards, habits.factors(), start)
        curve = [(one + other) / 2.0 for one, other in zip(curve, network, strict=True)]
    steps = min(ROWS - 1 - FIRST - 1, int(known // STEP))
    curve = later(settled(curve), steps)
    first = FIRST + steps
    waiting = knobs.door if start.at_door else 1.0
    costs = [waiting * cost for cost in waiting_costs(curve, steps)]
    telling = stops(curve, costs, first)
    bother = telling
    if asking is not None:
        prices = asking.prices(start.local, knobs)
        bother = stops([p * s for p, s in zip(prices, curve, strict=True)], costs, first)
    latest_ask, latest_tell = habits.latest(start)
    tell = _earlier(_since(telling.after(knobs.tell), steps), latest_tell)
    ask_knob = knobs.ask if asking is None else knobs.tell_by_asking
    ask = _earlier(_since(bother.after(ask_knob), steps), min(latest_ask, tell or latest_ask))
    return Outlook(
        ask_after=ask,
        tell_after=tell,
        usual_p50=quantile_of_silence(curve, 0.5),
        usual_p95=quantile_of_silence(curve, 0.05),
        by="network+kernel" if hazards else "kernel",
        hazards=hazards,
        asking=bother,
        telling=telling,
    )


def _dimmed(curve: Sequence[float], sight: Sequence[float]) -> list[float]:
    """The curve of silences as fewer sensors see them: each step ends only the seen share."""
    before, left, dimmed = 1.0, 1.0, []
    for value, seen in zip(curve, sight, strict=True):
        left *= (min(value, before) / before) ** seen
        dimmed.append(left)
        before = max(TOWARDS_NOTHING, min(value, before))
    return dimmed


def _since(after: float | None, steps: int) -> float | None:
    """Seconds from the answer instead of from the beginning of the silence."""
    return None if after is None else after - steps * STEP


def _asked(predictor: Predictor | None, habits: Habits, start: SilenceStart) -> tuple[float, ...]:
    """The network's cumulative hazard within each row; empty if it has no usable opinion."""
    if predictor is None:
        return ()
    rows: array[float] = features.rows(habits.profile, start)
    try:
        answers = [float(probability) for probability in predictor.hazard(rows)]
    except Exception:  # noqa: BLE001 - whatever a network does, the watch goes on without it (R18)
        return ()
    if len(answers) != ROWS or not all(0.0 <= probability <= 1.0 for probability in answers):
        return ()
    sure = 1.0 - SURE
    return tuple([round(-log1p(-(SURE if one < SURE else min(one, sure))), 5) for one in answers])


def _survival(
    hazards: Sequence[float], factors: Sequence[float], start: SilenceStart
) -> list[float]:
    """The calibrated network's survival curve; row j holds before row j's own hazard."""
    total, power = 0.0, -1.0 / OVERDISPERSION
    curve = []
    moments = range(
        int(start.local) + int(STEP), int(start.local) + ROWS * int(STEP) + 1, int(STEP)
    )
    of_place = factors[6:] if start.at_door else factors[:6]
    for row, (hazard, moment) in enumerate(zip(hazards, moments, strict=True)):
        curve.append((1.0 + OVERDISPERSION * total) ** power)
        total += hazard if row < FIRST else hazard * of_place[moment % DAY // FOUR_HOURS]
    return curve


def _earlier(after: float | None, latest: float) -> float | None:
    """The earlier of a stop and a bound, on the ten-minute grid, never before QUESTION_AFTER."""
    if latest == float("inf"):
        return after
    bound = max(QUESTION_AFTER, latest // STEP * STEP)
    return bound if after is None else min(after, bound)
