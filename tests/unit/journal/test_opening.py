"""Test whether a hub always gets a journal, and never at the price of one that was whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.alert import Alert
from gateway.domain.decisions import Summary
from gateway.domain.errors import JournalError
from gateway.journal import Journal, stats
from gateway.journal.schema import APPLICATION, VERSION, Unusable, create, migrate
from tests.support.journals import (
    HUB,
    NOON,
    alert,
    alerting,
    observation,
    observations,
    opened,
    receive,
    summary,
    summing,
    tell,
)

FILE = "journal.db"


def filled(folder: Path) -> str:
    """A journal with something in it; returns its id."""
    with opened(folder) as journal:
        journal.commit(observations(1, 200), alerting(alert()))
        return journal.journal_id


def altered(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / FILE)
    connection.execute(statement)
    connection.commit()
    connection.close()


def zero_header(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(bytes(100) + raw[100:])


def nulls(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def text(path: Path) -> None:
    path.write_bytes(b"this is not a database\n" * 100)


def cut(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 4])


def scribble(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for at in range(512, len(raw), 512):  # the head of every page but the first
        raw[at : at + 8] = b"\xff" * 8
    path.write_bytes(bytes(raw))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "last"),
    [(zero_header, 200), (nulls, 0), (text, 0), (cut, 0), (scribble, 0), (folder, 0)],
)
def test_a_damaged_file_is_set_aside_and_a_new_journal_begins(
    tmp_path: Path, damage: Callable[[Path], None], last: int
) -> None:
    before = filled(tmp_path)
    damage(tmp_path / FILE)
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.kept == tmp_path / f"{FILE}.damaged-1"
        assert journal.recovered.kept.exists()
        assert journal.journal_id != before
        assert journal.last_sequence == journal.recovered.salvaged.observations == last
        journal.commit(observations(last + 1, 1), alerting(alert()))
    with opened(tmp_path) as journal:
        assert journal.recovered is not None, "nobody was told yet"
        tell(journal)
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        assert journal.last_sequence == last + 2


def test_each_damaged_file_is_kept(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        filled(tmp_path)
        text(tmp_path / FILE)
        with opened(tmp_path) as journal:
            assert journal.recovered is not None
            assert journal.recovered.kept.name == f"{FILE}.damaged-{n}"


def test_a_file_of_no_bytes_is_a_new_journal(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 1))
        assert journal.recovered is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (f"PRAGMA application_id = {APPLICATION + 1}", "not-a-journal"),
        ("UPDATE journal SET hub = 'hub-7f3b'", "damaged"),
        ("DELETE FROM journal", "damaged"),
        ("DROP TABLE outbox_alert", "damaged"),
        (f"PRAGMA user_version = {VERSION + 1}", None),
        ("PRAGMA user_version = 0", "too-old"),
    ],
)
def test_a_journal_that_is_not_ours_is_set_aside(
    tmp_path: Path, statement: str, reason: str | None
) -> None:
    before = filled(tmp_path)
    altered(tmp_path, statement)
    with opened(tmp_path) as journal:
        assert (journal.recovered and journal.recovered.reason) == reason
        assert (journal.journal_id == before) is (reason is None)


def test_a_flipped_bit_in_our_name_makes_no_other_hub_of_us(tmp_path: Path) -> None:
    filled(tmp_path)
    altered(tmp_path, "UPDATE journal SET hub = 'hub-7f3b'")
    with opened(tmp_path) as journal:
        assert [row.message for row in journal.waiting("alert")] == [alert()]
        assert journal.last_sequence == 200


def test_the_journal_of_another_hub_is_set_aside(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path, hub="hub-other") as journal:
        assert journal.recovered is not None
        assert journal.recovered.reason == "other-hub"
        assert journal.waiting() == []


def test_a_newer_journal_that_says_so_is_set_aside_until_the_newer_program_is_back(
    tmp_path: Path,
) -> None:
    before = filled(tmp_path)
    altered(tmp_path, f"PRAGMA user_version = {VERSION + 2}")
    altered(tmp_path, f"UPDATE journal SET compatible = {VERSION + 1}")
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.reason == "newer"
        assert journal.journal_id != before


def test_migrations_run_step_by_step_and_only_once() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(connection, "id", HUB, NOON)
    steps = {
        VERSION + 1: ("CREATE TABLE extra (n INTEGER)", "INSERT INTO extra VALUES (1)"),
        VERSION + 2: ("UPDATE extra SET n = n + 1",),
    }
    assert migrate(connection, migrations=steps, version=VERSION + 2) == 2
    assert migrate(connection, migrations=steps, version=VERSION + 2) == 0
    assert connection.execute("SELECT n FROM extra").fetchall() == [(2,)]
    with pytest.raises(Unusable, match="too-old"):
        migrate(connection, migrations=steps, version=VERSION + 3)
    connection.close()


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        with pytest.raises(JournalError) as error:
            opened(tmp_path)
        assert error.value.reason == "in-use"
        journal.commit(observations(1, 1))
    with opened(tmp_path) as journal:
        assert journal.last_sequence == 1


def test_a_folder_that_cannot_be_made_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError):
        opened(tmp_path / "file" / "data")


def test_damage_that_is_met_while_running_is_found_at_the_next_opening(tmp_path: Path) -> None:
    filled(tmp_path)
    damage_observations(tmp_path / FILE)
    with opened(tmp_path) as journal:  # the small tables are whole: nothing to see yet
        assert journal.recovered is None
        with pytest.raises(JournalError) as error:
            list(journal.observations())
        assert error.value.reason == "damaged"
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.reason == "damaged"


def damage_observations(path: Path) -> None:
    """Spoil a page in the middle of the table of observations."""
    connection = sqlite3.connect(path)
    raw = bytearray(path.read_bytes())
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'observation'")
    page = (root.fetchone()[0] - 1) * 512
    connection.close()
    first = int.from_bytes(raw[page + 12 : page + 14], "big")  # cell pointer of an interior page
    child = int.from_bytes(raw[page + first : page + first + 4], "big")
    raw[(child - 1) * 512 : child * 512] = b"\xff" * 512
    path.write_bytes(bytes(raw))


def test_an_observation_that_cannot_be_read_is_passed_over_and_counted(tmp_path: Path) -> None:
    filled(tmp_path)
    altered(
        tmp_path, """UPDATE observation SET what = '{"type":"of-tomorrow"}' WHERE sequence = 7"""
    )
    altered(tmp_path, "UPDATE observation SET what = 999 WHERE sequence = 8")
    with opened(tmp_path) as journal:
        found = [o.sequence for o in journal.observations()]
        assert found == [n for n in range(1, 201) if n not in (7, 8)]
        assert journal.unreadable == 2


def test_a_message_that_cannot_be_read_holds_up_nobody_behind_it(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit([observation(1)], alerting(alert("a"), alert("b")))
        altered(tmp_path, "UPDATE outbox_alert SET body = '{' WHERE sequence = 1")
        assert [r.sequence for r in journal.waiting()] == [2]
        assert journal.alarms(NOON) == [alert("b")]
        assert journal.unreadable == 1


def test_a_record_that_cannot_be_read_is_told_as_a_time_of_which_nothing_is_known(
    tmp_path: Path,
) -> None:
    """Else the centre, which answers up to a number, would answer for no record behind it."""
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(*(summary(600.0 * n) for n in range(20))))
        altered(tmp_path, "UPDATE outbox_record SET body = '{' WHERE sequence <= 17")
        rows = journal.waiting("record", 18)
        assert [row.sequence for row in rows] == list(range(1, 19))
        told = rows[0].message
        assert isinstance(told, Summary)
        assert (told.start, told.events, told.blind) == (summary(0).start, {}, True)
        assert rows[-1].message == summary(600.0 * 17)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alert SET id = 'x' || id WHERE sequence = 1",
        "UPDATE alert SET lane = 'alerw' WHERE sequence = 1",
        "UPDATE alert SET sequence = 77 WHERE sequence = 1",
        "DELETE FROM alert WHERE sequence = 1",
    ],
)
def test_an_alert_whose_row_was_spoilt_without_sqlite_noticing_still_waits(
    tmp_path: Path, statement: str
) -> None:
    """Found by the faults: with another id in its small row its receipt had no effect."""
    told = (alert("a"), alert("b"))
    with opened(tmp_path) as journal:
        journal.commit([observation(1)], alerting(*told))
    altered(tmp_path, statement)
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        waiting = {
            row.message.id: row for row in journal.waiting() if isinstance(row.message, Alert)
        }
        assert set(waiting) == {one.id for one in told}
        for alert_id in waiting:
            assert receive(journal, alert_id, 1)
        assert journal.waiting() == []


def test_the_journal_is_not_readable_for_everybody(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as journal:
        journal.commit(observations(1, 1))
        for path in (tmp_path / "data").iterdir():
            assert path.stat().st_mode & 0o007 == 0, path
        assert (tmp_path / "data").stat().st_mode & 0o007 == 0


def test_durability_is_full_and_readers_see_it(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert isinstance(journal, Journal)
        reader = sqlite3.connect(tmp_path / FILE)
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        reader.close()
        assert stats(tmp_path).last_sequence == 0
