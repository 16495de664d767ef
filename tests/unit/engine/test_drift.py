"""A decline and a turn of the routine: told once, ended once, and never for what is not one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.instant import DAY, HOUR
from gateway.domain.observation import VisitStarted
from gateway.domain.sensor import Kind, Room, Sensor
from gateway.engine.drift import STEP, Drift
from gateway.engine.routine import KEEP, Routine
from tests.support.life import MONDAY, WIRED, Life

SENSORS = (
    *WIRED,
    Sensor("bath", Kind.MOTION, Room.BATH),
    Sensor("living", Kind.MOTION, Room.LIVING),
)
ROOMS = ("hall", "fridge", "bath", "living")
LEARNED = 30
"""Days of an ordinary life before anything changes."""


def rounds(share: float, shift: float = 0.0, without: str = "") -> Iterator[tuple[float, str]]:
    """Hours of one day's activity: rounds through the home from 7 to 22, of which ``share`` take
    place, a later beginning and an earlier end included; ``shift`` hours later."""
    slots = 60
    take = round(slots * share)
    for number in range(take):
        hour = 7.0 + (15.0 * share) * number / take + shift
        for minute, room in enumerate(ROOMS):
            if room != without:
                yield hour % 24 + minute * 2.0 / 60, room


def lives(life: Life, days: range, day_of: Callable[[int], Iterator[tuple[float, str]]]) -> Life:
    for day in days:
        for hour, room in sorted(day_of(day)):
            life.moves(24.0 * day + hour, room)
    return life


def drifts(life: Life) -> list[tuple[int, str, str, int]]:
    """(day, because, state, level)."""
    return [
        (int((a.at.wall - MONDAY) // DAY), a.because, str(a.state), int(a.level))
        for a in life.of("routine.drift")
    ]


def ordinary() -> Life:
    return lives(Life(SENSORS), range(LEARNED), lambda _: rounds(1.0))


def test_a_decline_is_told_once_at_level_one_and_ends_when_the_routine_is_back() -> None:
    life = lives(ordinary(), range(30, 70), lambda day: rounds(max(0.4, 1 - 0.02 * (day - 29))))
    (told,) = drifts(life)
    assert told[1:] == ("decline", "raised", 1)
    assert told[0] < 30 + 30
    lives(life, range(70, 95), lambda _: rounds(1.0))
    assert [state for _, _, state, _ in drifts(life)] == ["raised", "cleared"]
    assert drifts(life)[1][0] > 70 + 7  # not for a few good days
    assert len({a.id for a in life.of("routine.drift")}) == 1


def test_a_turn_of_night_and_day_is_told_within_a_week_and_ends() -> None:
    life = lives(ordinary(), range(30, 45), lambda day: rounds(1.0, min(12.0, 3.0 * (day - 29))))
    (told,) = drifts(life)
    assert told[1:] == ("turn", "raised", 1)
    assert told[0] <= 30 + 7
    lives(life, range(45, 60), lambda _: rounds(1.0))
    assert [(b, state) for _, b, state, _ in drifts(life)] == [
        ("turn", "raised"),
        ("turn", "cleared"),
    ]


def test_a_decline_is_still_told_after_months_of_it() -> None:
    life = lives(ordinary(), range(30, 150), lambda _: rounds(0.4))
    assert [state for _, _, state, _ in drifts(life)] == ["raised"]


def test_nothing_is_said_before_two_weeks_to_compare_with_and_two_to_judge() -> None:
    life = lives(Life(SENSORS), range(27), lambda day: rounds(1.0 if day < 10 else 0.4))
    assert drifts(life) == []


def test_a_dead_sensor_is_no_decline() -> None:
    life = lives(ordinary(), range(30, 80), lambda _: rounds(1.0, without="bath"))
    assert drifts(life) == []


def test_a_journey_is_no_decline() -> None:
    life = ordinary().moves(24.0 * 30 + 8.0, "hall").moves(24.0 * 30 + 8.01, "door")
    lives(life, range(40, 60), lambda _: rounds(1.0))
    assert drifts(life) == []


def test_visited_hours_say_nothing_about_the_resident() -> None:
    life = ordinary()
    for day in range(30, 60):
        life.at(24.0 * day + 9.0, VisitStarted("nurse"))
        for hour, room in rounds(1.0):
            life.moves(24.0 * day + hour, room)
    assert drifts(life) == []


def test_two_bad_days_are_no_turn() -> None:
    life = lives(ordinary(), range(30, 32), lambda _: rounds(1.0, 12.0))
    lives(life, range(32, 45), lambda _: rounds(1.0))
    assert drifts(life) == []


def test_a_clock_that_jumps_by_years_is_no_drift() -> None:
    life = ordinary()
    life.wall_error = 9 * 365 * DAY + 12 * HOUR
    lives(life, range(30, 33), lambda _: rounds(1.0))
    life.wall_error = 0.0
    lives(life, range(33, 60), lambda _: rounds(1.0))
    assert drifts(life) == []


def test_what_is_known_of_the_routine_survives_a_restart_and_ticks_change_nothing() -> None:
    plain = lives(ordinary(), range(30, 60), lambda _: rounds(0.4))
    other = ordinary().restart(24.0 * 30 + 1.0, up_until=24.0 * 30 + 0.95, start="start2")
    for day in range(30, 60):
        for hour, room in rounds(0.4):
            other.moves(24.0 * day + hour, room).until(24.0 * day + hour + 0.01)
    assert drifts(plain) == drifts(other) != []
    assert copy.deepcopy(other.engine).snapshot() == other.engine.snapshot()


@given(st.lists(st.floats(0.05, 3.0), min_size=60, max_size=160))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_the_anchor_moves_slowly_and_memory_is_bounded(
    shares: list[float],
) -> None:
    routine, drift = Routine(), Drift()
    routine.begin(0.0)
    before: dict[str, float] = {}
    for day, share in enumerate(shares):
        for number in range(round(20 * share)):
            for sensor in ("a", "b", "c"):
                over = routine.event(
                    day * DAY + 7 * HOUR + number * 600.0,
                    sensor,
                    counts=True,
                    unknown_since=None,
                    doubtful=tuple,
                )
                if over:
                    list(drift.judge(routine))
        if drift.days > KEEP:
            for sensor, usual in drift.usual.items():
                assert abs(usual / before[sensor] - 1.0) <= STEP + 1e-3
        before = dict(drift.usual)
        assert len(routine.rows) <= KEEP
        assert all(len(counts) == len(routine.rows) for counts in routine.counts.values())
