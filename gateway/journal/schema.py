"""The journal's tables, their version, and how an older file is brought up to date.

Why the tables look as they do is mostly the price of writing (tests/bench/journal_cost.py): a
commit writes every page it touches, so few small pages, no AUTOINCREMENT and one secondary index.

``observation``   the truth: all that became known, by sequence
``boot``          boot ids, once each instead of in every observation
``phrase``        what sensors say again and again ("s03 is on"), once each likewise: an
                  observation is then 30 bytes instead of 95, and half as many pages are written
``counter``       named numbers; sensors' counters are brought here now and then (see history.py)
``alert``         one small row for each version of each alert: its lane, its receipt
``outbox_alert``  messages of level >= 1, never changed once written
``outbox_record`` level-0 notes and summaries, received up to the counter ``lane:record``
``hourly``        counts of readings by hour and sensor, of observations that are gone (P2)
``quarantine``    what could not be understood
``chain``         the hash chain's anchor, and digests of what is forgotten (see chain.py)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache

from gateway.journal import chain

VERSION = 2
"""Version of the tables below (PRAGMA user_version)."""

COMPATIBLE = 1
"""Oldest program, by its VERSION, that can still work with this file. A release that is taken back
then finds its journal again; raise it only for a change that older programs would break. (Version 1
knows no chain: what it adds is taken into the chain when version 2 is back.)"""

APPLICATION = 0x416E7331
"""PRAGMA application_id ("Ans1"): tells our file from any other SQLite file."""

PAGE_SIZE = 512
"""Bytes. A commit writes every page it touches, five to nine of them, to the WAL. Measured with
tests/bench/journal_cost.py, an alarm with its receipt and a day of 5,000 observations:
512: 15.6 kB, 8.4 MB; 1024: 19.3 kB, 10.4 MB; and 4096, with longer rows: 37 kB, 25 MB."""

TABLES = (
    """CREATE TABLE journal (
        id TEXT NOT NULL, hub TEXT NOT NULL, created REAL NOT NULL, compatible INTEGER NOT NULL)""",
    "CREATE TABLE boot (number INTEGER PRIMARY KEY, id TEXT NOT NULL)",
    "CREATE TABLE phrase (number INTEGER PRIMARY KEY, what TEXT NOT NULL)",
    # what: JSON, or the number of a phrase; without a declared type it stays what it was
    """CREATE TABLE observation (
        sequence INTEGER PRIMARY KEY, boot INTEGER NOT NULL, boottime REAL NOT NULL,
        wall REAL NOT NULL, synced INTEGER NOT NULL, what NOT NULL, counter INTEGER)""",
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE alert (
        id TEXT NOT NULL, version INTEGER NOT NULL, lane TEXT NOT NULL, sequence INTEGER NOT NULL,
        level INTEGER NOT NULL, open INTEGER NOT NULL, at REAL NOT NULL, received REAL,
        receiver TEXT, answer INTEGER, receipt_place INTEGER, receipt_link BLOB,
        PRIMARY KEY (id, version)) WITHOUT ROWID""",
    """CREATE TABLE outbox_alert (
        sequence INTEGER PRIMARY KEY, created REAL NOT NULL, body TEXT NOT NULL,
        place INTEGER, link BLOB)""",
    """CREATE TABLE outbox_record (
        sequence INTEGER PRIMARY KEY, created REAL NOT NULL, start REAL, body TEXT NOT NULL,
        place INTEGER, link BLOB)""",
    "CREATE INDEX outbox_record_start ON outbox_record (start) WHERE start IS NOT NULL",
    """CREATE TABLE hourly (
        hour INTEGER NOT NULL, sensor TEXT NOT NULL, events INTEGER NOT NULL,
        PRIMARY KEY (hour, sensor)) WITHOUT ROWID""",
    """CREATE TABLE quarantine (
        number INTEGER PRIMARY KEY, at REAL NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL,
        size INTEGER NOT NULL, hash TEXT NOT NULL, head TEXT NOT NULL)""",
    "CREATE TABLE chain (place INTEGER PRIMARY KEY, digest BLOB NOT NULL)",
)

CHECKED = ("journal", "boot", "phrase", "counter", "alert", "outbox_alert", "chain")
"""Tables whose structure is checked at each opening: small, and an alert may hang on them."""

Step = Callable[[sqlite3.Connection], object]
Migrations = Mapping[int, tuple[str | Step, ...]]
"""The version that a step leads to -> its statements, and what SQL alone cannot do."""


def _begin_chain(connection: sqlite3.Connection) -> None:
    journal_id, hub = connection.execute("SELECT id, hub FROM journal").fetchone()
    connection.execute("INSERT INTO chain VALUES (0, ?)", (chain.genesis(journal_id, hub).link,))
    chain.adopt(connection)


