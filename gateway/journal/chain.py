"""The hash chain over alert states (T11): what was said, and that it was received, cannot be altered
afterwards without a sign.

Every version of an alert and every receipt for one is an entry, in the order in which they were
committed. An entry's digest is over what it says; its link is over the link before it and its
digest. Whoever alters an entry breaks every link behind it, and the newest link rides in each
heartbeat: the centre knows it, so that rewriting everything behind does not help either.

There is no table of entries: a version's place and link stand in its row of the outbox, a receipt's
in the row of its alert, because those pages are written anyway ("Settled": 16 kB for an alarm).
What retention forgets leaves its digest in the table ``chain`` until everything before it is
forgotten too; the first row of that table is the anchor, which holds a link instead.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

import msgspec
from msgspec import Struct

SIZE = 20
"""Bytes of a link: 160 bits of BLAKE2b. An alert's row with its receipt then stays below the 102
bytes up to which it needs no page of its own."""

VERSION, RECEIPT, FORGOTTEN = "version", "receipt", "forgotten"

_VERSIONS = (
    "SELECT o.place, a.id, a.version, a.lane, a.sequence, a.level, a.open, a.at, o.body, o.link "
    "FROM alert a JOIN {table} o ON o.sequence = a.sequence WHERE a.lane = ? "
)
_TABLES = {"alert": "outbox_alert", "record": "outbox_record"}
_RECEIPTS = (
    "SELECT receipt_place, id, version, received, receiver, answer, receipt_link FROM alert "
    "WHERE received IS NOT NULL "
)

_UNCHAINED = "received IS NOT NULL AND receiver IS NOT NULL AND receipt_place IS NULL"
"""A receipt of a program without a chain. One without a receiver is none: a flipped bit."""


class Head(Struct, frozen=True):
    """How many entries there ever were, and the link of the newest, in bytes."""

    place: int
    link: bytes

    def __str__(self) -> str:
        """As people compare it: ``<place>:<link in hexadecimal>``."""
        return f"{self.place}:{self.link.hex()}"


class Entry(Struct, frozen=True):
    """One entry as it is stored. ``link`` is None for what retention has forgotten."""

    place: int
    kind: str
    alert_id: str
    version: int
    digest: bytes
    link: bytes | None


class Verified(Struct, frozen=True):
    """What verifying found. ``broken`` is the first entry that does not follow from those before
    it, ``missing`` the first place at which there is none; both None if the chain is whole.
    ``head`` is the newest link as it follows from the anchor, not as it is stored."""

    entries: int
    head: Head
    broken: Entry | None
    missing: int | None

    @property
    def whole(self) -> bool:
        return self.broken is None and self.missing is None


def genesis(journal_id: str, hub: str) -> Head:
    """What the first entry follows: each journal has a chain of its own."""
    return Head(0, _hash(b"", _digest("journal", journal_id, hub)))


def begins_with(place: int, link: bytes, journal_id: str, hub: str) -> bool:
    """Whether an anchor is that of this hub's journal, whatever else its row says."""
    return place == 0 and link == genesis(journal_id, hub).link


def next_version(head: Head, alert: tuple[str, int, str, int, int, bool, float], body: str) -> Head:
    """The head after a version. ``alert``: id, version, lane, sequence, level, open, at."""
    return Head(head.place + 1, _hash(head.link, _of_version(alert, body)))


def next_receipt(head: Head, receipt: tuple[str, int, float, str, int | None]) -> Head:
    """The head after a receipt. ``receipt``: alert's id and version (ours), wall seconds, the
    centre that gave it and the number of its answer (the centre's)."""
    return Head(head.place + 1, _hash(head.link, _digest(RECEIPT, *receipt)))


def read_head(connection: sqlite3.Connection) -> Head:
    """The newest link of a file. Raises sqlite3.Error."""
    found = [
        connection.execute("SELECT place, digest FROM chain ORDER BY place LIMIT 1").fetchone(),
        connection.execute(
            "SELECT place, link FROM outbox_alert WHERE place IS NOT NULL "
            "ORDER BY sequence DESC LIMIT 1"
        ).fetchone(),
        connection.execute(
            "SELECT place, link FROM outbox_record WHERE start IS NULL AND place IS NOT NULL "
            "ORDER BY sequence DESC LIMIT 1"
        ).fetchone(),
        connection.execute(
            "SELECT receipt_place, receipt_link FROM alert WHERE receipt_place IS NOT NULL "
            "ORDER BY receipt_place DESC LIMIT 1"
        ).fetchone(),
    ]
    place, link = max((row for row in found if row is not None), key=lambda row: int(row[0]))
    newest = Head(int(place), bytes(link))
    stub = connection.execute("SELECT max(place) FROM chain").fetchone()[0]
    # Only if everything was forgotten is the newest entry a stub, and then it is the anchor.
    return newest if stub is None or int(stub) <= newest.place else verify(connection).head


def unchained(connection: sqlite3.Connection) -> bool:
    """Whether an older program stored alert states without the chain. Raises sqlite3.Error."""
    for query in (
        "SELECT 1 FROM outbox_alert WHERE place IS NULL LIMIT 1",
        "SELECT 1 FROM outbox_record WHERE start IS NULL AND place IS NULL LIMIT 1",
        _RECEIPTS + f"AND {_UNCHAINED} LIMIT 1",
    ):
        if connection.execute(query).fetchone() is not None:
            return True
    return False


