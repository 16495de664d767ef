"""What is learned about a home, and what is not."""

from __future__ import annotations

from array import array
from random import Random

import msgspec

from gateway.domain.sensor import Room
from gateway.engine.habits import KEEP_GAPS, LEARNING_DAYS, REMEMBERED_WEEKS, Habits
from gateway.engine.kernel import survival
from gateway.engine.outlook import QUESTION_AFTER, Knobs, outlook
from gateway.engine.prior import ANYWHERE
from gateway.engine.stopping import FIRST, ROWS

MONDAY = 19_723 * 86_400.0
"""2024-01-01, midnight."""
HOUR = 3_600.0


class Constant:
    """A network for which every ten minutes are alike."""

    fingerprint = "constant"
    silences = ANYWHERE

    def __init__(self, hazard: float) -> None:
        self._answer = [hazard] * ROWS

    def hazard(self, rows: array[float]) -> list[float]:
        del rows
        return self._answer


def live(habits: Habits, first: int, days: int, nap: float = HOUR, learn: bool = True) -> Habits:
    """Days from 7 to 23 with an event each five minutes, and a nap of ``nap`` at 14."""
    for day in range(first, first + days):
        local = MONDAY + day * 86_400 + 7 * HOUR
        end = local + 16 * HOUR
        while local < end:
            habits.event(local, Room.LIVING, entrance=False)
            following = local + 300
            if local % 86_400 == 14 * HOUR:
                following += nap
            elif following >= end:
                following += 8 * HOUR - 300
            if following - local >= 600:
                start = habits.start(local, Room.LIVING)
                view = (
                    outlook(habits, start, None, Knobs())
                    if following - local >= QUESTION_AFTER
                    else None
                )
                habits.silence(start, following, learn, view)
            local = following
    return habits


def test_recent_activity_is_counted_up_to_the_last_event() -> None:
    habits = Habits()
    for minutes in (0, 100, 140, 165, 166, 167):
        habits.event(MONDAY + minutes * 60, Room.KITCHEN, entrance=minutes == 165)
    start = habits.start(MONDAY + 167 * 60, Room.KITCHEN)
    assert (start.recent_30min, start.recent_3h) == (4, 6)
    assert start.since_entrance == 120
    assert not start.at_door


def test_a_silence_within_a_minute_of_the_entrance_begins_at_the_door() -> None:
    habits = Habits()
    habits.event(MONDAY, Room.ENTRANCE, entrance=True)
    habits.event(MONDAY + 50, Room.HALL, entrance=False)
    assert habits.start(MONDAY + 50, Room.HALL).at_door


def test_a_fortnight_teaches_when_the_home_is_quiet() -> None:
    profile = live(Habits(), 0, 15).profile
    assert profile.days == 14
    assert profile.line[2 * 6] > 5, "the night is quiet"
    assert profile.line[2 * 10] < 1.5, "the morning is not"
    assert profile.active[2 * 10] > 0.9
    assert profile.active[2 * 4] < 0.2


def test_unlearned_hours_are_unknown_and_not_active() -> None:
    habits = live(Habits(), 0, 10, learn=False)
    assert habits.gaps == []
    assert all(day.longest[2 * 3] == -1 for day in habits.days)


def test_habits_stay_small_in_a_home_that_never_rests() -> None:
    habits, local, chance = Habits(), MONDAY, Random(1)
    for _ in range(20_000):
        pause = chance.choice((10.0, 1_300.0, 2_600.0))
        if pause >= 600:
            habits.silence(habits.start(local, Room.BATH), local + pause, learn=True)
        local += pause
        habits.event(local, Room.BATH, entrance=False)
    assert len(habits.gaps) <= KEEP_GAPS
    assert len(msgspec.json.encode(habits)) < 40_000


def test_a_clock_that_jumps_ten_years_does_not_make_the_hub_forget() -> None:
    habits = live(Habits(), 0, 20)
    known = len(habits.gaps)
    habits.event(MONDAY + 3_650 * 86_400.0, Room.BED, entrance=False)
    habits.event(10.0, Room.BED, entrance=False)
    habits.event(MONDAY + 21 * 86_400.0, Room.BED, entrance=False)
    assert len(habits.gaps) == known
    assert habits.profile.days >= 20


def test_own_silences_outweigh_those_of_other_homes() -> None:
    start = Habits().start(MONDAY + 23 * HOUR, Room.LIVING)
    stranger = survival([], start)
    known = survival(live(Habits(), 0, 20).gaps, start)
    seven_hours, ten_hours = 7 * 6 - 1, 10 * 6 - 1
    assert known[seven_hours] > stranger[seven_hours]
    assert known[ten_hours] < 0.15


def test_a_network_that_expects_too_much_is_turned_down() -> None:
    habits, network = Habits(), Constant(0.2)
    for day in range(20):
        local = MONDAY + day * 86_400 + 23 * HOUR
        habits.event(local, Room.BED, entrance=False)
        start = habits.start(local, Room.BED)
        view = outlook(habits, start, network, Knobs())
        habits.silence(start, local + 8 * HOUR, learn=True, outlook=view)
    assert habits.factors()[0] < 0.5, "the hours after midnight, when nobody gets up"
    assert min(habits.factors()) == min(habits.factors()[:6]), "nothing was learned at the door"


def test_the_calibration_counts_only_hours_in_which_it_was_asked() -> None:
    habits = Habits()
    habits.event(MONDAY, Room.BED, entrance=False)
    start = habits.start(MONDAY, Room.BED)
    view = outlook(habits, start, Constant(0.1), Knobs())
    habits.silence(start, MONDAY + QUESTION_AFTER - 1, learn=True, outlook=view)
    assert sum(habits.calibration.expected) == 0.0
    habits.silence(start, MONDAY + QUESTION_AFTER + 601, learn=True, outlook=view)
    assert sum(habits.calibration.expected) == sum(view.hazards[FIRST : FIRST + 2])
    assert sum(habits.calibration.ended) == 1.0


def test_a_slow_decline_moves_the_alert_by_a_tenth_a_week_at_most() -> None:
    settled = LEARNING_DAYS + 7 * (REMEMBERED_WEEKS + 1)
    habits = live(Habits(), 0, settled)

    def told() -> float:
        local = habits.days[-1].number * 86_400 + 14 * HOUR
        view = outlook(habits, habits.start(local, Room.LIVING), None, Knobs())
        assert view.tell_after is not None
        return view.tell_after

    day, nap = settled, HOUR
    before = told()
    for _ in range(6):
        nap *= 1.5
        live(habits, day, 7, nap=min(nap, 7 * HOUR))
        day += 7
        after = told()
        assert after <= before * 1.1 + 600
        before = max(before, after)
