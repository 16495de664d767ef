"""Test whether a commit stores everything once, and all of it or nothing."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.domain.alert import Level
from gateway.domain.errors import JournalError
from gateway.domain.instant import Instant
from gateway.domain.observation import Heard, Measured, Pressed, Quantity, Switched
from gateway.journal import AlertReceived, RecordsReceived
from gateway.journal.store import translated
from gateway.runtime.storing import OF_AN_ITEM
from tests.support.journals import (
    NOON,
    alert,
    alerting,
    observation,
    observations,
    opened,
    summary,
    summing,
)


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    given = [
        observation(1, Pressed("help"), counter=7),
        observation(2, Measured("t1", Quantity.TEMPERATURE, 21.3), boot="boot-2"),
        observation(3, Switched("s1", on=False, fresh=False), counter=2**40),
    ]
    with opened(tmp_path) as journal:
        done = journal.commit(given, alerting(alert()), counters={"centre:c1": 4})
        assert done.last_sequence == 3
        assert done.alerts == (alert(),)
        journal_id = journal.journal_id
    with opened(tmp_path) as journal:
        assert list(journal.observations()) == given
        assert list(journal.observations(after=2)) == given[2:]
        assert journal.last_observation() == given[2]
        assert journal.journal_id == journal_id
        assert journal.last_sequence == 3
        assert journal.counter("sensor:help") == 7
        assert journal.counter("sensor:s1") == 2**40
        assert journal.counter("centre:c1") == 4
        assert journal.counter("sensor:t1") is None
        assert journal.alert(alert().id) == alert()
        assert journal.recovered is None


def test_an_unsynchronised_instant_of_1970_is_kept_as_it_is(tmp_path: Path) -> None:
    at = Instant("boot-0", 3.25, 3.5, synced=False)
    given = observation(1)
    given = type(given)(1, at, given.what)
    with opened(tmp_path) as journal:
        journal.commit([given])
        assert list(journal.observations()) == [given]


def test_the_same_alert_version_again_adds_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert()))
        again = journal.commit(decisions=alerting(alert(), alert(version=2), alert(version=2)))
        assert again.alerts == (alert(version=2),)
        assert [(row.sequence, row.message) for row in journal.waiting("alert")] == [
            (1, alert()),
            (2, alert(version=2)),
        ]


def test_the_same_summary_again_adds_nothing_but_a_clock_put_back_does(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(summary(), summary(600)))
        again = journal.commit(decisions=summing(summary(600), summary(events=9)))
        assert again.records == 1
        assert [row.message for row in journal.waiting("record")] == [
            summary(),
            summary(600),
            summary(events=9),
        ]


def test_the_same_observations_again_are_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 3))
        journal.commit(observations(2, 4))
        assert list(journal.observations()) == observations(1, 5)


def test_another_observation_under_a_number_that_is_taken_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 3))
        with pytest.raises(JournalError) as error:
            journal.commit([observation(4), observation(3, Heard("s9"))], alerting(alert()))
        assert error.value.reason == "sequence"
        assert journal.last_sequence == 3
        assert journal.waiting() == []


def test_a_value_that_cannot_be_stored_leaves_nothing_half_stored(tmp_path: Path) -> None:
    poison = observation(3, Switched("\ud800", on=True))
    with opened(tmp_path) as journal:
        journal.commit([observation(1, counter=1)])
        for bad in (poison, observation(3, counter=2**70)):
            with pytest.raises(JournalError) as error:
                journal.commit(
                    [observation(2, counter=5, boot="new"), bad],
                    alerting(alert()),
                    counters={"centre:c1": 1},
                )
            assert error.value.reason == "content"
        assert journal.counter("sensor:s1") == 1
        assert journal.counter("centre:c1") is None
        assert journal.waiting() == []
        journal.commit([observation(2, boot="new")])
    with opened(tmp_path) as journal:
        assert list(journal.observations()) == [
            observation(1, counter=1),
            observation(2, boot="new"),
        ]


def test_one_answer_of_the_centre_is_one_commit_with_its_counter(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=[*alerting(alert()), *summing(summary())])
        done = journal.commit(
            counters={"centre:c1": 9},
            receipts=[
                AlertReceived(alert().id, 1, NOON, "c1"),
                AlertReceived("unknown", 1, NOON, "c1"),
                RecordsReceived(1, NOON),
            ],
        )
        assert done.receipts == 2
    with opened(tmp_path) as journal:
        assert journal.waiting() == []
        assert journal.counter("centre:c1") == 9


def test_a_lazy_commit_holds_at_once_and_is_on_disk_with_the_next(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(summary()))
        before = journal.stats().bytes
        journal.commit(receipts=[RecordsReceived(1, NOON)], counters={"centre:c1": 2}, lazy=True)
        assert journal.waiting() == []
        assert journal.counter("centre:c1") == 2
        assert journal.stats().bytes == before
        assert journal.stats().waiting_records == 0
        journal.commit(observations(1, 1))
        assert journal.stats().bytes > before
    with opened(tmp_path) as journal:
        assert journal.waiting() == []
        assert journal.counter("centre:c1") == 2


def test_lazy_does_not_hold_up_what_must_not_be_lost(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        before = journal.stats().bytes
        journal.commit([observation(1)], alerting(alert()), lazy=True)
        assert journal.stats().bytes > before


def test_nothing_to_commit_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        before = journal.stats().bytes
        assert journal.commit().alerts == ()
        assert journal.stats().bytes == before


def test_sensors_counters_survive_many_observations_and_a_reopening(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for first in range(1, 2501, 100):
            journal.commit(observations(first, 100))
        journal.commit([observation(2501, Heard("s2"), counter=5)])
    with opened(tmp_path) as journal:
        assert journal.counter("sensor:s1") == 2500
        assert journal.counter("sensor:s2") == 5


def test_level_0_goes_by_the_record_lane_and_levels_above_by_the_alert_lane(tmp_path: Path) -> None:
    note, asked = alert("note", level=Level.NOTE), alert("asked", level=Level.WATCH)
    with opened(tmp_path) as journal:
        journal.commit(decisions=[*alerting(note, asked), *summing(summary())])
        assert [r.message for r in journal.waiting("alert")] == [asked]
        assert [r.message for r in journal.waiting("record")] == [note, summary()]
        assert [(r.lane, r.sequence) for r in journal.waiting()] == [
            ("alert", 1),
            ("record", 1),
            ("record", 2),
        ]


def test_every_method_says_journal_error_once_it_is_closed(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.close()
    with pytest.raises(JournalError):
        journal.commit(observations(1, 1))
    with pytest.raises(JournalError):
        journal.waiting()
    with pytest.raises(JournalError):
        journal.stats()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sqlite3.SQLITE_PROTOCOL, "journal"),
        (sqlite3.SQLITE_NOMEM, "journal"),
        (sqlite3.SQLITE_TOOBIG, "content"),
        (sqlite3.SQLITE_CONSTRAINT, "content"),
    ],
)
def test_only_what_a_value_is_to_blame_for_is_called_its_fault(code: int, reason: str) -> None:
    """What is called so is put away and never tried again (runtime/storing.py)."""
    error = sqlite3.OperationalError("anything")
    error.sqlite_errorcode = code
    assert translated(error, Path("data")).reason == reason
    assert (reason in OF_AN_ITEM) is (reason == "content")


def test_what_cannot_be_understood_is_noted_while_a_commit_waits_for_the_card(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        begun, goes_on = threading.Event(), threading.Event()

        def slow(_: sqlite3.Connection) -> None:
            begun.set()
            assert goes_on.wait(10), "the noting waited"

        def commit() -> None:
            with journal._turn:
                journal._store.transacted(slow)

        with ThreadPoolExecutor() as pool:
            writing = pool.submit(commit)
            assert begun.wait(10)
            journal.quarantine("downlink", b"junk", "signature", NOON)
            assert journal.quarantined == {"downlink": 1}
            goes_on.set()
            writing.result(10)
