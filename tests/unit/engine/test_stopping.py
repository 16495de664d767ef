"""When to speak, on curves whose best moment is known."""

from __future__ import annotations

from itertools import pairwise
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.stopping import (
    FIRST,
    QUESTION_AFTER,
    ROWS,
    STEP,
    later,
    quantile_of_silence,
    settled,
    stops,
    waiting_costs,
)


def stop(curve: list[float], knob: float, waiting: float = 1.0) -> float | None:
    return stops(curve, [waiting * cost for cost in waiting_costs(curve)], FIRST).after(knob)


def exponential(mean_hours: float) -> list[float]:
    return settled([exp(-(row + 1) / 6 / mean_hours) for row in range(ROWS)])


def test_the_best_moment_is_where_waiting_costs_as_much_as_disturbing() -> None:
    # d/da: knob * f(a) = integral of S; with mean m: knob / m * e = m (1 - e), e = exp(-a / m)
    curve = exponential(2.0)
    found = stop(curve, 60.0)
    left = 1 / (1 + 60.0 / 4.0)
    expected = next(row for row in range(ROWS) if curve[row] <= left)
    assert found is not None
    assert abs(found - (expected + 1) * STEP) <= 2 * STEP


@pytest.mark.parametrize("mean", [0.5, 2.0, 6.0])
def test_a_dearer_false_alarm_never_makes_it_earlier(mean: float) -> None:
    curve = exponential(mean)
    times = [stop(curve, knob) or 1e9 for knob in (1, 10, 100, 1_000, 10_000)]
    assert all(one <= other for one, other in pairwise(times))
    assert times[0] == QUESTION_AFTER


def test_waiting_is_cheaper_at_the_door() -> None:
    curve = exponential(3.0)
    inside, door = stop(curve, 70.0), stop(curve, 70.0, 0.1)
    assert inside is not None
    assert door is not None
    assert inside < door


def test_a_silence_that_always_lasts_two_days_asks_for_no_moment() -> None:
    curve = [1.0] * (ROWS - 1) + [0.0]
    assert stop(curve, 1e6) is None


def test_a_curve_is_made_to_fall() -> None:
    curve = settled([0.9, 1.2, 0.5, 0.7, -1.0])
    assert curve == [0.9, 0.9, 0.5, 0.5, 1e-7]


def test_quantiles_are_the_first_step_that_reaches_them() -> None:
    assert quantile_of_silence([1.0, 0.6, 0.5, 0.1], 0.5) == 3 * STEP
    assert quantile_of_silence([1.0, 0.6], 0.05) is None


@given(
    curve=st.lists(st.floats(0, 1), min_size=FIRST + 2, max_size=60),
    prices=st.lists(st.floats(0.1, 1), min_size=60, max_size=60),
    knob=st.floats(0, 1e4),
)
def test_the_corners_know_the_best_moment_for_every_knob(
    curve: list[float], prices: list[float], knob: float
) -> None:
    curve = settled(curve)
    paid = [price * left for price, left in zip(prices, curve, strict=False)]
    costs = waiting_costs(curve)
    rows = range(FIRST, len(curve))
    best = min(knob * paid[row] + costs[row] for row in rows)
    found = stops(paid, costs, FIRST)
    row = found.rows[max(0, sum(at <= knob for at in found.knobs) - 1)]
    slack = 1e-3 * (1.0 + paid[row])  # corners are kept to three decimals
    assert knob * paid[row] + costs[row] <= best + slack


def test_the_knob_within_is_where_speaking_begins_to_come_too_late() -> None:
    curve = exponential(2.0)
    corners = stops(curve, waiting_costs(curve), FIRST)
    knob = corners.knob_within(5 * 3600.0)
    before, after = corners.after(knob * 0.99), corners.after(knob * 1.01)
    assert before is not None
    assert before < 5 * 3600.0
    assert after is None or after >= 5 * 3600.0


def test_somebody_who_answered_is_judged_from_there_on() -> None:
    curve = exponential(2.0)
    left = later(curve, 12)
    assert left[:12] == [1.0] * 12
    assert left[12] == pytest.approx(curve[12] / curve[11])
    assert waiting_costs(left, 12)[12] == pytest.approx(waiting_costs(curve)[0])
