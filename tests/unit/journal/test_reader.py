"""Test whether one can look into a journal while the hub runs, and when it is dead."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.domain.errors import JournalError
from gateway.journal import JournalReader, stats
from tests.support.journals import (
    HUB,
    NOON,
    alert,
    alerting,
    observations,
    opened,
    summary,
    summing,
)

KILLED = """
import os, sys
from pathlib import Path
from tests.support.journals import alert, alerting, observations, opened
journal = opened(Path(sys.argv[1]))
journal.commit(observations(1, 9), alerting(alert()))
os.kill(os.getpid(), 9)
"""


def test_the_reader_sees_what_the_running_hub_has_committed(tmp_path: Path) -> None:
    with opened(tmp_path) as journal, JournalReader(tmp_path) as reader:
        assert reader.stats() == journal.stats()
        journal.commit(observations(1, 5), [*alerting(alert()), *summing(summary())])
        found = reader.stats()
        assert found == journal.stats()
        assert (found.hub, found.journal_id) == (HUB, journal.journal_id)
        assert (found.last_sequence, found.waiting_alerts, found.waiting_records) == (5, 1, 1)
        assert (found.first_observation, found.last_observation) == (NOON + 1, NOON + 5)
        assert reader.alarms(NOON) == [alert()]
        assert reader.last_observation() == observations(5, 1)[0]


def test_the_reader_holds_no_commit_up(tmp_path: Path) -> None:
    with opened(tmp_path) as journal, JournalReader(tmp_path) as reader:
        for n in range(1, 50):
            journal.commit(observations(n, 1))
            assert reader.stats().last_sequence == n


def test_the_reader_works_after_a_clean_end_and_leaves_the_file_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
    before = (tmp_path / "journal.db").read_bytes()
    assert stats(tmp_path).last_sequence == 5
    assert (tmp_path / "journal.db").read_bytes() == before
    with opened(tmp_path) as journal:
        assert journal.last_sequence == 5


def test_the_reader_works_after_a_kill(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    found = stats(tmp_path)
    assert (found.last_sequence, found.waiting_alerts) == (9, 1)
    with opened(tmp_path) as journal:
        assert journal.last_sequence == 9


def test_where_there_is_no_journal_the_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as error:
        stats(tmp_path)
    assert error.value.reason == "missing"


def test_a_damaged_journal_is_a_journal_error_for_the_reader(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database " * 100)
    with pytest.raises(JournalError) as error:
        stats(tmp_path)
    assert error.value.reason == "damaged"


def test_whoever_asks_does_not_wait_for_a_commit(tmp_path: Path) -> None:
    """A slow card must not hold up the heartbeat: reads have a connection of their own."""
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("a")))
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # the commit now waits for this
        begun = threading.Event()

        def slow() -> None:
            begun.set()
            journal.commit((), alerting(alert("b")))

        with ThreadPoolExecutor(1) as beside:
            commit = beside.submit(slow)
            begun.wait()
            assert journal.stats().waiting_alerts == 1
            assert [row.message for row in journal.waiting()] == [alert("a")]
            assert journal.alert(alert("a").id) == alert("a")
            assert journal.last_observation() is None
            assert not commit.done()
            other.execute("ROLLBACK")
            commit.result()
        other.close()
        assert journal.stats().waiting_alerts == 2
