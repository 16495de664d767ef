"""When to speak: the silence at which waiting on costs more than a false alarm would.

With S(a) the probability that a silence lasts at least a, the best moment minimises
``knob * S(a) + waiting * integral from 0 to a of S(x) (a - x) dx``: the price of disturbing
somebody who is well against the expected hours that somebody who is not lies there. The knob is
what one false alarm is worth, in hours squared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

STEP = 600.0
"""Seconds between two moments at which an alert may come."""
ROWS = 288
"""Steps of a survival curve: 48 h. Row j stands for a silence of (j + 1) steps."""
QUESTION_AFTER = 3600.0
"""Seconds of silence before which nobody is asked and the network is not either. Hourly silences
are ordinary in every recorded home; asking inside one hour would gain nothing within any budget."""
FIRST = int(QUESTION_AFTER // STEP) - 1
"""The row of QUESTION_AFTER."""
HOURS = STEP / 3600.0
TOWARDS_NOTHING = 1e-7
"""Least survival: below it the curve is only arithmetic."""


class Knobs(Struct, frozen=True):
    """The few numbers that a town may turn; hours squared per false alarm.

    Defaults: no more than one question a week and one alert to the centre a month on the recorded
    homes, each with a network that never saw its person.
    """

    ask: float = 70.0
    tell: float = 200.0
    door: float = 0.1
    """What an hour of waiting costs if somebody may have gone out, against one at home."""


class Outlook(Struct, frozen=True):
    """When stage 1 and stage 2 would speak if this silence went on: seconds of silence.

    ``usual_p50`` and ``usual_p95`` are half-way and the 95th percentile of such a silence, to
    explain an alert (R23). ``hazards`` is what the network said, for ``Habits.silence``.
    """

    ask_after: float | None
    tell_after: float | None
    usual_p50: float | None
    usual_p95: float | None
    by: str
    hazards: tuple[float, ...] = ()


def waiting_costs(survival: Sequence[float]) -> list[float]:
    """Row by row, the integral of S(x) (a - x) over 0 to a, in hours squared."""
    reached = accumulate(survival, initial=1.0)
    lain = accumulate(total * HOURS * HOURS for total in reached)
    return [cost for cost, _ in zip(lain, survival, strict=False)]


def stop(
    survival: Sequence[float], costs: Sequence[float], knob: float, waiting: float
) -> float | None:
    """Seconds of silence at which to speak; None if the end of the curve is still too early."""
    best, row = None, FIRST
    for index in range(FIRST, len(survival)):
        cost = knob * survival[index] + waiting * costs[index]
        if best is None or cost < best:
            best, row = cost, index
    return None if row == len(survival) - 1 else (row + 1) * STEP


def quantile_of_silence(survival: Sequence[float], left: float) -> float | None:
    """Seconds after which only ``left`` of the silences still last."""
    for row, value in enumerate(survival):
        if value <= left:
            return (row + 1) * STEP
    return None


def settled(survival: Sequence[float]) -> list[float]:
    """The same curve, never rising, between one and almost nothing."""
    return list(accumulate((min(1.0, max(TOWARDS_NOTHING, value)) for value in survival), min))
