"""What ends sessions is found, set aside, and never dropped."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.delivery import AlertLane, RecordLane
from gateway.uplink.suspects import AGAIN, STRIKES, Suspects
from tests.unit.uplink.test_delivery import ids, record, row, send


def test_what_was_under_way_three_times_in_a_row_is_a_suspect() -> None:
    suspects = Suspects()
    for _ in range(STRIKES - 1):
        assert suspects.broke([1, 2], 0.0) == []
    suspects.acquit(2)
    assert suspects.broke([1, 2], 0.0) == [1]
    assert 1 in suspects
    assert 2 not in suspects


def test_a_suspect_that_ends_a_session_alone_is_tried_ever_more_rarely() -> None:
    suspects = Suspects()
    for _ in range(STRIKES):
        suspects.broke([1], 0.0)
    assert suspects.due(0.0) == [1]
    assert suspects.proven == 0, "it was not alone"
    waits = []
    now = 0.0
    for _ in range(10):
        suspects.broke([1], now)
        waits.append((suspects.next_due() or 0.0) - now)
        now += waits[-1]
    assert waits[0] == AGAIN[0]
    assert waits == sorted(waits)
    assert waits[-1] == AGAIN[1]
    assert suspects.proven == 1


def test_an_acknowledgement_acquits() -> None:
    suspects = Suspects()
    for _ in range(STRIKES):
        suspects.broke([1], 0.0)
    assert suspects.acquit(1)
    assert not suspects.acquit(1)
    assert len(suspects) == 0
    assert suspects.broke([1], 0.0) == []


def test_suspects_are_forgotten_with_the_row() -> None:
    suspects = Suspects()
    for _ in range(STRIKES):
        suspects.broke([1, 2], 0.0)
    suspects.keep({2})
    assert suspects.due(0.0) == [2]


def test_a_suspect_is_not_sent_with_the_others_and_does_not_hold_them_up() -> None:
    lane = AlertLane(Random(0))
    rows = [row(1, 4), row(2, 1)]
    lane.refresh(rows)
    for _ in range(STRIKES):
        assert 1 in ids(lane.take(0.0, 9))
        for taken in lane.take(0.0, 9):
            lane.sent(taken, 0.0)
        lane.landed(2)
        lane.suspects.acquit(2)
        broken = lane.broke(0.0)
        lane.restart()
    assert ids(broken) == [1]
    assert send(lane, 1.0) == [2]
    suspect = lane.take_suspect(1.0)
    assert suspect is not None
    assert suspect.sequence == 1
    lane.sent(suspect, 1.0)
    assert lane.take_suspect(1.0) is None, "under way"
    lane.broke(2.0)
    lane.restart()
    assert lane.take_suspect(3.0) is None, "its turn comes later"
    assert lane.take_suspect(2.0 + AGAIN[0]) is not None


def test_records_go_one_by_one_while_one_is_suspected() -> None:
    lane = RecordLane(Random(0))
    lane.refresh([record(n) for n in range(1, 5)])
    for _ in range(STRIKES):
        for taken in lane.take(0.0, 9):
            lane.sent(taken, 0.0)
        lane.broke(0.0)
        lane.restart()
    assert len(lane.suspects) == 4
    order = []
    for _ in range(4):
        (one,) = lane.take(1.0, 9)
        lane.sent(one, 1.0)
        assert lane.take(1.0, 9) == []
        lane.landed(one.sequence)
        lane.suspects.acquit(one.sequence)
        order.append(one.sequence)
    assert order == [1, 2, 3, 4]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16))
def test_whichever_message_ends_sessions_all_others_get_through(
    count: int, poison: int, room: int
) -> None:
    """Each session: what is taken lands in order up to the poison, which ends it."""
    lane = AlertLane(Random(0))
    lane.refresh([row(n, 1 + n % 4) for n in range(1, count + 1)])
    landed: set[int] = set()
    now = 0.0
    for _ in range(STRIKES * count + 10):
        while rows := lane.take(now, room):
            for taken in rows:
                lane.sent(taken, now)
            if poison in ids(rows):
                break
            for taken in rows:
                lane.landed(taken.sequence)
                lane.suspects.acquit(taken.sequence)
                landed.add(taken.sequence)
        else:
            suspect = lane.take_suspect(now)
            if suspect is None:
                break
            lane.sent(suspect, now)
            if suspect.sequence != poison:
                lane.landed(suspect.sequence)
                lane.suspects.acquit(suspect.sequence)
                landed.add(suspect.sequence)
                continue
        lane.broke(now)
        lane.restart()
        now += 1.0
    assert landed == set(range(1, count + 1)) - {poison}
