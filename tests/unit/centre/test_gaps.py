"""Missing sequences are seen, filled and settled, whatever the order of arrival."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.centre import gaps, tables

KEY = ("hub", "journal", "record")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with fresh() as opened:
        yield opened


@contextlib.contextmanager
def fresh() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(tables.TABLES)
        yield db


def missing(db: sqlite3.Connection) -> set[int]:
    found: set[int] = set()
    for low, high in db.execute("SELECT low, high FROM gaps WHERE settled IS NULL"):
        assert not found & set(range(low, high + 1))
        found |= set(range(low, high + 1))
    return found


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_the_gaps_are_exactly_what_did_not_come_whatever_the_order(arrived: list[int]) -> None:
    with fresh() as db:
        for sequence in arrived:
            gaps.note(db, *KEY, sequence, 0.0)
            so_far = set(range(1, max(arrived) + 1))
        assert missing(db) == so_far - set(arrived)
        first_missing = min(set(range(1, 42)) - set(arrived))
        assert gaps.prefix(db, *KEY) == first_missing - 1


def test_a_new_journal_counts_from_one(db: sqlite3.Connection) -> None:
    gaps.note(db, *KEY, 3, 0.0)
    assert missing(db) == {1, 2}
    gaps.note(db, "hub", "another", "record", 1, 0.0)
    assert gaps.prefix(db, "hub", "another", "record") == 1


def test_records_that_the_hub_no_longer_holds_stop_no_receipt(db: sqlite3.Connection) -> None:
    # a new store meets an old hub: 1..99 were received by the store before
    gaps.note(db, *KEY, 100, 0.0)
    assert gaps.prefix(db, *KEY) == 0
    gaps.settle(db, *KEY, head=102, waiting=3, now=1.0)
    assert gaps.prefix(db, *KEY) == 100
    assert db.execute("SELECT low, high, settled FROM gaps").fetchall() == [
        (1, 99, gaps.HELD_RECEIVED)
    ]


def test_what_still_waits_is_no_loss(db: sqlite3.Connection) -> None:
    gaps.note(db, *KEY, 2, 0.0)
    gaps.settle(db, *KEY, head=4, waiting=4, now=1.0)
    assert missing(db) == {1}
    assert gaps.prefix(db, *KEY) == 0


def test_a_tail_that_was_received_elsewhere_is_seen_at_the_next_heartbeat(
    db: sqlite3.Connection,
) -> None:
    gaps.note(db, *KEY, 1, 0.0)
    gaps.settle(db, *KEY, head=5, waiting=0, now=1.0)
    assert db.execute("SELECT low, high, settled FROM gaps").fetchall() == [
        (2, 5, gaps.HELD_RECEIVED)
    ]
    assert gaps.prefix(db, *KEY) == 5


def test_an_overtaken_alert_is_settled_only_when_no_alert_waits(db: sqlite3.Connection) -> None:
    key = ("hub", "journal", "alert")
    gaps.note(db, *key, 1, 0.0)
    gaps.note(db, *key, 3, 0.0)
    gaps.settle(db, *key, head=3, waiting=1, now=1.0)
    assert missing(db) == {2}
    gaps.settle(db, *key, head=3, waiting=0, now=1.0)
    assert missing(db) == set()


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_settling_keeps_ranges_apart_and_never_touches_what_waits(
    arrived: list[int], head: int, waiting: int
) -> None:
    with fresh() as db:
        for sequence in arrived:
            gaps.note(db, *KEY, sequence, 0.0)
        before = missing(db)
        waiting = min(waiting, head)
        gaps.settle(db, *KEY, head=head, waiting=waiting, now=1.0)
        assert missing(db) == {n for n in before if n > head - waiting}
