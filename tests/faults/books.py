"""Reads the two books that the oracle compares. The only place that knows the tables of both."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from provisioning.centre.store import FILE as CENTRE_FILE
from tests.faults.oracle import CentreBook, HubBook, Version

JOURNAL = "journal.db"


def rows(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a database that another process may be writing."""
    with closing(sqlite3.connect(path, timeout=20.0)) as db:
        return db.execute(query, values).fetchall()


def hub_book(data: Path) -> HubBook:
    """The journal of a hub that has ended."""
    path = data / JOURNAL
    alerts = rows(path, "SELECT id, version, level, open, lane, received, sequence FROM alert")
    held = {n for (n,) in rows(path, "SELECT sequence FROM outbox_alert")}
    mine = [row for row in alerts if row[4] == "alert"]
    waiting = {(row[0], row[1]) for row in mine if row[5] is None}
    stranded = {(row[0], row[1]) for row in mine if row[5] is None and row[6] not in held}
    bodies = rows(path, "SELECT body FROM outbox_alert UNION ALL SELECT body FROM outbox_record")
    subjects = {}
    for (text,) in bodies:
        body = json.loads(text)
        if body.get("type") == "help.button":
            subjects[str(body["id"])] = str(body.get("subject", ""))
    return HubBook(
        tuple(Version(i, v, level, bool(o)) for i, v, level, o, *_rest in alerts),
        subjects,
        frozenset(waiting),
        frozenset(stranded),
        pressed(path),
    )


def pressed(path: Path) -> Counter[str]:
    """How often the history holds a press of each button."""
    said = rows(
        path,
        "SELECT coalesce(p.what, o.what), count(*) FROM observation o "
        "LEFT JOIN phrase p ON p.number = o.what AND typeof(o.what) = 'integer' GROUP BY 1",
    )
    found: Counter[str] = Counter()
    for text, count in said:
        what = json.loads(text)
        if what.get("type") == "pressed":
            found[str(what["sensor"])] += int(count)
    return found


def newest(data: Path) -> int:
    """Number of the last observation of a journal."""
    return int(rows(data / JOURNAL, "SELECT coalesce(max(sequence), 0) FROM observation")[0][0])


def centre_book(centre: Path, hub: str) -> CentreBook:
    """What the centre holds about one hub."""
    path = centre / CENTRE_FILE
    alerts = rows(
        path, "SELECT alert_id, version, level, open FROM alert_versions WHERE hub = ?", hub
    )
    messages = rows(
        path,
        "SELECT count(*) FROM messages WHERE hub = ? AND leaf = 'alert' AND lane = 'alert'",
        hub,
    )
    notices = rows(
        path,
        "SELECT alert_id, version, count(*) FROM notices "
        "WHERE hub = ? AND alert_id IS NOT NULL GROUP BY alert_id, version, kind",
        hub,
    )
    gaps = rows(path, "SELECT count(*) FROM gaps WHERE hub = ? AND settled IS NULL", hub)
    return CentreBook(
        tuple(Version(i, v, level, bool(o)) for i, v, level, o in alerts),
        int(messages[0][0]),
        Counter({(i, v): n for i, v, n in notices}),
        int(gaps[0][0]),
    )


def set_aside(data: Path) -> Sequence[str]:
    """Journals that were put away because they did not open."""
    return sorted(path.name for path in data.glob(f"{JOURNAL}.*-*[0-9]"))
