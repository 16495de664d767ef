"""A changed battery: told, re-armed by a person on site, and what old frames can do then."""

from __future__ import annotations

import pytest

from gateway.security.frames import (
    FRESH,
    HELD,
    IN_DOUBT,
    REARM_WINDOW,
    STEP,
    FrameGuard,
    Kept,
    Reason,
    Refused,
    Verdict,
)

A, B = b"a", b"b"


def commit(guard: FrameGuard, now: float = 0.0) -> Kept:
    kept = guard.keep(now)
    guard.stored(kept)
    return kept


def aside(last: int = 1000, by: int = 0) -> FrameGuard:
    """A guard whose sensor was at ``last`` and is set aside by a frame with another battery."""
    guard = FrameGuard(keyed=True)
    guard.judge(last, A, 0.0)
    commit(guard)
    assert isinstance(guard.judge(by, A, 0.0), Refused)
    guard.faults()
    assert guard.aside
    return guard


def rearmed(last: int = 1000) -> FrameGuard:
    """The same, with a new battery and re-armed at counter 1."""
    guard = aside(last)
    guard.rearm(0.0)
    assert guard.judge(1, A, 0.0) == IN_DOUBT
    commit(guard)
    return guard


def refused(verdict: Verdict) -> Reason | None:
    return verdict.reason if isinstance(verdict, Refused) else None


def test_a_new_battery_is_told_re_armed_and_counts_again() -> None:
    guard = aside()
    guard.rearm(0.0)
    assert guard.judge(1, A, 5.0) == IN_DOUBT, "the vouched frame itself is not life"
    assert guard.faults() == [("replay", False)]
    assert guard.judge(2, A, 6.0) == HELD, "nothing is reserved for the new counters yet"
    commit(guard)
    assert guard.judge(3, A, 7.0) == FRESH
    assert not guard.aside


def test_a_re_arming_that_nobody_uses_is_over() -> None:
    guard = aside()
    guard.rearm(0.0)
    assert refused(guard.judge(1, A, REARM_WINDOW + 1)) is Reason.SET_ASIDE
    assert guard.aside


def test_a_re_arming_holds_for_one_frame() -> None:
    guard = rearmed()
    assert refused(guard.judge(0, B, 0.0)) is Reason.REPLAY


def test_frames_heard_while_set_aside_start_nothing() -> None:
    guard = aside(by=0)
    guard.judge(1, B, 0.0)
    guard.rearm(0.0)
    for counter, payload in ((0, A), (1, B), (1000, A)):
        assert refused(guard.judge(counter, payload, 1.0)) is Reason.REPEATED
    assert guard.judge(2, A, 1.0) == IN_DOUBT


def test_a_repeat_of_the_last_frame_does_not_use_up_a_re_arming() -> None:
    guard = FrameGuard(keyed=True)
    guard.judge(1000, A, 0.0)
    guard.rearm(0.0)
    assert refused(guard.judge(1000, A, 1.0)) is Reason.REPEATED
    assert guard.judge(0, A, 2.0) == IN_DOUBT
    assert not guard.aside


def test_after_an_attack_what_was_missed_while_set_aside_starts_nothing() -> None:
    """One replay sets the sensor aside; it goes on and is not believed. Who played the frames of
    that time at the technician's visit had an evening of life to give away."""
    guard = aside(last=1000, by=500)
    for counter in range(1001, 1501):
        assert isinstance(guard.judge(counter, A, 0.0), Refused)
    guard.rearm(0.0)
    for counter in range(1001, 1501):
        assert isinstance(guard.judge(counter, A, 1.0), Refused)
    assert guard.judge(1501, A, 2.0) == IN_DOUBT
    commit(guard)
    assert guard.judge(1502, A, 3.0) == FRESH
    assert refused(guard.judge(1400, A, 4.0)) is Reason.REPLAY


def test_after_a_restart_an_old_frame_at_a_re_arming_is_found_out_at_the_sensor_s_next() -> None:
    guard = aside(last=1000, by=500)
    for counter in range(1001, 1501):
        guard.judge(counter, A, 0.0)
    again = FrameGuard(keyed=True, kept=commit(guard))
    again.rearm(0.0)
    again.judge(1001, A, 1.0)
    assert refused(again.judge(1501, A, 2.0)) is Reason.REPLAY
    assert again.aside


def test_an_old_frame_that_wins_the_race_of_a_re_arming_is_found_out() -> None:
    guard = aside(last=1000, by=500)
    guard.rearm(0.0)
    assert guard.judge(300, A, 1.0) == IN_DOUBT, "a person vouched for it"
    commit(guard)
    assert refused(guard.judge(1001, A, 2.0)) is Reason.REPLAY
    assert ("replay", True) in guard.faults()


