"""What is sent next, and when again (R4, R9), without any broker."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.decisions import Summary
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.journal import OutboxRow
from gateway.uplink.delivery import PAGE, RECORD_WINDOW, AlertLane, RecordLane

AT = Instant("b", 0.0, 0.0)


def row(sequence: int, level: int = 3, *, alert: int | None = None, version: int = 1) -> OutboxRow:
    message = Alert(
        id=ulid(1.0, alert if alert is not None else sequence),
        version=version,
        type=AlertType.INACTIVITY_ALARM,
        level=Level(level),
        state=AlertState.RAISED,
        at=AT,
        raised=AT,
    )
    return OutboxRow("alert", sequence, level, message, 0.0)


def record(sequence: int) -> OutboxRow:
    return OutboxRow("record", sequence, 0, Summary(0.0, 600.0, {}, False, False), 0.0)


def ids(rows: list[OutboxRow]) -> list[int]:
    return [r.sequence for r in rows]


def send(lane: AlertLane | RecordLane, now: float, room: int = 1000) -> list[int]:
    """Send all that is due; the broker takes it at once."""
    rows = lane.take(now, room)
    for taken in rows:
        lane.sent(taken, now)
        lane.landed(taken.sequence)
    return ids(rows)


def times_sent(lane: AlertLane | RecordLane, seconds: int) -> list[float]:
    times = []
    for second in range(seconds):
        times += [float(second)] * len(send(lane, float(second)))
    return times


def test_the_highest_level_goes_first_and_then_the_oldest() -> None:
    lane = AlertLane(Random(0))
    lane.refresh([row(1, 1), row(2, 4), row(3, 2), row(4, 4)])
    assert send(lane, 0.0) == [2, 4, 3, 1]


def test_a_new_alert_goes_before_the_repetition_of_a_higher_one() -> None:
    lane = AlertLane(Random(0))
    lane.refresh([row(1, 4)])
    send(lane, 0.0)
    lane.refresh([row(1, 4), row(2, 1)])
    assert send(lane, 100.0) == [2, 1]


@given(st.integers())
@settings(max_examples=20, deadline=None)
def test_an_unanswered_alert_is_repeated_as_r4_says_for_ever(seed: int) -> None:
    lane = AlertLane(Random(seed))
    lane.refresh([row(1)])
    times = times_sent(lane, 2 * 3600)
    waits = [b - a for a, b in pairwise(times)]
    assert waits[0] == 10
    assert all(5 <= w <= 21 for t, w in zip(times, waits, strict=False) if 0 < t < 160)
    assert all(40 <= w <= 61 for t, w in zip(times, waits, strict=False) if t > 200)
    assert times[-1] > 2 * 3600 - 62


def test_nothing_is_repeated_while_the_broker_has_not_taken_the_last_copy() -> None:
    lane = AlertLane(Random(0))
    lane.refresh([row(1)])
    (taken,) = lane.take(0.0, 1)
    lane.sent(taken, 0.0)
    assert lane.take(3600.0, 1) == []
    assert lane.next_due() is None
    lane.landed(1)
    assert ids(lane.take(3600.0, 1)) == [1]


def test_an_answer_for_a_newer_version_leaves_the_older_one_waiting() -> None:
    """Every number of the lane must arrive, or the centre would see a gap for ever."""
    lane = AlertLane(Random(0))
    lane.refresh([row(1, 1, alert=7), row(2, 2, alert=7, version=2)])
    assert send(lane, 0.0, room=1) == [2]
    lane.received(ulid(1.0, 7), 2)
    assert send(lane, 1.0) == [1]
    assert send(lane, 1000.0) == [1]
    lane.received(ulid(1.0, 7), 1)
    assert lane.next_due() is None


def test_a_new_session_sends_everything_unreceived_at_once() -> None:
    lane = AlertLane(Random(0))
    lane.refresh([row(1), row(2)])
    send(lane, 0.0)
    lane.restart()
    assert send(lane, 1.0) == [1, 2]


def test_without_a_centre_there_is_one_sending_at_once_and_then_the_slow_rate() -> None:
    lane = AlertLane(Random(0))
    lane.unhurried = True
    lane.refresh([row(1)])
    waits = [b - a for a, b in pairwise(times_sent(lane, 3600))]
    assert all(40 <= w <= 61 for w in waits)


def test_no_number_of_unanswered_alerts_hides_a_new_one() -> None:
    lane = AlertLane(Random(0))
    stored = [row(n, 4) for n in range(1, 5 * PAGE)]
    stored.append(row(5 * PAGE, 1))
    sent: set[int] = set()
    for _ in range(6):
        lane.refresh(stored[: lane.wanted()])
        sent.update(send(lane, 0.0))
    assert sent == {r.sequence for r in stored}
    lane.refresh(stored[: lane.wanted()])
    assert not lane.more


def test_records_go_in_order_with_a_bounded_number_under_way() -> None:
    lane = RecordLane(Random(0))
    lane.refresh([record(n) for n in range(1, RECORD_WINDOW + 1)])
    assert send(lane, 0.0, room=5) == [1, 2, 3, 4, 5]
    assert send(lane, 0.0) == list(range(6, RECORD_WINDOW + 1))
    assert send(lane, 1.0) == []
    lane.received(10)
    lane.refresh([record(n) for n in range(11, 27)])
    assert send(lane, 2.0) == list(range(17, 27))
    assert lane.awaited() == RECORD_WINDOW


def test_a_silent_centre_is_asked_with_one_record_ever_more_rarely() -> None:
    lane = RecordLane(Random(0))
    lane.refresh([record(n) for n in range(1, 17)])
    times = times_sent(lane, 24 * 3600)
    assert times.count(0.0) == 16
    assert len(times) < 16 + 16 + 24 * 3600 / 450 + 10
    lane.received(3)
    lane.refresh([record(n) for n in range(4, 20)])
    assert send(lane, 24 * 3600.0) == list(range(4, 20))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(1, 3)), max_size=60),
    st.integers(),
)
def test_whatever_is_answered_every_version_is_sent_and_what_is_unreceived_goes_on(
    steps: list[tuple[int, int, int]], seed: int
) -> None:
    """Each step: an alert gets a version, or a version is answered, or time passes."""
    lane = AlertLane(Random(seed))
    versions: dict[int, int] = {}
    waiting: list[OutboxRow] = []
    sent: list[int] = []
    made, now = 0, 0.0
    for what, alert, answered in steps:
        if what <= 1:
            made += 1
            versions[alert] = versions.get(alert, 0) + 1
            waiting.append(row(made, 1 + made % 4, alert=alert, version=versions[alert]))
        elif what == 2 and versions.get(alert, 0) >= answered:
            lane.received(ulid(1.0, alert), answered)
            waiting = [r for r in waiting if not _covered(r, alert, answered)]
        elif what == 3:
            lane.restart()
        now += answered * 7.0
        lane.refresh(sorted(waiting, key=lambda r: (-r.level, r.sequence)))
        sent += send(lane, now, room=answered)
    for _ in range(200):
        now += 10
        sent += send(lane, now)
    before = len(sent)
    for _ in range(9):
        now += 10
        sent += send(lane, now)
    assert {r.sequence for r in waiting} == set(sent[before:])
    assert set(sent) == set(range(1, made + 1))


def _covered(candidate: OutboxRow, alert: int, version: int) -> bool:
    message = candidate.message
    return (
        isinstance(message, Alert) and message.id == ulid(1.0, alert) and message.version <= version
    )