def adopt(connection: sqlite3.Connection) -> int:
    """Take into the chain what an older program stored without it, in order; returns how much.

    In the caller's transaction. Raises sqlite3.Error.
    """
    head = read_head(connection)
    taken = 0
    for lane, table in _TABLES.items():
        rows = connection.execute(
            _VERSIONS.format(table=table) + "AND o.place IS NULL ORDER BY a.sequence", (lane,)
        ).fetchall()
        for row in rows:
            head = next_version(head, _version_of(row), row[8])
            connection.execute(
                f"UPDATE {table} SET place = ?, link = ? WHERE sequence = ?",  # noqa: S608 - one of our two tables
                (head.place, head.link, row[4]),
            )
            taken += 1
    for row in connection.execute(
        _RECEIPTS + f"AND {_UNCHAINED} ORDER BY received, id, version"
    ).fetchall():
        head = next_receipt(head, row[1:6])
        connection.execute(
            "UPDATE alert SET receipt_place = ?, receipt_link = ? WHERE id = ? AND version = ?",
            (head.place, head.link, row[1], row[2]),
        )
        taken += 1
    return taken


def entries(connection: sqlite3.Connection) -> list[Entry]:
    """All entries behind the anchor, by place. Raises sqlite3.Error."""
    found: list[Entry] = []
    for lane, table in _TABLES.items():
        for row in connection.execute(_VERSIONS.format(table=table), (lane,)):
            digest = _of_version(_version_of(row), str(row[8]))
            found.append(_entry(row[0], VERSION, row[1], row[2], digest, row[9]))
    for row in connection.execute(_RECEIPTS):
        digest = _digest(RECEIPT, *row[1:6])
        found.append(_entry(row[0], RECEIPT, row[1], row[2], digest, row[6]))
    stubs = connection.execute("SELECT place, digest FROM chain ORDER BY place").fetchall()[1:]
    found += [Entry(int(place), FORGOTTEN, "", 0, bytes(digest), None) for place, digest in stubs]
    return sorted(found, key=lambda entry: entry.place)


def verify(connection: sqlite3.Connection, known: Iterable[Head] = ()) -> Verified:
    """Follow the chain from its anchor. ``known``: links that somebody else remembers, such as the
    centre from heartbeats; an entry that does not lead to one of them is broken.

    Raises sqlite3.Error.
    """
    anchor = connection.execute("SELECT place, digest FROM chain ORDER BY place LIMIT 1").fetchone()
    if anchor is None:
        return Verified(0, Head(0, b""), None, 0)
    head = Head(int(anchor[0]), bytes(anchor[1]))
    remembered = {one.place: one.link for one in known}
    found = entries(connection)
    for entry in found:
        if entry.place <= head.place:
            return Verified(len(found), head, entry, None)
        if entry.place > head.place + 1:
            return Verified(len(found), head, None, head.place + 1)
        link = _hash(head.link, entry.digest)
        if any(link != other for other in (entry.link, remembered.get(entry.place)) if other):
            return Verified(len(found), head, entry, None)
        head = Head(entry.place, link)
    beyond = [place for place in remembered if place > head.place]
    return Verified(len(found), head, None, min(beyond) if beyond else None)


def forget(connection: sqlite3.Connection, alert_ids: Iterable[str]) -> None:
    """Keep the digests of alerts that are about to be deleted, in the caller's transaction."""
    gone = set(alert_ids)
    if not gone:
        return
    connection.executemany(
        "INSERT OR IGNORE INTO chain VALUES (?, ?)",
        [(e.place, e.digest) for e in entries(connection) if e.alert_id in gone and e.place > 0],
    )


def compact(connection: sqlite3.Connection) -> None:
    """Move the anchor past everything behind it that is forgotten, in the caller's transaction."""
    rows = connection.execute("SELECT place, digest FROM chain ORDER BY place").fetchall()
    place, link = int(rows[0][0]), bytes(rows[0][1])
    for next_place, digest in rows[1:]:
        if int(next_place) != place + 1:
            break
        place, link = int(next_place), _hash(link, bytes(digest))
    if place > int(rows[0][0]):
        connection.execute("DELETE FROM chain WHERE place < ?", (place,))
        connection.execute("UPDATE chain SET digest = ? WHERE place = ?", (link, place))


def _entry(
    place: int | None, kind: str, alert_id: str, version: int, digest: bytes, link: bytes | None
) -> Entry:
    """Without a place it comes first and is broken: the chain knows nothing of it. Without a link
    it is broken too, unlike what was forgotten."""
    return Entry(place or 0, kind, alert_id, version, digest, link or b"none")


def _version_of(row: tuple[object, ...]) -> tuple[str, int, str, int, int, bool, float]:
    # A row of SQLite knows no types; a damaged one gives another digest, and that is found.
    _, alert_id, version, lane, sequence, level, opened, at, *_ = row
    return alert_id, version, lane, sequence, level, bool(opened), at  # type: ignore[return-value]


def _of_version(alert: tuple[str, int, str, int, int, bool, float], body: str) -> bytes:
    return _digest(VERSION, *alert, body)


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=SIZE).digest()


def _hash(link: bytes, digest: bytes) -> bytes:
    return hashlib.blake2b(link + digest, digest_size=SIZE).digest()
