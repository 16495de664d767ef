"""What counts in a home on trial, and at which moments somebody might collapse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instant import DAY, HOUR, MONTH
from models.evaluation.trial import Trial, trial
from tests.support.trials import Event, at, home, hourly

QUIET_TWO_DAYS: list[Event] = [*hourly(0, 48), *hourly(98, 120)]
"""Nothing for 50 hours from hour 48 on."""


def of(events: list[Event], away: tuple[tuple[float, float], ...] = (), learn: float = 0) -> Trial:
    return trial(home(events, away), learn * HOUR)


def test_a_silence_over_48_hours_is_an_outage_that_counts_for_nothing() -> None:
    tried = of(QUIET_TWO_DAYS)
    assert tried.outages == ((at(48), at(98)),)
    assert not tried.counts(tried.silence(at(60)))
    assert tried.months == pytest.approx(70 * HOUR / MONTH)
    assert not any(at(48) <= cut < at(98) for cut in tried.cuts(400, 1))


def test_an_annotated_absence_of_more_than_48_hours_counts() -> None:
    tried = of(QUIET_TWO_DAYS, away=((48.1, 97.9),))
    assert tried.outages == ()
    assert tried.counts(tried.silence(at(60)))
    assert tried.is_away(tried.silence(at(60)))
    assert tried.months == pytest.approx(120 * HOUR / MONTH)


def test_a_silence_of_exactly_48_hours_is_no_outage() -> None:
    assert of([*hourly(0, 5), *hourly(53, 60)]).outages == ()


def test_an_outage_takes_only_the_time_on_trial_out_of_the_months() -> None:
    assert of(QUIET_TWO_DAYS, learn=90).months == pytest.approx(22 * HOUR / MONTH)


@pytest.mark.parametrize(
    ("minutes_before", "hours", "away"),
    [(0, 2.1, True), (10, 2.1, True), (11, 2.1, False), (0, 2.0, False), (5, 47, True)],
)
def test_a_silence_over_two_hours_within_ten_minutes_after_the_entrance_is_an_absence(
    minutes_before: float, hours: float, away: bool
) -> None:
    left: list[Event] = [(10 - minutes_before / 60, "door"), (10, "hall")]
    tried = of([*hourly(0, 9), *left, *hourly(10 + hours, 70)])
    assert tried.is_away(tried.silence(at(10.5))) is away
    assert tried.away == (((at(10), at(10 + hours)),) if away else ())


def test_absences_that_overlap_are_one() -> None:
    tried = of([*hourly(0, 9), (9.5, "door"), *hourly(15, 20)], away=((9.6, 16), (15.5, 17)))
    assert tried.away == ((at(9.5), at(17)),)


def test_only_activity_ends_a_silence() -> None:
    events: list[Event] = [(0, "hall"), (1, "hall", False), (2, "bed", False), (3, "button")]
    assert of([*events, (4, "door", False)]).moves == (at(0), at(2), at(4))


def test_silences_before_the_trial_and_after_the_last_activity_do_not_count() -> None:
    tried = of([(0, "hall"), (10, "hall"), (20, "hall")], learn=5)
    assert [tried.counts(index) for index in (-1, 0, 1, 2)] == [False, False, True, False]


def test_an_alarm_in_the_second_of_an_activity_belongs_to_the_silence_before() -> None:
    tried = of([(0, "hall"), (8, "hall"), (9, "hall")])
    assert (tried.silence(at(8)), tried.raised_in(at(8)), tried.raised_in(at(8.5))) == (1, 0, 1)


@given(st.integers(0, 10_000))
def test_cuts_are_in_order_never_away_and_the_same_for_the_same_seed(seed: int) -> None:
    tried = of(QUIET_TWO_DAYS, away=((20, 30), (100, 110)), learn=6)
    cuts = tried.cuts(50, seed)
    assert cuts == tried.cuts(50, seed) == sorted(cuts)
    assert len(cuts) == 50
    for cut in cuts:
        hours = (cut - at(0)) / HOUR
        assert 6 <= hours < 20 or 30 <= hours < 48 or 98 <= hours < 100 or 110 <= hours <= 120


def test_another_seed_or_another_home_has_other_cuts() -> None:
    one, other = trial(home(hourly(0, 99)), DAY), trial(home(hourly(0, 99), name="other"), DAY)
    assert one.cuts(9, 1) != one.cuts(9, 2)
    assert one.cuts(9, 1) != other.cuts(9, 1)


def test_cuts_are_spread_evenly_over_the_hours() -> None:
    cuts = trial(home(hourly(0, 240)), 0).cuts(4_000, 1)
    for day in range(10):
        assert sum(at(24 * day) <= cut < at(24 * day + 24) for cut in cuts) == pytest.approx(
            400, rel=0.2
        )


def test_without_time_on_trial_there_is_nothing_to_measure() -> None:
    short = of(hourly(0, 9), learn=24)
    assert (short.months, short.cuts(400, 1)) == (0.0, [])
    assert of([]).cuts(400, 1) == []
    assert of(hourly(0, 9), away=((0, 9),)).cuts(5, 1) == []


@pytest.mark.parametrize(
    ("hour", "night"), [(22.99, False), (23, True), (0, True), (6.99, True), (7, False), (47, True)]
)
def test_night_is_from_23_to_7_local_time(hour: float, night: bool) -> None:
    assert of(hourly(0, 9)).is_night(at(hour)) is night
