"""Alert versions and records on their way to the centre, until the centre's application answers.

Two lanes, each numbered 1, 2, 3, ... within the journal id. ``alert`` (level >= 1) is received
version by version; ``record`` (level-0 notes and summaries) up to a number, by one counter. Rows
hold domain objects; they are encoded for the wire only when they are sent, so that an upgrade in
between cannot leave old messages behind.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.decisions import Summary
from gateway.journal import chain
from gateway.journal.chain import Head

ALERT = "alert"
RECORD = "record"
LANES = (ALERT, RECORD)

RECEIVED = "lane:record"
"""Counter: up to which record the centre has answered."""


class OutboxRow(Struct, frozen=True):
    """One message that waits. ``created``, ``first_sent`` and ``last_sent`` are wall seconds;
    attempts are counted since the program started."""

    lane: str
    sequence: int
    level: int
    message: Alert | Summary
    created: float
    attempts: int = 0
    first_sent: float | None = None
    last_sent: float | None = None


class AlertReceived(Struct, frozen=True):
    """The centre ``by`` stored this version of an alert."""

    alert_id: str
    version: int
    at: float
    by: str


class RecordsReceived(Struct, frozen=True):
    """The centre stored every record up to and including this one, of the journal with this id:
    another that takes its place meanwhile counts anew. Empty: of the present one."""

    up_to: int
    at: float
    journal_id: str = ""


Receipt = AlertReceived | RecordsReceived

_HEAD = {
    ALERT: "SELECT max(sequence) FROM outbox_alert",
    RECORD: "SELECT max(sequence) FROM outbox_record",
}
_FORGET = {
    ALERT: "DELETE FROM outbox_alert WHERE sequence = ?",
    RECORD: "DELETE FROM outbox_record WHERE sequence = ?",
}

_alert = msgspec.json.Decoder(Alert)
_summary = msgspec.json.Decoder(Summary)


def lane_of(alert: Alert) -> str:
    """Which lane a version goes by: level 0 never competes with alarms."""
    return ALERT if alert.level >= 1 else RECORD


def head(connection: sqlite3.Connection, lane: str) -> int:
    """The highest number given in a lane. Its row is never pruned, so no number comes twice.
    Numbers below 1 are what was received before this journal began (see salvage.py)."""
    row = connection.execute(_HEAD[lane]).fetchone()
    return max(0, int(row[0] or 0))


def forget(connection: sqlite3.Connection, lane: str, sequence: int) -> None:
    """Delete one message."""
    connection.execute(_FORGET[lane], (sequence,))


def has_alert(connection: sqlite3.Connection, alert: Alert) -> bool:
    """Whether this very version is stored."""
    row = connection.execute(
        "SELECT 1 FROM alert WHERE id = ? AND version = ?", (alert.id, alert.version)
    ).fetchone()
    return row is not None


def add_alert(
    connection: sqlite3.Connection,
    alert: Alert,
    body: str,
    sequence: int,
    created: float,
    head: Head,
) -> Head:
    """Store a version as the next entry of the chain; returns its new head."""
    lane = lane_of(alert)
    link = chain.next_version(
        head,
        (
            alert.id,
            alert.version,
            lane,
            sequence,
            int(alert.level),
            alert.open,
            float(alert.at.wall),
        ),
        body,
    )
    connection.execute(
        "INSERT INTO alert (id, version, lane, sequence, level, open, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (alert.id, alert.version, lane, sequence, int(alert.level), alert.open, alert.at.wall),
    )
    if lane == ALERT:
        connection.execute(
            "INSERT INTO outbox_alert VALUES (?, ?, ?, ?, ?)",
            (sequence, created, body, link.place, link.link),
        )
    else:
        connection.execute(
            "INSERT INTO outbox_record VALUES (?, ?, NULL, ?, ?, ?)",
            (sequence, created, body, link.place, link.link),
        )
    return link


def has_summary(connection: sqlite3.Connection, summary: Summary, body: str) -> bool:
    """Whether this very summary is stored. The same beginning alone is no repetition: a wall clock
    that was put back passes the same minute twice."""
    row = connection.execute(
        "SELECT 1 FROM outbox_record WHERE start = ? AND body = ?", (summary.start, body)
    ).fetchone()
    return row is not None


def add_summary(
    connection: sqlite3.Connection, summary: Summary, body: str, sequence: int, created: float
) -> None:
    connection.execute(
        "INSERT INTO outbox_record (sequence, created, start, body) VALUES (?, ?, ?, ?)",
        (sequence, created, summary.start, body),
    )


def known(connection: sqlite3.Connection, receipt: AlertReceived) -> tuple[bool, bool]:
    """Whether the version it speaks of is ours, and whether it still waits."""
    row = connection.execute(
        "SELECT received FROM alert WHERE id = ? AND version = ?",
        (receipt.alert_id, receipt.version),
    ).fetchone()
    return row is not None, row is not None and row[0] is None


def receive_alert(
    connection: sqlite3.Connection, receipt: AlertReceived, answer: int | None, head: Head
) -> tuple[list[tuple[str, int]], Head]:
    """Mark this version, and only this one: the older ones still have to arrive, or the centre
    would miss their numbers. ``answer``: the number of the centre's answer that said so.

    Returns lane and number if it waited, and the chain's head afterwards.
    """
    row = connection.execute(
        "SELECT lane, sequence FROM alert WHERE id = ? AND version = ? AND received IS NULL",
        (receipt.alert_id, receipt.version),
    ).fetchone()
    if row is None:
        return [], head
    link = chain.next_receipt(
        head, (receipt.alert_id, receipt.version, float(receipt.at), receipt.by, answer)
    )
    connection.execute(
        "UPDATE alert SET received = ?, receiver = ?, answer = ?, receipt_place = ?, "
        "receipt_link = ? WHERE id = ? AND version = ?",
        (
            float(receipt.at),
            receipt.by,
            answer,
            link.place,
            link.link,
            receipt.alert_id,
            receipt.version,
        ),
    )
    return [(str(row[0]), int(row[1]))], link


def waiting_alerts(connection: sqlite3.Connection, limit: int) -> list[tuple[Any, ...]]:
    """sequence, level, body, created: highest level first, then in order."""
    return connection.execute(
        "SELECT a.sequence, a.level, o.body, o.created "
        "FROM alert a JOIN outbox_alert o ON o.sequence = a.sequence "
        "WHERE a.received IS NULL AND a.lane = 'alert' "
        "ORDER BY a.level DESC, a.sequence LIMIT ?",
        (limit,),
    ).fetchall()


def waiting_records(
    connection: sqlite3.Connection, received: int, limit: int
) -> list[tuple[Any, ...]]:
    """sequence, start, body, created: in order."""
    return connection.execute(
        "SELECT sequence, start, body, created FROM outbox_record WHERE sequence > ? "
        "ORDER BY sequence LIMIT ?",
        (received, limit),
    ).fetchall()


def decoded_alert(body: str) -> Alert | None:
    """None if the row cannot be read: one bad row must not hold up those behind it."""
    try:
        return _alert.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None


def is_summary(body: str, start: float) -> bool:
    """Whether a row of the record lane can be read as a summary."""
    return isinstance(decoded_record(body, start), Summary)


def decoded_record(body: str, start: float | None) -> Alert | Summary | None:
    """Summaries have a beginning, notes have none. None if the row cannot be read."""
    if start is None:
        return decoded_alert(body)
    try:
        return _summary.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None


def unknown(start: float) -> Summary:
    """What stands in for a record that cannot be read: a time of which nothing is known. Records are
    received up to a number, so one that never came would keep the centre from answering for any."""
    return Summary(start, 0.0, {}, away=False, blind=True)


_LATEST = (
    "SELECT coalesce(o.body, r.body) FROM alert a "
    "LEFT JOIN outbox_alert o ON a.lane = 'alert' AND o.sequence = a.sequence "
    "LEFT JOIN outbox_record r ON a.lane = 'record' AND r.sequence = a.sequence "
    "WHERE a.version = (SELECT max(version) FROM alert WHERE id = a.id)"
)


def latest(connection: sqlite3.Connection, alert_id: str) -> Alert | None:
    """The newest version of one alert."""
    row = connection.execute(f"{_LATEST} AND a.id = ?", (alert_id,)).fetchone()
    return None if row is None or row[0] is None else decoded_alert(row[0])


def alarms(connection: sqlite3.Connection, since_wall: float, least_level: int) -> list[Alert]:
    """The newest version of each alert that is open or ended since; open ones first, the highest
    level first, then by beginning (ids are in order of time)."""
    rows = connection.execute(
        f"{_LATEST} AND (a.open OR a.at >= ?) AND a.level >= ? "
        "ORDER BY a.open DESC, a.level DESC, a.id",
        (since_wall, least_level),
    ).fetchall()
    found = (decoded_alert(row[0]) for row in rows if row[0] is not None)
    return [alert for alert in found if alert is not None]
