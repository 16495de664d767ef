"""What is forgotten, and when (P2): readings after 30 days, their hourly counts after 12 months.

Never an alert that the centre has not received or that is still open, never an observation that
the snapshot does not hold yet, never the newest row of a lane (its number must not come twice).

Rows are pruned in their order, up to the first whose wall time is believable and young enough:
the hub has no clock chip, so a reading of "1970" among today's is not 50 years old.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from gateway.domain.instant import DAY, HOUR
from gateway.journal import chain, history, outbox

STEP = DAY
EARLY = 6 * HOUR
"""Seconds. Observations go a day at a time, and so early that the oldest never outlives P2's limit
even if the hub gets round to it hours later: each pruning writes some pages however few rows go,
and pages that are freed side by side are written side by side when they are used again."""

MOST = 5000
"""Observations pruned in one transaction."""


class Keep(Struct, frozen=True):
    """Seconds. A town may set less, never more (P2).

    ``most_observations``  quota: 33,000 a day for 30 days, some 40 MB. A mat that fires all night
                           must not fill the card; the oldest readings go first
    ``most_records``       quota of records that wait: 139 days of summaries without a centre. Then
                           the oldest go; the heartbeat tells the centre which (docs/centre.md)
    There is no quota of alerts.
    """

    observations: float = 30 * DAY
    hourly: float = 365 * DAY
    received: float = 30 * DAY
    most_observations: int = 1_000_000
    most_records: int = 20_000

    def limited(self) -> Keep:
        """The same, but nowhere above P2's maximum."""
        most = Keep()
        return Keep(
            min(self.observations, most.observations),
            min(self.hourly, most.hourly),
            min(self.received, most.received),
            min(self.most_observations, most.most_observations),
            min(self.most_records, most.most_records),
        )


class Retained(Struct, frozen=True):
    """What was pruned. ``more``: the limit of one transaction was reached, call again. ``held``:
    observations are old enough but are kept, because no snapshot holds them."""

    observations: int = 0
    hours: int = 0
    alerts: int = 0
    records: int = 0
    more: bool = False
    held: bool = False


