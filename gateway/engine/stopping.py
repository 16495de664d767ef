"""When to speak: the silence at which waiting on costs more than a false alarm would.

With S(a) the probability that a silence lasts at least a, the best moment minimises
``knob * S(a) + waiting * integral from 0 to a of S(x) (a - x) dx``: the price of disturbing
somebody who is well against the expected hours that somebody who is not lies there. The knob is
what one false alarm is worth, in hours squared.
"""

from __future__ import annotations

from bisect import bisect_right
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

    ask: float = 62.0
    tell: float = 170.0
    tell_by_asking: float = 180.0
    """``tell`` for a question that may go unanswered, in a home that can ask."""
    door: float = 0.05
    """What an hour of waiting costs if somebody may have gone out, against one at home."""
    question: float = 0.1
    """What asking somebody who is well costs, against a false alarm at the centre, in a home that
    can ask [D]. By night fewer answer, so that a sleeper is not asked lightly."""


class Stops(Struct, frozen=True, array_like=True):
    """The best moments for every knob at once: from ``knobs[i]`` on it is row ``rows[i]``.

    The lower hull of (price, cost) over the rows: as a false alarm becomes dearer, the best moment
    moves from one corner to the next.
    """

    rows: tuple[int, ...]
    knobs: tuple[float, ...]

    def after(self, knob: float) -> float | None:
        """Seconds of silence at which to speak; None if the end of the curve is too early still."""
        row = self.rows[max(0, bisect_right(self.knobs, knob) - 1)]
        return None if row == ROWS - 1 else (row + 1) * STEP

    def knob_within(self, seconds: float) -> float:
        """The dearest false alarm with which one would have spoken before a silence ended after
        ``seconds``; 0.0 if with none."""
        for index in range(len(self.rows) - 2, -1, -1):
            if (self.rows[index] + 1) * STEP < seconds:
                return self.knobs[index + 1]
        return 0.0


def stops(prices: Sequence[float], costs: Sequence[float], first: int) -> Stops:
    """``prices`` are what speaking at a row is expected to cost in false alarms, ``costs`` what
    waiting until then does, in hours squared; rows before ``first`` are too early."""
    rows: list[int] = []
    knobs: list[float] = []
    for row in sorted(range(first, len(prices)), key=prices.__getitem__, reverse=True):
        knob = 0.0
        while rows:
            gain = prices[rows[-1]] - prices[row]
            dearer = costs[row] - costs[rows[-1]]
            if gain <= 0.0:
                knob = float("inf") if dearer >= 0.0 else 0.0
            else:
                knob = max(0.0, dearer / gain)
            if knob > knobs[-1]:
                break
            rows.pop()
            knobs.pop()
            knob = 0.0
        if knob < float("inf"):
            rows.append(row)
            knobs.append(round(knob, 3))
    return Stops(tuple(rows), tuple(knobs))


class Outlook(Struct, frozen=True):
    """When stage 1 and stage 2 would speak if this silence went on: seconds of silence.

    ``usual_p50`` and ``usual_p95`` are half-way and the 95th percentile of such a silence, to
    explain an alert (R23). ``hazards`` is what the network said, for ``Habits.silence``;
    ``asking`` and ``telling`` are the moments for other knobs, for ``Control``.
    """

    ask_after: float | None
    tell_after: float | None
    usual_p50: float | None
    usual_p95: float | None
    by: str
    hazards: tuple[float, ...] = ()
    asking: Stops = Stops((ROWS - 1,), (0.0,))
    telling: Stops = Stops((ROWS - 1,), (0.0,))


def waiting_costs(survival: Sequence[float], known: int = 0) -> list[float]:
    """Row by row, the integral of S(x) (a - x) from the ``known`` steps on to a, in hours squared."""
    reached = accumulate(survival[known:], initial=1.0)
    lain = accumulate(total * HOURS * HOURS for total in reached)
    costs = [cost for cost, _ in zip(lain, survival[known:], strict=False)]
    return [0.0] * known + costs


def later(survival: Sequence[float], known: int) -> list[float]:
    """The same curve for somebody who was well ``known`` steps into the silence."""
    if not known:
        return list(survival)
    left = survival[min(known, len(survival)) - 1]
    return [1.0] * known + [value / left for value in survival[known:]]


def quantile_of_silence(survival: Sequence[float], left: float) -> float | None:
    """Seconds after which only ``left`` of the silences still last."""
    for row, value in enumerate(survival):
        if value <= left:
            return (row + 1) * STEP
    return None


def settled(survival: Sequence[float]) -> list[float]:
    """The same curve, never rising, between one and almost nothing."""
    least, curve = 1.0, []
    for value in survival:
        if value < least:
            least = max(TOWARDS_NOTHING, value)
        curve.append(least)
    return curve
