"""What each kind of message changes in the store. Called inside the commit of ``Store.commit``."""

from __future__ import annotations

import sqlite3

import msgspec

from gateway.contract import messages as wire
from provisioning.centre import gaps, twins
from provisioning.centre.intake import Fresh, Message, count


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


def alert(
    db: sqlite3.Connection, message: Message, data: wire.AlertData, now: float
) -> Fresh | None:
    """Keep a version; return it if it is now the one that is shown.

    The highest version wins, whatever order they come in; a lower one that comes late is kept and
    marked. The same version with another content is kept beside the first. If it comes from another
    run than the version that is shown, its hub was set back in between: what it says now is how
    things stand there, however low the number. Within one run a hub only counts up.
    """
    key = (message.hub, data.alert_id)
    row = db.execute(
        "SELECT version, bootid FROM alerts WHERE hub=? AND alert_id=?", key
    ).fetchone()
    known, run = (0, None) if row is None else row
    first = db.execute(
        "SELECT body FROM alert_versions WHERE hub=? AND alert_id=? AND version=?",
        (*key, data.version),
    ).fetchone()
    facts = twins.facts(data)
    if first is not None and twins.facts_of(first[0]) == facts:
        return None
    remade = first is not None
    late = data.version < known and not (remade and run != message.envelope.bootid)
    said = (data.type, data.level, data.state, data.open, data.at, now, late, message.body)
    if not remade:
        db.execute(
            "INSERT INTO alert_versions VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (*key, data.version, *said),
        )
    elif not db.execute(
        "INSERT INTO alert_twins VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (*key, data.version, facts, *said),
    ).rowcount:
        return None
    _effect(db, message.hub, data, now)
    if late:
        count(db, "versions late")
    else:
        _show(db, message, data, now)
    if remade:
        count(db, "versions remade")
        _forget_answers(db, key, now)
    return None if late else Fresh(message.hub, data, remade)


def _show(db: sqlite3.Connection, message: Message, data: wire.AlertData, now: float) -> None:
    db.execute(
        "INSERT INTO alerts (hub, alert_id, version, type, level, state, open, raised_at, at, "
        "first_received, received, body, bootid) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET version=excluded.version, type=excluded.type, "
        "level=excluded.level, state=excluded.state, open=excluded.open, at=excluded.at, "
        "received=excluded.received, body=excluded.body, bootid=excluded.bootid",
        (
            message.hub,
            data.alert_id,
            data.version,
            data.type,
            data.level,
            data.state,
            data.open,
            data.raised_at,
            data.at,
            now,
            now,
            message.body,
            message.envelope.bootid,
        ),
    )


def _forget_answers(db: sqlite3.Connection, key: tuple[str, str], now: float) -> None:
    """What people said before was about another press than the one that is shown now: it asks for
    an answer again, unless it shows one itself. Their words stay among the answers and in the
    access log."""
    forgotten = db.execute(
        "UPDATE alerts SET accepted=NULL, accepted_by=NULL, closed=NULL, closed_by=NULL, "
        "outcome=NULL, service=NULL WHERE hub=? AND alert_id=? AND open "
        "AND state NOT IN (SELECT value FROM json_each(?)) "
        "AND accepted <= received AND coalesce(closed, 0) <= received",
        (*key, SHOWS["closed"]),
    ).rowcount
    if forgotten:
        db.execute(
            "UPDATE answers SET ended=?, result='the hub was set back' "
            "WHERE hub=? AND alert_id=? AND ended IS NULL",
            (now, *key),
        )


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
