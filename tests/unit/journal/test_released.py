"""Test whether the journal of every released version opens in this one, with everything in it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.domain.alert import Alert, Level
from gateway.domain.decisions import Summary
from gateway.journal import Journal
from gateway.journal.schema import MIGRATIONS, VERSION
from tests.support.journals import (
    alert,
    alerting,
    observation,
    opened,
    receive,
)

RELEASED = Path(__file__).parent / "released"
FILES = sorted(path.stem for path in RELEASED.glob("version-*.db"))


def placed(name: str, folder: Path) -> None:
    for beside in ("", "-wal"):
        source = RELEASED / f"{name}.db{beside}"
        if source.exists():
            shutil.copyfile(source, folder / f"journal.db{beside}")


def has_everything(journal: Journal) -> None:
    """What make_released.py wrote."""
    assert [o.sequence for o in journal.observations()] == list(range(1, 208))
    assert journal.unreadable == 0
    assert journal.counter("sensor:s1") == 1200
    assert journal.counter("sensor:s2") == 1500
    assert journal.counter("sensor:help") == 5
    assert journal.counter("hub:up") == 5
    assert journal.counter("centre:c1") == 17
    waiting = [(r.lane, r.level, r.message) for r in journal.waiting()]
    alerts = [m for lane, _, m in waiting if lane == "alert" and isinstance(m, Alert)]
    assert [(a.version, a.subject) for a in alerts] == [(1, "help"), (1, "help"), (2, "help")]
    records = [m for lane, _, m in waiting if lane == "record"]
    assert [m.events for m in records if isinstance(m, Summary)] == [
        {"s1": 1},
        {"s1": 2},
        {"s1": 3},
    ]
    everything = journal.alarms(0.0)
    assert len(everything) == 6
    assert sum(a.level is Level.NOTE for a in everything) == 1


def test_there_is_a_file_of_every_released_version() -> None:
    found = {int(name.split("-")[1]) for name in FILES}
    assert found >= set(range(1, VERSION))
    assert set(MIGRATIONS) == set(range(2, VERSION + 1))


@pytest.mark.parametrize("name", FILES)
def test_a_released_journal_opens_with_everything_in_it(tmp_path: Path, name: str) -> None:
    placed(name, tmp_path)
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        has_everything(journal)
        assert journal.verify().whole
        assert journal.verify().entries == 7 + 3, "versions and receipts are taken into the chain"
        journal.commit([observation(208)], alerting(alert("new")))
        assert receive(journal, alert("new").id, 1)
        assert journal.verify().whole
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        assert journal.last_sequence == 208
        assert journal.verify().entries == 12
    connection = sqlite3.connect(tmp_path / "journal.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_journal_of_a_released_version_is_salvaged(tmp_path: Path, name: str) -> None:
    placed(name, tmp_path)
    raw = (tmp_path / "journal.db").read_bytes()
    (tmp_path / "journal.db").write_bytes(b"\xff" * 100 + raw[100:])
    with opened(tmp_path) as journal:
        has_everything(journal)
        assert journal.verify().whole


def test_what_a_program_of_version_1_adds_is_taken_into_the_chain(tmp_path: Path) -> None:
    """A release is taken back and comes again: version 1 knows no chain."""
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("a")))
    connection = sqlite3.connect(tmp_path / "journal.db")
    body = connection.execute("SELECT body FROM outbox_alert").fetchone()[0]
    body = body.replace(alert("a").id, alert("b").id)
    connection.execute(
        "INSERT INTO alert (id, version, lane, sequence, level, open, at) VALUES "
        f"('{alert('b').id}', 1, 'alert', 2, 4, 1, 0.0)"
    )
    connection.execute(
        "INSERT INTO outbox_alert (sequence, created, body) VALUES (2, 0.0, ?)", (body,)
    )
    connection.execute("UPDATE alert SET received = 5.0, receiver = 'c1' WHERE sequence = 1")
    connection.commit()
    connection.close()
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        assert journal.verify().whole
        assert journal.head.place == 3
