"""Test whether nothing about an alert can be altered afterwards without a sign (T11)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.alert import Level
from gateway.journal import AlertReceived, Head, Journal, Keep, RecordsReceived
from gateway.journal.chain import RECEIPT, VERSION
from gateway.journal.reader import JournalReader
from tests.support.journals import (
    NOON,
    alert,
    alerting,
    observations,
    opened,
    receive,
    receive_records,
)

DAY = 86400.0


def write(journal: Journal, count: int = 5) -> None:
    for n in range(count):
        journal.commit(
            decisions=alerting(alert(str(n), seconds=float(n)), alert(f"n{n}", level=Level.NOTE))
        )
        journal.commit(
            receipts=[AlertReceived(alert(str(n)).id, 1, NOON + n, "c1")],
            counters={"centre:c1": n + 1},
        )


def altered(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "journal.db")
    for statement in statements:
        assert connection.execute(statement).rowcount >= 1, statement
    connection.commit()
    connection.close()


def test_the_chain_grows_with_versions_and_receipts_and_goes_on_after_reopening(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        assert journal.head.place == 0
        write(journal)
        assert journal.head.place == 15
        head = journal.head
        assert journal.verify().whole
        assert journal.verify().head == head
    with opened(tmp_path) as journal:
        assert journal.head == head
        write(journal, 6)  # five of them once more: nothing new
        assert journal.head.place == 18
        assert journal.verify().whole


ALTERATIONS = {
    "level": ("UPDATE alert SET level = 1 WHERE rowid_ = 3", VERSION),
    "closed": ("UPDATE alert SET open = 0 WHERE rowid_ = 3", VERSION),
    "when": ("UPDATE alert SET at = at + 60 WHERE rowid_ = 3", VERSION),
    "words": (
        "UPDATE outbox_alert SET body = replace(body, 'help', 'test') WHERE sequence = 3",
        VERSION,
    ),
    "note": (
        "UPDATE outbox_record SET body = replace(body, 'help', 'test') WHERE sequence = 3",
        VERSION,
    ),
    "receipt at": ("UPDATE alert SET received = received - 60 WHERE rowid_ = 3", RECEIPT),
    "receipt by": ("UPDATE alert SET receiver = 'c2' WHERE rowid_ = 3", RECEIPT),
    "receipt id": ("UPDATE alert SET answer = 99 WHERE rowid_ = 3", RECEIPT),
    "link": ("UPDATE outbox_alert SET link = x'00' WHERE sequence = 3", VERSION),
    "no link": ("UPDATE outbox_alert SET link = NULL WHERE sequence = 3", VERSION),
    "no receipt link": ("UPDATE alert SET receipt_link = NULL WHERE rowid_ = 3", RECEIPT),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_one_altered_record_is_found_and_named(tmp_path: Path, what: str) -> None:
    with opened(tmp_path) as journal:
        write(journal)
    statement, kind = ALTERATIONS[what]
    altered(tmp_path, statement.replace("rowid_ = 3", "lane = 'alert' AND sequence = 3"))
    with JournalReader(tmp_path) as reader:
        chain = reader.report().chain
    assert chain is not None
    assert chain.broken is not None
    assert chain.broken.kind == kind
    name = "n2" if what == "note" else "2"
    assert (chain.broken.alert_id, chain.broken.version) == (alert(name).id, 1)


@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM alert WHERE lane = 'alert' AND sequence = 3",),
        ("DELETE FROM outbox_alert WHERE sequence = 3",),
        ("UPDATE alert SET received = NULL WHERE lane = 'alert' AND sequence = 3",),
        ("DELETE FROM chain",),
        ("UPDATE outbox_alert SET place = 99 WHERE sequence = 3",),
    ],
)
def test_a_record_that_was_taken_out_is_missed(tmp_path: Path, statements: tuple[str, ...]) -> None:
    with opened(tmp_path) as journal:
        write(journal)
    altered(tmp_path, *statements)
    with JournalReader(tmp_path) as reader:
        assert not reader.report().whole


def test_what_the_centre_remembers_finds_a_tail_that_was_cut_off_or_rewritten(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        write(journal)
        told = journal.head
    with JournalReader(tmp_path) as reader:
        assert reader.report([told]).whole
        assert reader.report([Head(4, b"other")]).whole is False
    last = alert("4").id
    altered(
        tmp_path,
        f"UPDATE alert SET received = NULL, receipt_place = NULL WHERE id = '{last}'",
    )
    with JournalReader(tmp_path) as reader:
        assert reader.report().whole, "alone it looks like a receipt that never came"
        found = reader.report([told]).chain
        assert found is not None
        assert found.missing == told.place


@given(
    ended=st.lists(st.booleans(), min_size=1, max_size=12),
    days=st.lists(st.integers(0, 60), min_size=12, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_forgotten_the_chain_stays_whole(
    tmp_path_factory: pytest.TempPathFactory, ended: list[bool], days: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("chain")
    with opened(folder) as journal:
        for n, over in enumerate(ended):
            begun, day = str(n), days[n] * DAY
            journal.commit(decisions=alerting(alert(begun, seconds=day)))
            if over:
                journal.commit(decisions=alerting(alert(begun, 2, seconds=day, open=False)))
        journal.commit(decisions=alerting(alert("n", level=Level.NOTE, open=False)))
        for n, over in enumerate(ended):
            for version in (1, 2)[: 1 + over]:
                receive(journal, alert(str(n)).id, version)
        receive_records(journal, 1)
        head = journal.head
        gone = 0
        for now in (35, 50, 70, 100):
            gone += journal.retain(NOON + now * DAY).alerts
            assert journal.verify().whole
            assert journal.verify().head == journal.head == head
    with opened(folder) as journal:
        assert journal.head == head
        journal.commit(observations(1, 1), alerting(alert("later")))
        assert journal.verify().whole
        assert journal.head.place == head.place + 1


def test_the_anchor_moves_on_when_everything_before_it_is_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for n in range(6):
            journal.commit(decisions=alerting(alert(str(n)), alert(str(n), 2, open=n == 3)))
            for version in (1, 2):
                receive(journal, alert(str(n)).id, version)
        assert journal.retain(NOON + 40 * DAY, Keep()).alerts == 8
        assert journal.verify().whole
    connection = sqlite3.connect(tmp_path / "journal.db")
    stubs = [place for (place,) in connection.execute("SELECT place FROM chain ORDER BY place")]
    connection.close()
    assert stubs[0] == 12, "three alerts of two versions and two receipts are behind the anchor"
    assert stubs[1:] == [17, 18, 19, 20]
    altered(tmp_path, "UPDATE chain SET digest = x'01' WHERE place = 18")
    with JournalReader(tmp_path) as reader:
        assert not reader.report().whole


def test_records_received_leave_the_chain_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(alert("n", level=Level.NOTE)))
        head = journal.head
        journal.commit(receipts=[RecordsReceived(1, NOON)])
        assert journal.head == head
