"""Examples come from the engine's own features, and their labels say what happened."""

from __future__ import annotations

from itertools import repeat
from random import Random

import pytest

from gateway.domain.sensor import Room
from gateway.engine.features import FEATURES
from gateway.engine.prior import ANYWHERE
from gateway.engine.profile import ROOMS
from models.homes import KINDS
from models.training import generated
from models.training.corpus import (
    Event,
    Home,
    alike,
    examples,
    pseudo_silences,
    silences,
    thinned,
)

MONDAY = 19_723 * 86_400.0


def events(*minutes: float) -> tuple[Event, ...]:
    return tuple(Event(MONDAY + m * 60, Room.BED, entrance=False, sensor="bed") for m in minutes)


def test_a_silence_is_an_example_for_each_ten_minutes_that_it_reached() -> None:
    got = examples(Home("a", "a", events(0, 5, 40, 45)), Random(1))
    assert got.labels.tolist() == [0.0, 0.0, 1.0]
    assert len(got.inputs) == 3 * FEATURES


def test_journeys_and_short_silences_are_no_examples() -> None:
    assert not examples(Home("a", "a", events(0, 9, 9 + 49 * 60)), Random(1)).labels


def test_habits_begin_anew_after_a_life() -> None:
    day = 24 * 60
    lived = list(
        silences(events(*(m for d in range(4) for m in (d * day, d * day + 60))), repeat(2))
    )
    assert [habits.seen for habits, _, _ in lived][-1] <= 2


def test_thinning_leaves_a_home_or_nothing() -> None:
    many = events(*range(2_000))
    for seed in range(20):
        left = thinned(many, Random(seed))
        assert not left or 200 <= len(left) <= len(many)


QUIET = Home("quiet", "a", events(0, 60, 120))
BUSY = Home("busy", "b", events(*range(0, 30_000, 30)))
BUSY_AGAIN = Home("busy again", "b", events(*range(0, 20_000, 20)))


def test_persons_weigh_alike_however_much_was_recorded_of_them() -> None:
    weights = {"a": 0.0, "b": 0.0}
    for home in alike([QUIET, BUSY, BUSY_AGAIN]):
        weights[home.person] += sum(examples(home, Random(1)).weights)
    assert weights["a"] == pytest.approx(1.0, rel=1e-4)
    assert weights["b"] == pytest.approx(1.0, rel=1e-4)


def test_persons_weigh_alike_in_the_prior() -> None:
    def weight(*homes: Home) -> float:
        return sum(weight for *_, weight in pseudo_silences(alike(homes)))

    assert weight(QUIET) == pytest.approx(1_000.0, rel=1e-3)
    assert weight(BUSY, BUSY_AGAIN) == pytest.approx(1_000.0, rel=1e-3)


def test_all_generated_homes_together_weigh_one_person() -> None:
    assert pytest.approx(1.0) == generated.WEIGHT * len(KINDS)


def test_a_life_is_as_long_as_it_is_drawn_each_time() -> None:
    home = events(*(m for d in range(12) for m in (d * 1_440, d * 1_440 + 60)))
    seen = [habits.seen for habits, _, _ in silences(home, iter([3, 8, 1_000]))]
    assert max(seen) <= 9
    assert seen.count(1) > seen.count(7)


def test_the_shipped_prior_is_a_small_table_of_real_silences() -> None:
    assert 100 < len(ANYWHERE) < 700
    for minute, minutes, place, weight in ANYWHERE:
        assert 0 <= minute < 1_440
        assert 20 <= minutes <= 48 * 60
        assert 0 <= place < len(ROOMS)
        assert weight > 0