MIGRATIONS: Migrations = {
    2: (  # the hash chain over alert states
        "ALTER TABLE alert ADD COLUMN answer INTEGER",
        "ALTER TABLE alert ADD COLUMN receipt_place INTEGER",
        "ALTER TABLE alert ADD COLUMN receipt_link BLOB",
        "ALTER TABLE outbox_alert ADD COLUMN place INTEGER",
        "ALTER TABLE outbox_alert ADD COLUMN link BLOB",
        "ALTER TABLE outbox_record ADD COLUMN place INTEGER",
        "ALTER TABLE outbox_record ADD COLUMN link BLOB",
        "CREATE TABLE chain (place INTEGER PRIMARY KEY, digest BLOB NOT NULL)",
        _begin_chain,
    ),
}
"""Steps from each released version to the next; version 1 is the first. Each is proven by a file of
the version before it in tests/unit/journal/released."""


class Unusable(Exception):  # noqa: N818 - never leaves the journal; it leads to a new file
    """Raised when a journal file is there but cannot be gone on with: damaged, foreign, newer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def number(connection: sqlite3.Connection, query: str) -> int:
    """The first column of the first row of ``query``, as an int; 0 where there is none."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether the file holds nothing at all yet."""
    return number(connection, "SELECT count(*) FROM sqlite_master") == 0


def create(connection: sqlite3.Connection, journal_id: str, hub: str, created: float) -> None:
    """Make the tables of a new journal in one transaction: after a kill all are there or none."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?)", (journal_id, hub, created, COMPATIBLE)
    )
    connection.execute("INSERT INTO chain VALUES (0, ?)", (chain.genesis(journal_id, hub).link,))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def migrate(
    connection: sqlite3.Connection,
    *,
    migrations: Migrations = MIGRATIONS,
    version: int = VERSION,
    compatible: int = COMPATIBLE,
) -> int:
    """Bring a file up to ``version``, a transaction for each step; returns the steps taken.

    Raises Unusable: "not-a-journal" for somebody else's database, "newer" for one that a newer
    program has changed beyond what this one understands, "too-old" where a step is missing.
    """
    if number(connection, "PRAGMA application_id") != APPLICATION:
        raise Unusable("not-a-journal")
    found = number(connection, "PRAGMA user_version")
    if found > version:
        if number(connection, "SELECT compatible FROM journal") > version:
            raise Unusable("newer")
        return 0
    for step in range(found + 1, version + 1):
        if step not in migrations:
            raise Unusable("too-old")
        connection.execute("BEGIN IMMEDIATE")
        for statement in migrations[step]:
            if isinstance(statement, str):
                connection.execute(statement)
            else:
                statement(connection)
        connection.execute("UPDATE journal SET compatible = ?", (compatible,))
        connection.execute(f"PRAGMA user_version = {step}")
        connection.execute("COMMIT")
    return version - found


@lru_cache(maxsize=1)
def _columns() -> Mapping[str, tuple[tuple[object, ...], ...]]:
    """Table -> its columns as SQLite tells them. Files of older versions come to the same."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in TABLES:
            connection.execute(statement)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: tuple(connection.execute(f"PRAGMA table_info('{name}')").fetchall())
            for (name,) in names
        }
    finally:
        connection.close()


def check(connection: sqlite3.Connection, *, everything: bool) -> None:
    """Look for structural damage: in the small tables, or everywhere.

    Raises Unusable("damaged"). Everywhere takes seconds on a memory card, so it is done only
    after an operation has met damage.
    """
    for table, columns in _columns().items():
        found = connection.execute(f"PRAGMA table_info('{table}')").fetchall()
        if tuple(found[: len(columns)]) != columns:  # a flipped bit in the schema's text
            raise Unusable("damaged")
    pragmas = ["PRAGMA quick_check"] if everything else []
    pragmas += [] if everything else [f"PRAGMA quick_check('{table}')" for table in CHECKED]
    for pragma in pragmas:
        row = connection.execute(pragma).fetchone()
        if row is None or row[0] != "ok":
            raise Unusable("damaged")


def identity(connection: sqlite3.Connection, hub: str) -> str:
    """The journal's id. Raises Unusable("other-hub") where it was written for another pseudonym."""
    row = connection.execute("SELECT id, hub FROM journal").fetchone()
    if row is None:
        raise Unusable("damaged")
    if row[1] != hub:
        anchor = connection.execute("SELECT place, digest FROM chain LIMIT 1").fetchone()
        ours = anchor and chain.begins_with(anchor[0], anchor[1], str(row[0]), hub)
        raise Unusable("damaged" if ours else "other-hub")  # a flipped bit in our own name
    return str(row[0])