def _young(connection: sqlite3.Connection, query: str, now: float, keep: float) -> int | None:
    """The first number whose time lies within ``keep`` before now; None if there is none."""
    row = connection.execute(query, (now - keep, now + DAY)).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def prune(connection: sqlite3.Connection, now: float, keep: Keep, snapshot: int) -> Retained:
    """Prune inside the caller's transaction. ``snapshot``: up to which observation the snapshot
    knows all; the table of counters must know the whole of them."""
    keep = keep.limited()
    observations, more, held = _observations(connection, now, keep, snapshot)
    over, more_over = _over(connection, keep.most_observations, snapshot)
    observations, more = observations + over, more or more_over
    hours = connection.execute(
        "DELETE FROM hourly WHERE hour < ?", (int((now - keep.hourly) // HOUR),)
    ).rowcount
    alerts = _alerts(connection, now, keep)
    records = _records(connection, now, keep)
    return Retained(observations, hours, alerts, records, more, held)


def _observations(
    connection: sqlite3.Connection, now: float, keep: Keep, most: int
) -> tuple[int, bool, bool]:
    oldest = connection.execute(
        "SELECT wall FROM observation WHERE synced AND wall <= ? ORDER BY sequence LIMIT 1",
        (now + DAY,),
    ).fetchone()
    if oldest is None or oldest[0] >= now - keep.observations + min(EARLY, keep.observations / 4):
        return 0, False, False
    young = _young(
        connection,
        "SELECT sequence FROM observation WHERE synced AND wall >= ? AND wall <= ? "
        "ORDER BY sequence LIMIT 1",
        now,
        keep.observations - min(STEP, keep.observations / 2),
    )
    row = connection.execute("SELECT min(sequence), max(sequence) FROM observation").fetchone()
    if young is None:
        return 0, False, False
    first, last = int(row[0]), int(row[1])
    old = min(young, last)  # prune those before it
    allowed = min(old, most + 1)
    gone, more = _before(connection, first, allowed)
    return gone, more, allowed < old


def _over(connection: sqlite3.Connection, quota: int, most: int) -> tuple[int, bool]:
    """Prune what is beyond the quota, as far as a snapshot holds it."""
    first, last = connection.execute(
        "SELECT min(sequence), max(sequence) FROM observation"
    ).fetchone()
    if first is None or last - first < quota:
        return 0, False
    return _before(connection, first, min(last - quota + 1, most + 1))


def _before(connection: sqlite3.Connection, first: int, allowed: int) -> tuple[int, bool]:
    """Prune what is before ``allowed``, a bounded number; returns how many, and whether there are
    more."""
    until = min(allowed, first + MOST)
    if until <= first:
        return 0, False
    _count(connection, until)
    gone = connection.execute("DELETE FROM observation WHERE sequence < ?", (until,)).rowcount
    return gone, until < allowed


def _count(connection: sqlite3.Connection, until: int) -> None:
    """Add readings that are about to go to the hourly counts. Only news counts: a level that was
    read again or a mere sign of life says nothing about the home."""
    counts: dict[tuple[int, str], int] = {}
    for wall, who in history.said(connection, until):
        if who.type in ("switched", "pressed") and who.fresh:
            key = (int(wall // HOUR), who.sensor)
            counts[key] = counts.get(key, 0) + 1
    connection.executemany(
        "INSERT INTO hourly VALUES (?, ?, ?) "
        "ON CONFLICT (hour, sensor) DO UPDATE SET events = events + excluded.events",
        [(hour, sensor, events) for (hour, sensor), events in counts.items()],
    )


def _received(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT value FROM counter WHERE name = ?", (outbox.RECEIVED,)
    ).fetchone()
    return 0 if row is None else int(row[0])


def _alerts(connection: sqlite3.Connection, now: float, keep: Keep) -> int:
    """Whole alerts only: ended, received in every version, and both long ago. An alert of a clock
    that stood in 1970 is as old as its receipt."""
    received = _received(connection)
    ids = [
        row[0]
        for row in connection.execute(
            "SELECT id FROM alert GROUP BY id HAVING max(max(at, coalesce(received, at))) < ? "
            "AND sum(CASE lane WHEN 'alert' THEN received IS NULL ELSE sequence > ? END) = 0",
            (now - keep.received, received),
        )
    ]
    heads = {lane: outbox.head(connection, lane) for lane in outbox.LANES}
    old: dict[str, list[tuple[str, int]]] = {}
    for alert_id in ids:
        rows = connection.execute(
            "SELECT lane, sequence, open FROM alert WHERE id = ? ORDER BY version", (alert_id,)
        ).fetchall()
        if rows[-1][2] or any(sequence == heads[lane] for lane, sequence, _ in rows):
            continue
        old[alert_id] = [(lane, sequence) for lane, sequence, _ in rows]
    if not old:
        return 0
    chain.forget(connection, old)
    gone = 0
    for alert_id, messages in old.items():
        for lane, sequence in messages:
            outbox.forget(connection, lane, sequence)
        gone += connection.execute("DELETE FROM alert WHERE id = ?", (alert_id,)).rowcount
    chain.compact(connection)
    return gone


def _records(connection: sqlite3.Connection, now: float, keep: Keep) -> int:
    """Received summaries; notes go with their alert."""
    young = _young(
        connection,
        "SELECT sequence FROM outbox_record WHERE created >= ? AND created <= ? "
        "ORDER BY sequence LIMIT 1",
        now,
        keep.received,
    )
    head = outbox.head(connection, outbox.RECORD)
    until = min(head if young is None else young, head, _received(connection) + 1)
    return connection.execute(
        "DELETE FROM outbox_record WHERE start IS NOT NULL AND sequence < ?", (until,)
    ).rowcount
