"""When to speak, on curves whose best moment is known."""

from __future__ import annotations

from itertools import pairwise
from math import exp

import pytest

from gateway.engine.stopping import (
    QUESTION_AFTER,
    ROWS,
    STEP,
    quantile_of_silence,
    settled,
    stop,
    waiting_costs,
)


def exponential(mean_hours: float) -> list[float]:
    return settled([exp(-(row + 1) / 6 / mean_hours) for row in range(ROWS)])


def test_the_best_moment_is_where_waiting_costs_as_much_as_disturbing() -> None:
    # d/da: knob * f(a) = integral of S; with mean m: knob / m * e = m (1 - e), e = exp(-a / m)
    curve = exponential(2.0)
    found = stop(curve, waiting_costs(curve), 60.0, 1.0)
    left = 1 / (1 + 60.0 / 4.0)
    expected = next(row for row in range(ROWS) if curve[row] <= left)
    assert found is not None
    assert abs(found - (expected + 1) * STEP) <= 2 * STEP


@pytest.mark.parametrize("mean", [0.5, 2.0, 6.0])
def test_a_dearer_false_alarm_never_makes_it_earlier(mean: float) -> None:
    curve = exponential(mean)
    costs = waiting_costs(curve)
    times = [stop(curve, costs, knob, 1.0) or 1e9 for knob in (1, 10, 100, 1_000, 10_000)]
    assert all(one <= other for one, other in pairwise(times))
    assert times[0] == QUESTION_AFTER


def test_waiting_is_cheaper_at_the_door() -> None:
    curve = exponential(3.0)
    costs = waiting_costs(curve)
    inside, door = stop(curve, costs, 70.0, 1.0), stop(curve, costs, 70.0, 0.1)
    assert inside is not None
    assert door is not None
    assert inside < door


def test_a_silence_that_always_lasts_two_days_asks_for_no_moment() -> None:
    curve = [1.0] * (ROWS - 1) + [0.0]
    assert stop(curve, waiting_costs(curve), 1e6, 1.0) is None


def test_a_curve_is_made_to_fall() -> None:
    curve = settled([0.9, 1.2, 0.5, 0.7, -1.0])
    assert curve == [0.9, 0.9, 0.5, 0.5, 1e-7]


def test_quantiles_are_the_first_step_that_reaches_them() -> None:
    assert quantile_of_silence([1.0, 0.6, 0.5, 0.1], 0.5) == 3 * STEP
    assert quantile_of_silence([1.0, 0.6], 0.05) is None
