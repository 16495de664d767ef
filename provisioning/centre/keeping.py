"""What each kind of message changes in the store. Called inside the commit of ``Store.commit``."""

from __future__ import annotations

import sqlite3

import msgspec

from gateway.contract import messages as wire
from provisioning.centre import gaps
from provisioning.centre.intake import Message, count


def hub(db: sqlite3.Connection, message: Message, now: float) -> None:
    """Take note of a sign of life and of what the hub says about itself.

    The boot id is that of the last message, except of a will: that was written when its session
    began, and may come after the next one's first word.
    """
    envelope = message.envelope
    data = message.data
    db.execute(
        "INSERT INTO hubs (hub, first_seen, last_seen, bootid, journalid) VALUES (?,?,?,?,?) "
        "ON CONFLICT DO NOTHING",
        (message.hub, now, now, envelope.bootid, envelope.journalid),
    )
    if isinstance(data, wire.StateData):
        _state(db, message, data, now)
        return
    _alive(db, message, now)
    if isinstance(data, wire.BirthData):
        db.execute("UPDATE hubs SET birth=? WHERE hub=?", (message.body, message.hub))
    elif isinstance(data, wire.AlarmsData):
        db.execute(
            "UPDATE hubs SET alarms=?, alarms_at=? WHERE hub=?", (message.body, now, message.hub)
        )
        _reconcile(db, message.hub, data, now)


def _alive(db: sqlite3.Connection, message: Message, now: float) -> None:
    envelope = message.envelope
    db.execute(
        "UPDATE hubs SET last_seen=?, bootid=?, journalid=? WHERE hub=?",
        (now, envelope.bootid, envelope.journalid, message.hub),
    )


def _reconcile(db: sqlite3.Connection, hub: str, snapshot: wire.AlarmsData, now: float) -> None:
    """Bring alerts in line with a hub's snapshot (R9). It changes nothing while store and hub go
    together; it heals a store that was put back from a backup, and a home with a new hub."""
    for line in snapshot.alarms:
        healed = db.execute(
            "UPDATE alerts SET version=?, type=?, level=?, state=?, open=?, at=? "
            "WHERE hub=? AND alert_id=? AND version<?",
            (
                line.version,
                line.type,
                line.level,
                line.state,
                line.open,
                line.at,
                hub,
                line.alert_id,
                line.version,
            ),
        ).rowcount
        count(db, "alerts healed by a snapshot", healed)
    if snapshot.more:
        return
    # What people closed and the hub no longer knows is closed; nothing more will come of it.
    known = msgspec.json.encode([line.alert_id for line in snapshot.alarms]).decode()
    for (alert_id,) in db.execute(
        "SELECT alert_id FROM alerts WHERE hub=? AND closed IS NOT NULL AND open "
        "AND alert_id NOT IN (SELECT value FROM json_each(?))",
        (hub, known),
    ).fetchall():
        db.execute(
            "UPDATE alerts SET open=0, state='closed' WHERE hub=? AND alert_id=?", (hub, alert_id)
        )
        db.execute(
            "UPDATE answers SET ended=?, result='the hub no longer knows it' "
            "WHERE hub=? AND alert_id=? AND ended IS NULL",
            (now, hub, alert_id),
        )


def repeated(db: sqlite3.Connection, message: Message, now: float) -> None:
    """A message that came before is a sign of life all the same, and may come from a newer boot.
    A state means something again: the broker repeats in order, so the last one is right."""
    if isinstance(message.data, wire.StateData):
        _state(db, message, message.data, now)
    else:
        _alive(db, message, now)


def other(db: sqlite3.Connection, message: Message, now: float) -> None:
    """Keep what a newer hub says and this version does not know."""
    db.execute(
        "INSERT OR IGNORE INTO others VALUES (?,?,?,?,?)",
        (message.hub, message.envelope.id, message.envelope.type, now, message.body),
    )
    count(db, "unknown types")


