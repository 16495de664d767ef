"""Sensors without a key: packet ids tell repeats from news, and no more."""

from __future__ import annotations

from gateway.security.frames import (
    AGAIN,
    FRESH,
    IN_DOUBT,
    OLDER,
    SAME_COUNTER,
    FrameGuard,
    Kept,
    Reason,
    Refused,
    Verdict,
)

A, B, C = b"a", b"b", b"c"


def heard(id: int) -> FrameGuard:
    guard = FrameGuard(keyed=False)
    assert guard.judge(id, A, 0.0) == IN_DOUBT
    return guard


def refused(verdict: Verdict) -> Reason | None:
    return verdict.reason if isinstance(verdict, Refused) else None


def test_after_packet_id_255_comes_0() -> None:
    guard = heard(254)
    assert [guard.judge(id, A, 0.0) for id in (255, 0, 1)] == [FRESH] * 3
    assert refused(guard.judge(255, A, 0.0)) is Reason.REPLAY
    assert not guard.aside


def test_a_packet_id_is_one_frame_however_late_it_comes_again() -> None:
    guard = heard(7)
    assert guard.judge(8, B, 0.0) == FRESH
    for now in (0.0, 4.5, 3600.0):
        assert refused(guard.judge(8, B, now)) is Reason.REPEATED


def test_a_second_payload_under_one_packet_id_is_no_event() -> None:
    guard = heard(7)
    assert guard.judge(7, B, 0.0) == SAME_COUNTER
    assert refused(guard.judge(7, C, 0.0)) is Reason.REPEATED


def test_an_older_packet_id_is_not_news_unless_the_sensor_was_away_for_long() -> None:
    guard = heard(100)
    assert refused(guard.judge(99, A, OLDER - 1)) is Reason.REPLAY
    assert guard.judge(99, A, OLDER) == IN_DOUBT
    assert guard.judge(100, A, OLDER) == FRESH


def test_a_restart_keeps_the_packet_id() -> None:
    for kept in (heard(7).keep(0.0), heard(7).release()):
        assert kept == Kept(7)
        again = FrameGuard(keyed=False, kept=kept)
        assert refused(again.judge(7, A, 0.0)) is Reason.REPEATED
        assert again.judge(8, A, 0.0) == FRESH


def test_without_packet_id_the_same_bytes_are_news_again_after_a_pause() -> None:
    guard = FrameGuard(keyed=False)
    assert guard.judge(None, A, 0.0) == SAME_COUNTER, "the first may be an old one"
    assert refused(guard.judge(None, A, AGAIN - 1)) is Reason.REPEATED
    assert refused(guard.judge(None, A, 2 * AGAIN - 2)) is Reason.REPEATED
    assert guard.judge(None, A, 3 * AGAIN) == FRESH
    assert guard.judge(None, B, 3 * AGAIN) == FRESH


def test_nothing_sets_it_aside_and_no_commit_is_asked_for() -> None:
    guard = heard(0)
    for id in (3, 250, 128, 7, 7, 0):
        guard.judge(id, A, 0.0)
        assert not guard.aside
        assert not guard.short
    assert guard.faults() == [("bad-key", False)]
