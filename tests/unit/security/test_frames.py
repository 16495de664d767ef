"""The guard of one keyed sensor: which frame counts, and what a plug that is pulled may cost."""

from __future__ import annotations

import pytest

from gateway.security.frames import (
    AHEAD_LEAST,
    AHEAD_MOST,
    AHEAD_SHRINKS,
    BAD_TOLD,
    FRESH,
    HELD,
    IN_DOUBT,
    NOTHING,
    QUIET,
    SAME_COUNTER,
    TRIES,
    FrameGuard,
    Kept,
    Reason,
    Refused,
    Verdict,
)

A, B, C = b"a", b"b", b"c"


def commit(guard: FrameGuard, now: float = 0.0) -> Kept:
    kept = guard.keep(now)
    guard.stored(kept)
    return kept


def begun(last: int = 1000) -> FrameGuard:
    """A guard that heard its sensor and committed."""
    guard = FrameGuard(keyed=True)
    assert guard.judge(last, A, 0.0) == IN_DOUBT
    commit(guard)
    guard.faults()
    return guard


def refused(verdict: Verdict) -> Reason | None:
    return verdict.reason if isinstance(verdict, Refused) else None


def test_the_first_frame_ever_is_believed_and_is_not_life() -> None:
    assert FrameGuard(keyed=True).judge(7, A, 0.0) == IN_DOUBT


def test_a_rising_counter_is_fresh_however_far_it_leaps() -> None:
    guard = begun()
    for counter in (1001, 1002, 5000, 2**31, 2**32 - 1):
        assert guard.judge(counter, A, 0.0) in (FRESH, HELD)
        commit(guard)
    assert guard.judge(0, A, 0.0) == Refused(Reason.REPLAY, authentic=True)


@pytest.mark.parametrize("counter", [999, 950, 100, 50, 1, 0])
def test_a_lower_counter_sets_the_sensor_aside_also_near_nought(counter: int) -> None:
    guard = begun()
    assert guard.judge(counter, A, 0.0) == Refused(Reason.REPLAY, authentic=True)
    assert guard.aside
    assert guard.faults() == [("replay", True)]
    assert refused(guard.judge(1001, A, 0.0)) is Reason.SET_ASIDE
    assert guard.faults() == []


def test_no_number_of_rising_frames_ends_being_set_aside() -> None:
    guard = begun()
    guard.judge(10, A, 0.0)
    for counter in range(11, 2000):
        assert isinstance(guard.judge(counter, B, float(counter)), Refused)
    assert guard.aside


def test_a_counter_of_16_bits_that_wraps_is_set_aside_and_told() -> None:
    guard = begun(0xFFFE)
    assert guard.judge(0xFFFF, A, 0.0) == FRESH
    assert refused(guard.judge(0, A, 0.0)) is Reason.REPLAY
    assert guard.faults() == [("replay", True)]


def test_an_equal_counter_passes_once_with_another_payload_and_is_no_event() -> None:
    guard = begun()
    assert guard.judge(1001, A, 0.0) == FRESH
    assert refused(guard.judge(1001, A, 0.0)) is Reason.REPEATED
    assert guard.judge(1001, B, 0.0) == SAME_COUNTER
    assert refused(guard.judge(1001, B, 0.0)) is Reason.REPEATED
    assert refused(guard.judge(1001, A, 0.0)) is Reason.REPEATED
    assert refused(guard.judge(1001, C, 0.0)) is Reason.REPEATED
    assert not guard.aside


def test_after_a_restart_an_equal_counter_does_not_pass_whatever_its_payload() -> None:
    guard = begun()
    kept = guard.release()
    for payload in (A, B):
        again = FrameGuard(keyed=True, kept=kept)
        assert refused(again.judge(1000, payload, 0.0)) is Reason.REPEATED
        assert not again.aside