def _state(db: sqlite3.Connection, message: Message, data: wire.StateData, now: float) -> None:
    boot = message.envelope.bootid
    if data.state == "online":
        db.execute(
            "UPDATE hubs SET state='online', state_at=?, online_at=?, last_seen=?, bootid=?, "
            "journalid=? WHERE hub=?",
            (now, now, now, boot, message.envelope.journalid, message.hub),
        )
        return
    # The will of an earlier boot may come after the new boot's "online": it says nothing any more.
    db.execute(
        "UPDATE hubs SET state=?, state_at=? WHERE hub=? AND bootid=?",
        (data.state, now, message.hub, boot),
    )


def heartbeat(
    db: sqlite3.Connection, message: Message, data: wire.HeartbeatData, now: float
) -> None:
    """Keep a heartbeat, and compare its heads and queues with what came."""
    envelope = message.envelope
    db.execute(
        "UPDATE hubs SET heartbeat=?, heartbeat_at=? WHERE hub=?", (message.body, now, message.hub)
    )
    db.execute(
        "INSERT OR IGNORE INTO heartbeats VALUES (?,?,?,?,?,?)",
        (
            message.hub,
            now,
            envelope.bootid,
            int(envelope.sequence),
            data.watching,
            message.body,
        ),
    )
    for lane, head, waiting in (
        ("alert", data.alert_sequence, data.queue.alerts),
        ("record", data.record_sequence, data.queue.records),
    ):
        settled = gaps.settle(
            db,
            message.hub,
            envelope.journalid,
            lane,
            head=head,
            waiting=waiting,
            now=now,
        )
        count(db, "gaps settled", settled)


def telemetry(
    db: sqlite3.Connection, message: Message, data: wire.TelemetryData, now: float
) -> None:
    """Keep ten minutes of counts."""
    db.execute(
        "INSERT OR IGNORE INTO telemetry VALUES (?,?,?,?,?,?)",
        (
            message.hub,
            message.envelope.journalid,
            int(message.envelope.sequence),
            data.start,
            now,
            message.body,
        ),
    )


def alert(db: sqlite3.Connection, hub: str, data: wire.AlertData, body: str, now: float) -> bool:
    """Keep a version; return whether it is now the highest of its alert.

    The highest version wins, whatever order they come in; a lower one that comes late is kept and
    marked. The same version with another content (a hub that was set back) keeps the first.
    """
    key = (hub, data.alert_id)
    row = db.execute("SELECT version FROM alerts WHERE hub=? AND alert_id=?", key).fetchone()
    known = 0 if row is None else int(row[0])
    late = data.version < known
    inserted = db.execute(
        "INSERT INTO alert_versions VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (
            *key,
            data.version,
            data.type,
            data.level,
            data.state,
            data.open,
            data.at,
            now,
            late,
            body,
        ),
    ).rowcount
    if not inserted:
        count(db, "versions twice")
        return False
    _effect(db, hub, data, now)
    if late:
        count(db, "versions late")
        return False
    db.execute(
        "INSERT INTO alerts (hub, alert_id, version, type, level, state, open, raised_at, at, "
        "first_received, received, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
        "version=excluded.version, type=excluded.type, level=excluded.level, state=excluded.state, "
        "open=excluded.open, at=excluded.at, received=excluded.received, body=excluded.body",
        (
            *key,
            data.version,
            data.type,
            data.level,
            data.state,
            data.open,
            data.raised_at,
            data.at,
            now,
            now,
            body,
        ),
    )
    return True


SHOWS = {
    "accepted": '["accepted"]',
    "acting": '["accepted","acting"]',
    "closed": '["accepted","acting","closed"]',
}
"""Which of our answers a hub's state shows to have taken effect."""


def _effect(db: sqlite3.Connection, hub: str, data: wire.AlertData, now: float) -> None:
    """End the answers whose effect this version shows."""
    shown = SHOWS.get(data.state)
    if shown is not None:
        db.execute(
            "UPDATE answers SET ended=?, result='took effect' WHERE hub=? AND alert_id=? "
            "AND ended IS NULL AND version<? AND state IN (SELECT value FROM json_each(?))",
            (now, hub, data.alert_id, data.version, shown),
        )
