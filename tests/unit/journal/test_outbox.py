"""Test whether messages wait until the centre's application has answered, and in which order."""

from __future__ import annotations

from pathlib import Path

from gateway.domain.alert import Level
from tests.support.journals import (
    NOON,
    Wall,
    alert,
    alerting,
    opened,
    receive,
    receive_records,
    summary,
    summing,
)


def test_the_highest_level_comes_first_then_the_older(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for name, level in (("w", 2), ("e1", 4), ("a", 3), ("e2", 4)):
            journal.commit(decisions=alerting(alert(name, level=Level(level))))
        assert [r.sequence for r in journal.waiting("alert")] == [2, 4, 3, 1]
        assert [r.level for r in journal.waiting("alert", limit=2)] == [4, 4]


def test_received_ends_the_waiting_of_that_version_only(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for version in (1, 2, 3):
            journal.commit(decisions=alerting(alert(version=version), alert("b", version=version)))
        assert receive(journal, alert().id, 2)
        left = [r.message for r in journal.waiting("alert")]
        assert left == [
            alert(),
            alert("b"),
            alert("b", 2),
            alert(version=3),
            alert("b", 3),
        ]
        assert not receive(journal, alert().id, 2), "again: without effect"
    with opened(tmp_path) as journal:
        assert [r.message for r in journal.waiting("alert")] == left


def test_received_for_what_was_never_sent_has_no_effect(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert()))
        assert not receive(journal, "01JUNKJUNKJUNKJUNKJUNKJUNK", 1)
        assert not receive(journal, alert().id, 2), "a version to come"
        assert not receive(journal, alert().id, 0)
        assert len(journal.waiting("alert")) == 1


def test_records_are_received_up_to_a_number(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(*(summary(600.0 * n) for n in range(5))))
        receive_records(journal, 3)
        receive_records(journal, 2)  # never back
        assert [r.sequence for r in journal.waiting("record")] == [4, 5]
        assert journal.stats().waiting_records == 2


def test_a_receipt_for_records_that_do_not_exist_yet_swallows_none_of_them(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(summary()))
        receive_records(journal, 1_000_000)
        receive_records(journal, -1)
        journal.commit(decisions=summing(summary(600)))
        assert len(journal.waiting("record")) == 2


def test_attempts_are_counted_until_the_receipt(tmp_path: Path) -> None:
    wall = Wall()
    with opened(tmp_path, wall=wall) as journal:
        journal.commit(decisions=[*alerting(alert()), *summing(summary())])
        wall.wall += 50
        for seconds in (10, 20):
            journal.sent("alert", 1, NOON + seconds)
        row, record = journal.waiting()
        assert (row.attempts, row.first_sent, row.last_sent) == (2, NOON + 10, NOON + 20)
        assert row.created == NOON
        assert (record.attempts, record.first_sent, record.last_sent) == (0, None, None)


def test_numbers_of_a_lane_go_on_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("a"), alert("b")))
        receive(journal, alert("b").id, 1)
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("c")))
        assert [r.sequence for r in journal.waiting("alert")] == [1, 3]
        assert journal.stats().alert_head == 3


def test_ten_thousand_messages_wait_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for n in range(0, 10_000, 500):
            journal.commit(
                decisions=[
                    *alerting(*(alert(str(k)) for k in range(n, n + 250))),
                    *summing(*(summary(600.0 * k) for k in range(n, n + 250))),
                ]
            )
        stats = journal.stats()
        assert (stats.waiting_alerts, stats.waiting_records) == (5000, 5000)
        assert [r.sequence for r in journal.waiting(limit=3)] == [1, 2, 3]


def test_alarms_are_open_ones_first_then_those_that_ended_lately(tmp_path: Path) -> None:
    ended = alert("ended", version=2, level=Level.WARNING, seconds=500, open=False)
    long_ago = alert("long ago", seconds=-500, open=False)
    note = alert("note", level=Level.NOTE)
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("ended", level=Level.WARNING), long_ago, note))
        journal.commit(decisions=alerting(ended, alert("low", level=Level.WATCH), alert("high")))
        assert journal.alarms(NOON) == [
            alert("high"),
            alert("low", level=Level.WATCH),
            note,
            ended,
        ]
        assert journal.alarms(NOON, least_level=1) == [
            alert("high"),
            alert("low", level=Level.WATCH),
            ended,
        ]
        assert journal.alert(ended.id) == ended
        assert journal.alert("unknown") is None


def test_stats_tell_how_long_the_oldest_alert_has_waited(tmp_path: Path) -> None:
    wall = Wall()
    with opened(tmp_path, wall=wall) as journal:
        assert journal.stats().oldest_alert is None
        journal.commit(decisions=alerting(alert("a")))
        wall.wall += 60
        journal.commit(decisions=alerting(alert("b", level=Level.NOTE), alert("c")))
        assert journal.stats().oldest_alert == NOON
        receive(journal, alert("a").id, 1)
        assert journal.stats().oldest_alert == NOON + 60
        assert journal.stats().waiting_alerts == 1
        assert journal.stats().open_alerts == 2