def test_after_a_battery_change_an_old_frame_from_far_ahead_sets_aside() -> None:
    guard = rearmed(last=10_000)
    assert guard.judge(2, A, 0.0) == FRESH
    assert refused(guard.judge(2 + STEP + 1, B, 0.0)) is Reason.REPLAY


def test_a_leap_over_all_used_counters_is_a_leap_too() -> None:
    """What lies above the last counter known may have been used in seconds that were lost."""
    guard = rearmed(last=10_000)
    assert refused(guard.judge(10_001, B, 0.0)) is Reason.REPLAY


def test_time_explains_a_leap_and_so_does_the_time_that_nobody_listened() -> None:
    guard = rearmed(last=10_000)
    assert guard.judge(1 + STEP + 100, A, 100.0) in (FRESH, HELD)
    kept = commit(guard)
    slow = FrameGuard(keyed=True, kept=kept, now=0.0, away=0.0)
    assert refused(slow.judge(1000, A, 0.0)) is Reason.REPLAY
    away = FrameGuard(keyed=True, kept=kept, now=0.0, away=1000.0)
    assert not isinstance(away.judge(1000, A, 0.0), Refused)


def test_one_counter_with_two_payloads_is_an_old_frame_after_a_battery_change() -> None:
    guard = rearmed()
    assert guard.judge(2, A, 0.0) == FRESH
    assert refused(guard.judge(2, A, 0.0)) is Reason.REPEATED
    assert refused(guard.judge(2, B, 0.0)) is Reason.REPLAY


@pytest.mark.parametrize("heard", [2, 10, 60])
def test_an_old_frame_that_goes_on_where_the_sensor_is_is_found_out_at_its_next(heard: int) -> None:
    """The limit: only a new key closes the old counters for good."""
    guard = rearmed()
    for counter in range(2, heard + 1):
        assert not isinstance(guard.judge(counter, B, float(counter)), Refused)
    assert refused(guard.judge(2, A, float(heard))) is Reason.REPLAY
    assert guard.faults()[-1] == ("replay", True)


def test_once_the_old_counters_are_passed_a_sensor_is_like_any_other() -> None:
    guard = rearmed(last=100)
    for counter in range(2, 102):
        guard.judge(counter, A, 0.0)
        commit(guard)
    assert guard.judge(5000, A, 0.0) == HELD


def test_counters_of_lost_seconds_count_as_used_after_a_battery_change() -> None:
    before = FrameGuard(keyed=True)
    before.judge(1000, A, 0.0)
    on_disk = commit(before)
    assert [before.judge(n, A, 0.0) for n in (1001, 1002, 1003)] == [FRESH] * 3
    # The plug is pulled, the battery changed, the sensor re-armed.
    guard = FrameGuard(keyed=True, kept=on_disk)
    guard.judge(0, A, 0.0)
    guard.rearm(0.0)
    guard.judge(1, A, 0.0)
    assert commit(guard).used == on_disk.reserve
    # It comes as far as before, and then somebody plays a frame of the lost seconds.
    counter = 1
    while counter < 1000:
        counter = min(1000, counter + STEP)
        assert not isinstance(guard.judge(counter, A, 0.0), Refused)
    guard.judge(1003, A, 0.0)
    assert refused(guard.judge(1001, B, 0.0)) is Reason.REPLAY


def test_a_plug_pulled_before_the_commit_of_a_re_arming_undoes_it() -> None:
    guard = aside()
    on_disk = commit(guard)
    guard.rearm(0.0)
    guard.judge(1, A, 0.0)
    again = FrameGuard(keyed=True, kept=on_disk)
    assert again.aside
    assert refused(again.judge(2, A, 0.0)) is Reason.SET_ASIDE


def test_a_commit_from_before_a_re_arming_reserves_nothing_for_it() -> None:
    guard = aside()
    under_way = guard.keep(0.0)
    guard.rearm(0.0)
    guard.judge(1, A, 0.0)
    guard.stored(under_way)
    assert guard.judge(2, A, 0.0) == HELD
    assert guard.short
    commit(guard)
    assert guard.covers(2)


def test_a_re_arming_survives_restarts_with_what_it_knows_of_old_counters() -> None:
    guard = rearmed(last=10_000)
    for kept in (guard.keep(0.0), guard.release()):
        again = FrameGuard(keyed=True, kept=kept)
        assert not again.aside
        assert refused(again.judge(5000, A, 0.0)) is Reason.REPLAY


def test_re_arming_a_sensor_that_goes_on_changes_nothing_for_it() -> None:
    guard = FrameGuard(keyed=True)
    guard.judge(1000, A, 0.0)
    commit(guard)
    guard.rearm(0.0)
    assert guard.judge(1001, A, 0.0) == IN_DOUBT
    assert guard.judge(1002, A, 0.0) == FRESH
