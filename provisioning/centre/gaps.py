"""Sequences that are missing, as ranges: seen when a later one comes, filled when they come."""

from __future__ import annotations

import sqlite3

JOURNALLED = frozenset({"alert", "record"})
"""Lanes that a hub sends until they are received; their stream is the journal."""

TRACKED = JOURNALLED | {"heartbeat"}
"""Lanes whose gaps mean something. A will takes a number and is seldom sent, so the session lane
has holes by nature."""

SUPERSEDED = "superseded"
"""The hub waits for no alert any more: a higher version of the same alert was received instead."""

HELD_RECEIVED = "held as received"
"""The hub was told "received" for these by a store that is not this one: they will not come again.
It is a loss at the centre (an older backup, a new store) and is shown as one."""


def note(
    db: sqlite3.Connection, hub: str, stream: str, lane: str, sequence: int, now: float
) -> tuple[int, int]:
    """Take note that ``sequence`` came; return (gaps newly seen, gaps wholly filled)."""
    key = (hub, stream, lane)
    row = db.execute(
        "SELECT highest FROM lanes WHERE hub=? AND stream=? AND lane=?", key
    ).fetchone()
    highest = 0 if row is None else int(row[0])
    if sequence > highest:
        db.execute(
            "INSERT INTO lanes VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET "
            "highest=excluded.highest, seen=excluded.seen",
            (*key, sequence, now),
        )
        if sequence > highest + 1:
            db.execute(
                "INSERT OR REPLACE INTO gaps VALUES (?,?,?,?,?,?,NULL)",
                (*key, highest + 1, sequence - 1, now),
            )
            return 1, 0
        return 0, 0
    hole = db.execute(
        "SELECT low, high, seen, settled FROM gaps WHERE hub=? AND stream=? AND lane=? "
        "AND low<=? ORDER BY low DESC LIMIT 1",
        (*key, sequence),
    ).fetchone()
    if hole is None or hole[1] < sequence:
        return 0, 0
    low, high, seen, settled = hole
    db.execute("DELETE FROM gaps WHERE hub=? AND stream=? AND lane=? AND low=?", (*key, low))
    for first, last in ((low, sequence - 1), (sequence + 1, high)):
        if first <= last:
            db.execute(
                "INSERT INTO gaps VALUES (?,?,?,?,?,?,?)", (*key, first, last, seen, settled)
            )
    return 0, int(low == high)


def prefix(db: sqlite3.Connection, hub: str, stream: str, lane: str) -> int:
    """The highest sequence up to which nothing is missing that the hub still holds; 0 for none."""
    key = (hub, stream, lane)
    gap = db.execute(
        "SELECT min(low) FROM gaps WHERE hub=? AND stream=? AND lane=? AND settled IS NULL", key
    ).fetchone()[0]
    if gap is not None:
        return int(gap) - 1
    row = db.execute(
        "SELECT highest FROM lanes WHERE hub=? AND stream=? AND lane=?", key
    ).fetchone()
    return 0 if row is None else int(row[0])


def settle(
    db: sqlite3.Connection,
    hub: str,
    stream: str,
    lane: str,
    *,
    head: int,
    waiting: int,
    now: float,
) -> int:
    """Compare with what a heartbeat says: the hub's last sequence and how many of the lane wait.

    What neither came nor waits will never come: it is settled, so that a receipt for all records
    before is possible again. Records wait as an unbroken end of their lane, so all before that end
    is settled. Alerts wait in any order, so only an empty queue says something. Returns how many
    gaps were settled.
    """
    if lane == "alert" and waiting:
        return 0
    last = head - waiting
    row = db.execute(
        "SELECT highest FROM lanes WHERE hub=? AND stream=? AND lane=?", (hub, stream, lane)
    ).fetchone()
    highest = 0 if row is None else int(row[0])
    if last > highest:  # the tail is missing: as if the next message had come
        note(db, hub, stream, lane, last + 1, now)
        db.execute(
            "UPDATE lanes SET highest=? WHERE hub=? AND stream=? AND lane=?",
            (last, hub, stream, lane),
        )
        db.execute(  # nothing came after it that could have superseded it
            "UPDATE gaps SET settled=? WHERE hub=? AND stream=? AND lane=? AND low=? AND high=?",
            (HELD_RECEIVED, hub, stream, lane, highest + 1, last),
        )
    why = SUPERSEDED if lane == "alert" else HELD_RECEIVED
    edge = db.execute(
        "SELECT low, high, seen FROM gaps WHERE hub=? AND stream=? AND lane=? "
        "AND settled IS NULL AND low<=? AND high>?",
        (hub, stream, lane, last, last),
    ).fetchone()
    if edge is not None:  # a gap that reaches into what still waits is cut there
        low, high, seen = edge
        db.execute(
            "UPDATE gaps SET high=? WHERE hub=? AND stream=? AND lane=? AND low=?",
            (last, hub, stream, lane, low),
        )
        db.execute(
            "INSERT INTO gaps VALUES (?,?,?,?,?,?,NULL)", (hub, stream, lane, last + 1, high, seen)
        )
    return db.execute(
        "UPDATE gaps SET settled=? WHERE hub=? AND stream=? AND lane=? AND settled IS NULL "
        "AND high<=?",
        (why, hub, stream, lane, last),
    ).rowcount
