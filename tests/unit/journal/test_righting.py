"""Test whether a flipped bit in an alert's id, version or level is put right, or at least no longer
keeps its receipt from having an effect."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.domain.alert import Alert, Level
from gateway.domain.ids import is_ulid
from tests.support.full_journal import filled, whole
from tests.support.journals import alert, alerting, observation, opened, receive

FILE = "journal.db"


def altered(folder: Path, *changes: str) -> None:
    """What flipped bits would do to rows, done by hand: nothing that SQLite itself would notice."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        for change in changes:
            assert connection.execute(change).rowcount == 1


ID, RECEIVED = alert("b").id, alert("a").id
SPOILT = f"{ID[:-1]}^"
LINE = f"UPDATE alert SET id = '{SPOILT}' WHERE id = '{ID}'"
BODY = f"UPDATE outbox_alert SET body = replace(body, '{ID}', '{SPOILT}') WHERE body LIKE '%{ID}%'"
NOTE = BODY.replace(ID, '"level":1').replace(SPOILT, '"level":0')


def other(change: str, old: str) -> str:
    """The same with an id that a centre would take as well."""
    return change.replace(ID, old).replace(SPOILT, f"{old[:-1]}{'0' if old[-1] != '0' else '1'}")


@pytest.mark.parametrize(
    "damage",
    [
        BODY,
        LINE,
        NOTE,
        other(BODY, ID),
        other(LINE, ID),
        other(BODY, RECEIVED),
        other(LINE, RECEIVED),
    ],
)
def test_a_flipped_bit_in_one_of_an_alerts_two_rows_is_righted_by_the_other(
    tmp_path: Path, damage: str
) -> None:
    filled(tmp_path)
    altered(tmp_path, damage)
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.salvaged.bodiless == 0
        whole(journal)


def test_without_its_place_in_the_chain_an_id_that_stands_elsewhere_is_believed(
    tmp_path: Path,
) -> None:
    filled(tmp_path)
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("b", 2, level=Level.WATCH)))
    second = other(LINE, ID) + " AND version = 2"
    altered(tmp_path, second, "UPDATE outbox_alert SET link = x'00' WHERE sequence = 2")
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        waiting = [row.message for row in journal.waiting("alert")]
        assert waiting == [alert("b", n, level=Level.WATCH) for n in (1, 2)]


def test_without_its_place_in_the_chain_the_receipt_says_whose_it_is(tmp_path: Path) -> None:
    filled(tmp_path)
    altered(
        tmp_path, other(LINE, RECEIVED), "UPDATE outbox_alert SET link = x'00' WHERE sequence = 1"
    )
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        whole(journal)


def test_an_id_that_no_centre_would_take_becomes_one_that_it_takes(tmp_path: Path) -> None:
    filled(tmp_path)
    altered(tmp_path, LINE, BODY)
    with opened(tmp_path) as journal:
        (row,) = journal.waiting("alert")
        assert isinstance(row.message, Alert)
        assert is_ulid(row.message.id)
        assert row.message == msgspec.structs.replace(
            alert("b", level=Level.WATCH), id=row.message.id
        )
        assert receive(journal, row.message.id, 1)
        assert not list(journal.waiting("alert"))
        assert journal.verify().whole


@pytest.mark.parametrize(
    "damage",
    [
        f"UPDATE alert SET received = 0 WHERE id = '{ID}'",
        f"UPDATE alert SET lane = 'blert' WHERE id = '{ID}'",
        f"UPDATE alert SET sequence = 66 WHERE id = '{ID}'",
        f"UPDATE alert SET version = 'x' WHERE id = '{ID}'",
        f"UPDATE alert SET level = x'01' WHERE id = '{ID}'",
        f"DELETE FROM alert WHERE id = '{ID}'",
        "UPDATE outbox_alert SET place = NULL WHERE sequence = 2",
        "UPDATE outbox_alert SET sequence = 66 WHERE sequence = 2",
    ],
)
def test_the_newest_alert_never_drops_out_of_what_waits(tmp_path: Path, damage: str) -> None:
    """Nothing of this is damage to SQLite, and a chain without its last entry is still a chain."""
    filled(tmp_path)
    altered(tmp_path, damage)
    with opened(tmp_path) as journal:
        assert journal.stats().waiting_alerts == 1
        (row,) = journal.waiting("alert")
        assert row.message == alert("b", level=Level.WATCH)
        assert receive(journal, alert("b").id)
        assert journal.verify().whole


@pytest.mark.parametrize("column", ["wall", "boottime", "boot", "what", "counter", "synced"])
@pytest.mark.parametrize("value", ["'x'", "x'00'"])
@pytest.mark.parametrize("sequence", [1, 302])
def test_a_reading_that_holds_no_value_stops_no_hub(
    tmp_path: Path, column: str, value: str, sequence: int
) -> None:
    filled(tmp_path)
    altered(tmp_path, f"UPDATE observation SET {column} = {value} WHERE sequence = {sequence}")
    with opened(tmp_path) as journal:
        assert journal.stats().waiting_alerts == 1
        journal.commit([observation(400)], alerting(alert("c")))
        assert journal.alert(alert("c").id) == alert("c")
        assert len(list(journal.observations())) >= 302


def test_a_value_that_becomes_none_while_a_hub_runs_silences_no_heartbeat(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path) as journal:
        told = journal.stats()
        altered(tmp_path, "UPDATE observation SET wall = 'x' WHERE sequence = 302")
        altered(tmp_path, "UPDATE journal SET created = 'x'")
        assert journal.stats().waiting_alerts == told.waiting_alerts
