"""The tables of the centre's store. One file on one disk; several centre processes may share it."""

from __future__ import annotations

VERSION = 1
"""Version of these tables, kept in SQLite's ``user_version``."""

ACCESS_KEPT = 731 * 86400.0
"""Seconds that the access log is kept at least: two years where sensitive data is handled (P4).
A trigger in the store holds it, not only the program."""

TABLES = f"""
CREATE TABLE meta (
    name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (
    name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- every message once, by source (the hub) and id; copies counts how often it came
CREATE TABLE messages (
    hub TEXT, id TEXT, leaf TEXT NOT NULL, lane TEXT NOT NULL, stream TEXT NOT NULL,
    sequence INTEGER NOT NULL, bootid TEXT NOT NULL, sent TEXT NOT NULL, received REAL NOT NULL,
    copies INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (hub, id)) WITHOUT ROWID;

-- every version of every alert; late: it came after a higher one
CREATE TABLE alert_versions (
    hub TEXT, alert_id TEXT, version INTEGER, type TEXT NOT NULL, level INTEGER NOT NULL,
    state TEXT NOT NULL, open INTEGER NOT NULL, at TEXT NOT NULL, received REAL NOT NULL,
    late INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (hub, alert_id, version)) WITHOUT ROWID;
-- the highest version, and what this centre's people said
CREATE TABLE alerts (
    hub TEXT, alert_id TEXT, version INTEGER NOT NULL, type TEXT NOT NULL, level INTEGER NOT NULL,
    state TEXT NOT NULL, open INTEGER NOT NULL, raised_at TEXT NOT NULL, at TEXT NOT NULL,
    first_received REAL NOT NULL, received REAL NOT NULL, body TEXT NOT NULL,
    accepted REAL, accepted_by TEXT, closed REAL, closed_by TEXT, outcome TEXT, service TEXT,
    PRIMARY KEY (hub, alert_id)) WITHOUT ROWID;
CREATE INDEX alerts_open ON alerts (level) WHERE open;

CREATE TABLE hubs (
    hub TEXT PRIMARY KEY, first_seen REAL NOT NULL, last_seen REAL NOT NULL, bootid TEXT,
    journalid TEXT, birth TEXT, state TEXT, state_at REAL, online_at REAL,
    heartbeat TEXT, heartbeat_at REAL, alarms TEXT, alarms_at REAL,
    judged INTEGER, judged_why TEXT, judged_since REAL) WITHOUT ROWID;
CREATE TABLE heartbeats (
    hub TEXT, received REAL, bootid TEXT, sequence INTEGER, watching INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (hub, received, bootid, sequence)) WITHOUT ROWID;
CREATE TABLE telemetry (
    hub TEXT, stream TEXT, sequence INTEGER, start TEXT NOT NULL, received REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (hub, stream, sequence)) WITHOUT ROWID;

-- types that this version does not know: kept as they came, shown as "other"
CREATE TABLE others (
    hub TEXT, id TEXT, type TEXT NOT NULL, received REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (hub, id)) WITHOUT ROWID;

-- a stream is a journal (lanes alert, record) or a boot (lane heartbeat)
CREATE TABLE lanes (
    hub TEXT, stream TEXT, lane TEXT, highest INTEGER NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (hub, stream, lane)) WITHOUT ROWID;
-- sequences low..high never came; settled: why nobody waits for them any more
CREATE TABLE gaps (
    hub TEXT, stream TEXT, lane TEXT, low INTEGER, high INTEGER NOT NULL, seen REAL NOT NULL,
    settled TEXT,
    PRIMARY KEY (hub, stream, lane, low)) WITHOUT ROWID;

-- machine receipts, written in the commit that stores the version
CREATE TABLE receipts (
    hub TEXT, alert_id TEXT, version INTEGER, state TEXT, at REAL NOT NULL, reason TEXT,
    PRIMARY KEY (hub, alert_id, version, state)) WITHOUT ROWID;
-- what people (or a script) said; the running centre sends each until the hub shows its effect
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, hub TEXT NOT NULL, alert_id TEXT NOT NULL, version INTEGER NOT NULL,
    state TEXT NOT NULL, by TEXT NOT NULL, outcome TEXT, service TEXT, created REAL NOT NULL,
    first_sent REAL, last_sent REAL, attempts INTEGER NOT NULL DEFAULT 0,
    ended REAL, result TEXT);
CREATE INDEX answers_pending ON answers (id) WHERE ended IS NULL;

-- what the towns are told; kept until a channel took it
CREATE TABLE notices (
    id INTEGER PRIMARY KEY, made REAL NOT NULL, hub TEXT NOT NULL, kind TEXT NOT NULL,
    alert_id TEXT, version INTEGER, level INTEGER NOT NULL, area TEXT, body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL, delivered REAL, error TEXT);
CREATE INDEX notices_pending ON notices (next_try) WHERE delivered IS NULL;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, topic TEXT NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL, head TEXT NOT NULL);

CREATE TABLE access (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    hub TEXT, alert_id TEXT, detail TEXT);
CREATE TRIGGER access_stays BEFORE DELETE ON access
    WHEN OLD.at > CAST(strftime('%s', 'now') AS REAL) - {ACCESS_KEPT}
    BEGIN SELECT RAISE(ABORT, 'the access log is kept for two years'); END;
CREATE TRIGGER access_as_written BEFORE UPDATE ON access
    BEGIN SELECT RAISE(ABORT, 'the access log is never changed'); END;
"""

ADDED = """
-- a version that a hub made anew with another content, beside the first (see twins.py)
CREATE TABLE IF NOT EXISTS alert_twins (
    hub TEXT, alert_id TEXT, version INTEGER, facts TEXT, type TEXT NOT NULL,
    level INTEGER NOT NULL, state TEXT NOT NULL, open INTEGER NOT NULL, at TEXT NOT NULL,
    received REAL NOT NULL, late INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (hub, alert_id, version, facts)) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS every_version AS
    SELECT hub, alert_id, version, type, level, state, open, at, received, late, body
        FROM alert_versions
    UNION ALL
    SELECT hub, alert_id, version, type, level, state, open, at, received, late, body
        FROM alert_twins;
"""
"""What came after version 1 and is made at each opening where it is missing. An older program does
not see it and is not disturbed, so the version stays: an update of a centre can be taken back."""

COLUMNS = (("alerts", "bootid", "TEXT"),)
"""Columns that came after version 1, likewise: (table, name, type). ``bootid``: the run of the hub
that sent the version which is shown."""
