"""False alarms and delays of detectors whose behaviour is known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.domain.instant import HOUR, MONTH
from gateway.domain.observation import Observation, Switched
from models.evaluation.measure import Delay, Result, delay, intervals, rate, run
from models.evaluation.trial import Trial, trial
from tests.support.trials import Event, at, home, hourly

QUIET: list[Event] = [*hourly(0, 30), *hourly(40, 60)]
"""Nothing for ten hours from hour 30 on."""


class Impatient:
    """Alarms after so many hours, and every half hour again until somebody moves."""

    def __init__(self, hours: float, *, too_late: bool = False) -> None:
        self._after = hours * HOUR
        self._too_late = too_late
        self._moved: float | None = None
        self._told = 0

    def step(self, observation: Observation) -> Sequence[float]:
        wall = observation.at.wall
        alarms = []
        while self._moved is not None and (due := self._due(self._moved)) < wall:
            alarms.append(due)
            self._told += 1
        if self._too_late and self._moved is not None and self._due(self._moved) == wall:
            alarms.append(wall)
        if isinstance(observation.what, Switched) and observation.what.on:
            self._moved, self._told = wall, 0
        return alarms

    def alone(self, cut: float, until: float) -> float | None:
        assert self._moved is not None
        due = self._due(self._moved)
        return due if due <= until and not self._told else None

    def _due(self, moved: float) -> float:
        return moved + self._after + self._told * HOUR / 2


def measured(
    tried: Trial, hours: float, cuts: Sequence[float] = (), *, too_late: bool = False
) -> Result:
    return run(tried, Impatient(hours, too_late=too_late), cuts, person="somebody")


def test_a_silence_is_one_false_alarm_however_often_it_alarms() -> None:
    result = measured(trial(home(QUIET), 0), 4)
    assert result.alarms == (at(34),)
    assert result.rate == pytest.approx(1 / (60 * HOUR / MONTH))


def test_the_next_activity_arms_again() -> None:
    assert measured(trial(home(QUIET), 0), 0.5).alarms[:3] == (at(0.5), at(1.5), at(2.5))


def test_alarms_while_learning_are_not_counted() -> None:
    assert measured(trial(home(QUIET), 31 * HOUR), 4).alarms == ()


def test_absences_count_and_are_told_apart() -> None:
    result = measured(trial(home(QUIET, away=[(30, 40)]), 0), 4)
    assert (len(result.alarms), result.away_alarms) == (1, 1)
    assert measured(trial(home(QUIET), 0), 4).away_alarms == 0


def test_an_outage_is_no_false_alarm() -> None:
    assert measured(trial(home([*hourly(0, 9), *hourly(58, 70)]), 0), 4).alarms == ()


def test_an_alarm_in_the_second_of_the_next_activity_does_not_go_over_to_the_next_silence() -> None:
    tried = trial(home([*hourly(0, 9), (17, "hall"), *hourly(20, 30)]), 0)
    result = measured(tried, 8, [at(19)], too_late=True)
    assert result.alarms == (at(17),)
    assert result.delays == (6.0,)


def test_a_delay_is_from_the_instant_to_the_alarm_of_the_silence_it_lies_in() -> None:
    result = measured(trial(home(QUIET), 0), 4, [at(10.5), at(31), at(33.5)])
    assert result.delays == pytest.approx((3.5, 3.0, 0.5))


def test_a_delay_is_never_below_zero() -> None:
    assert measured(trial(home(QUIET), 0), 4, [at(34), at(38)]).delays == (0.0, 0.0)


def test_a_delay_is_at_most_48_hours() -> None:
    assert measured(trial(home(QUIET), 0), 90, [at(3.5)]).delays == (48.0,)
    assert measured(trial(home(QUIET), 0), 1_000, [at(3.5)]).delays == (48.0,)


def test_a_reading_without_activity_between_alarm_and_instant_changes_no_delay() -> None:
    events: list[Event] = [*hourly(0, 30), (35, "hall", False), *hourly(40, 60)]
    assert measured(trial(home(events), 0), 4, [at(33), at(36)]).delays == (1.0, 0.0)


def test_instants_of_the_night_are_known_as_such() -> None:
    result = measured(trial(home(QUIET), 0), 4, [at(12), at(25)])
    assert result.nights == (False, True)
    found = delay([result])
    assert (found.day_median, found.night_median) == (4.0, 4.0)


def test_delays_are_pooled_over_homes() -> None:
    one, other = of("a", "a", delays=(1, 2, 3)), of("b", "b", delays=(4, 5))
    assert delay([one, other]) == Delay(3.0, 3.0, 4.6, 5.0, 3.0, None)


def test_without_delays_there_are_no_figures() -> None:
    assert delay([]) == Delay(None, None, None, None, None, None)
    assert rate([]) == 0.0


def test_the_rate_is_that_of_all_months_together() -> None:
    assert rate([of("a", "a", 3, months=1.0), of("b", "b", 0, months=2.0)]) == 1.0


def test_one_person_makes_no_interval() -> None:
    assert intervals([of("a", "p", 3), of("b", "p", 5)]) == {}


def test_an_interval_draws_a_person_with_all_homes() -> None:
    results = [of("a", "p", 2), of("b", "p", 4), of("c", "q", 9)]
    low, high = intervals(results)["false_alarms_per_home_month"]
    assert (low, high) == (3.0, 9.0)  # only p, with both homes; only q
    assert intervals(results, seed=3) == intervals(results, seed=3)


def test_persons_who_are_alike_leave_no_doubt() -> None:
    results = [of(name, name, 2, delays=(1, 2)) for name in "abcd"]
    assert intervals(results)["mean"] == (1.5, 1.5)


def of(
    name: str, person: str, alarms: int = 0, months: float = 1.0, delays: tuple[float, ...] = (1,)
) -> Result:
    walls = tuple(at(hour) for hour in range(alarms))
    return Result(name, person, months, walls, 0, delays, (False,) * len(delays))
