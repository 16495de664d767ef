"""What could not be understood: kept as size, hash and first bytes, and never much of it.

A flood of nonsense must cost no disk (T4, T6): entries wait in memory for the next commit, at most
PENDING of them, and the table keeps the newest KEPT. All are counted.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from threading import Lock

from msgspec import Struct

KEPT = 200
PENDING = 32
HEAD = 64
"""Bytes of the beginning that are kept: enough to see what it was meant to be, too few for a
whole message about somebody."""

MOST_TEXT = 80
"""Characters of ``place`` and ``reason`` that are kept."""


class Quarantined(Struct, frozen=True):
    """``place`` is where it came in, ``head`` its first bytes in hexadecimal."""

    at: float
    place: str
    reason: str
    size: int
    hash: str
    head: str


class Quarantine:
    """Entries that wait for the next commit, and how many there were of each place."""

    def __init__(self) -> None:
        self.pending: list[Quarantined] = []
        self.counts: dict[str, int] = {}
        self._turn = Lock()

    def add(self, where: str, raw: bytes, reason: str, at: float) -> None:
        """From any thread. Never fails, never writes, waits for no commit. Beyond PENDING between
        two commits only the count rises."""
        place = _clean(where)
        digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
        entry = Quarantined(at, place, _clean(reason), len(raw), digest, raw[:HEAD].hex())
        with self._turn:
            self.counts[place] = self.counts.get(place, 0) + 1
            if len(self.pending) < PENDING:
                self.pending.append(entry)


def _clean(text: str) -> str:
    return text[:MOST_TEXT].encode("ascii", "replace").decode()


def store(connection: sqlite3.Connection, entries: Sequence[Quarantined]) -> None:
    """Add entries and drop the oldest beyond KEPT."""
    connection.executemany(
        "INSERT INTO quarantine (at, place, reason, size, hash, head) VALUES (?, ?, ?, ?, ?, ?)",
        [(e.at, e.place, e.reason, e.size, e.hash, e.head) for e in entries],
    )
    connection.execute(
        "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?", (KEPT,)
    )


def entries(connection: sqlite3.Connection) -> list[Quarantined]:
    """All that is kept, oldest first."""
    return [
        Quarantined(*row)
        for row in connection.execute(
            "SELECT at, place, reason, size, hash, head FROM quarantine ORDER BY number"
        )
    ]