def test_a_plain_frame_of_a_keyed_sensor_is_refused_and_told_until_it_is_quiet() -> None:
    guard = begun()
    assert refused(guard.judge(None, A, 0.0)) is Reason.DOWNGRADE
    assert guard.faults() == [("downgrade", True)]
    guard.judge(None, A, 1.0)
    assert guard.faults() == []
    guard.judge(1001, A, QUIET)
    assert guard.faults() == [], "not quiet for long enough"
    guard.judge(1002, A, 1.0 + QUIET)
    assert guard.faults() == [("downgrade", False)]


def test_false_check_values_change_nothing_but_are_told_after_some() -> None:
    guard = begun()
    before = guard.keep(0.0)
    for _ in range(BAD_TOLD - 1):
        assert refused(guard.bad_mic(0.0)) is Reason.BAD_KEY
    assert guard.faults() == []
    guard.bad_mic(0.0)
    assert guard.faults() == [("bad-key", True)]
    assert guard.keep(0.0) == before
    assert refused(guard.judge(1000, A, 0.0)) is Reason.REPEATED
    assert guard.judge(1001, A, QUIET) == FRESH
    assert guard.faults() == [("bad-key", False)]


def test_a_wrong_key_has_to_be_told_anew_after_it_was_quiet() -> None:
    guard = begun()
    for _ in range(BAD_TOLD):
        guard.bad_mic(0.0)
    guard.judge(1001, A, QUIET)
    guard.faults()
    for _ in range(BAD_TOLD - 1):
        guard.bad_mic(QUIET)
    assert guard.faults() == []


def test_guessing_check_values_is_limited_and_real_frames_pass_a_second_later() -> None:
    guard = begun()
    for _ in range(TRIES):
        assert guard.may_try(0.0) is None
        guard.bad_mic(0.0)
    flood = guard.may_try(0.0)
    assert flood is not None
    assert flood.reason is Reason.FLOOD
    assert guard.may_try(1.0) is None
    assert guard.judge(1001, A, 1.0) == FRESH
    looked_at = 0
    for tenth in range(10, 1010):
        if guard.may_try(tenth / 10) is None:
            guard.bad_mic(tenth / 10)
            looked_at += 1
    assert looked_at <= 101, "one a second"


def test_every_refusal_is_counted_by_its_reason() -> None:
    guard = begun()
    guard.judge(1000, A, 0.0)
    guard.judge(None, A, 0.0)
    guard.bad_mic(0.0)
    guard.judge(5, A, 0.0)
    guard.judge(6, A, 0.0)
    assert guard.refused == {
        Reason.REPEATED: 1,
        Reason.DOWNGRADE: 1,
        Reason.BAD_KEY: 1,
        Reason.REPLAY: 1,
        Reason.SET_ASIDE: 1,
    }


# -- what is on disk -------------------------------------------------------------------------------


def test_a_frame_above_the_mark_on_disk_waits_for_a_commit() -> None:
    guard = begun()
    verdicts = [guard.judge(counter, A, 0.0) for counter in range(1001, 1006)]
    assert verdicts == [FRESH] * AHEAD_LEAST + [HELD]
    assert not guard.covers(1005)
    commit(guard)
    assert guard.covers(1005)


def test_a_commit_is_asked_for_before_the_reservation_is_used_up() -> None:
    guard = begun()
    short = []
    for counter in range(1001, 1005):
        assert guard.judge(counter, A, 0.0) == FRESH
        short.append(guard.short)
    assert short == [False, False, True, True]
    commit(guard)
    assert not guard.short


def test_after_a_pulled_plug_frames_up_to_the_mark_are_in_doubt_and_those_above_count() -> None:
    guard = begun()
    kept = guard.keep(0.0)
    again = FrameGuard(keyed=True, kept=kept)
    assert kept.reserve == 1000 + AHEAD_LEAST
    verdicts = [again.judge(counter, A, 0.0) for counter in range(1001, 1006)]
    assert verdicts == [IN_DOUBT] * AHEAD_LEAST + [HELD]


def test_a_frame_that_counted_never_counts_after_a_pulled_plug() -> None:
    guard = begun()
    on_disk = guard.keep(0.0)
    counted = [n for n in range(1001, 1100) if guard.judge(n, A, 0.0) == FRESH]
    assert counted
    again = FrameGuard(keyed=True, kept=on_disk)
    for counter in counted:
        assert again.judge(counter, A, 0.0) == IN_DOUBT
    for counter in counted:
        assert isinstance(FrameGuard(keyed=True, kept=commit(again)).judge(counter, A, 0), Refused)


def test_a_clean_stop_leaves_nothing_in_doubt() -> None:
    guard = begun()
    guard.judge(1001, A, 0.0)
    kept = guard.release()
    assert (kept.last, kept.reserve) == (1001, 1001)
    assert guard.judge(1002, A, 0.0) == HELD, "nothing counts after the last commit"
    again = FrameGuard(keyed=True, kept=kept)
    assert again.judge(1002, A, 0.0) == HELD, "nothing is reserved yet"
    commit(again)
    assert again.covers(1002)


def test_what_was_in_doubt_stays_so_over_a_clean_stop() -> None:
    again = FrameGuard(keyed=True, kept=begun().keep(0.0))
    third = FrameGuard(keyed=True, kept=again.release())
    assert third.judge(1001, A, 0.0) == IN_DOUBT


def test_a_sensor_that_is_faster_than_the_commits_gets_more_and_never_more_than_the_most() -> None:
    guard = begun()
    counter = 1000
    for round in range(40):
        for _ in range(2000 if round > 20 else 20):
            counter += 1
            guard.judge(counter, A, 0.0)
        kept = commit(guard)
        assert kept.reserve is not None
        assert AHEAD_LEAST <= kept.reserve - counter <= AHEAD_MOST
    assert kept.reserve == counter + AHEAD_MOST


def test_after_a_busy_time_the_doubt_of_a_pulled_plug_shrinks_again() -> None:
    """A mark far ahead of a sensor that has become slow would silence it for days."""
    guard = begun()
    counter = 1000
    for _ in range(10):
        counter += 600
        guard.judge(counter, A, 0.0)
        commit(guard)
    ahead = []
    for hour in range(1, 11):
        counter += 1
        guard.judge(counter, A, hour * AHEAD_SHRINKS)
        kept = commit(guard, hour * AHEAD_SHRINKS)
        assert kept.reserve is not None
        ahead.append(kept.reserve - counter)
    assert ahead == [512, 256, 128, 64, 32, 16, 8, 4, 4, 4]
    verdicts = [guard.judge(counter + n, A, hour * AHEAD_SHRINKS) for n in range(1, 6)]
    assert verdicts == [FRESH] * 4 + [HELD]


def test_nothing_counts_above_a_mark_that_is_about_to_come_down() -> None:
    guard = begun()
    for counter in (1600, 2200):
        guard.judge(counter, A, 0.0)
        high = commit(guard)
    low = guard.keep(AHEAD_SHRINKS)
    assert high.reserve is not None
    assert low.reserve is not None
    assert low.reserve < high.reserve
    # Whether the commit is on disk is not known yet: both marks must hold.
    assert guard.judge(low.reserve + 1, A, AHEAD_SHRINKS) == HELD


def test_a_commit_that_failed_leaves_all_as_it_was() -> None:
    guard = begun()
    for counter in range(1001, 1005):
        guard.judge(counter, A, 0.0)
    guard.keep(0.0)
    assert guard.judge(1005, A, 0.0) == HELD
    assert not guard.covers(1005)


def test_a_sensor_set_aside_stays_so_over_restarts_and_is_told_again() -> None:
    guard = begun()
    guard.judge(5, A, 0.0)
    for kept in (guard.keep(0.0), guard.release()):
        again = FrameGuard(keyed=True, kept=kept)
        assert again.aside
        assert refused(again.judge(1001, A, 0.0)) is Reason.SET_ASIDE
        # The plug may have been pulled after the mark was stored and before the fault was.
        assert again.faults() == [("replay", True)]


def test_a_sensor_never_heard_keeps_nothing() -> None:
    guard = FrameGuard(keyed=True)
    assert guard.keep(0.0) == NOTHING
    assert guard.release() == NOTHING
