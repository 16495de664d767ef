"""Reads the two books that the oracle compares. The only place that knows the tables of both."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from gateway.contract import messages as wire
from gateway.contract.encode import Encoder
from gateway.domain.alert import Alert
from gateway.domain.household import Household
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
    ((hub,),) = rows(path, "SELECT hub FROM journal")
    alerts = rows(
        path,
        "SELECT a.id, a.version, a.level, a.open, a.lane, a.received, a.sequence, "
        "coalesce(o.body, r.body) FROM alert a "
        "LEFT JOIN outbox_alert o ON a.lane = 'alert' AND o.sequence = a.sequence "
        "LEFT JOIN outbox_record r ON a.lane = 'record' AND r.sequence = a.sequence",
    )
    encoder = Encoder(Household(hub, ()), boot="boot", journal="journal")
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
        tuple(
            Version(i, v, level, bool(o), None if body is None else _sent(encoder, body))
            for i, v, level, o, *_rest, body in alerts
        ),
        subjects,
        frozenset(waiting),
        frozenset(stranded),
        pressed(path),
    )


def _sent(encoder: Encoder, body: str) -> str:
    """What a centre should have of a row of the journal. One that cannot be read can be at none."""
    try:
        alert = msgspec.json.decode(body, type=Alert)
    except msgspec.MsgspecError:
        return body
    message = encoder.alert(alert, 1)
    return _said(json.dumps(json.loads(message)["data"]))


def _said(body: str) -> str:
    """All of a version's content but ``old``, which tells of its sending, and the codes that hang
    on the kinds of the home's sensors, which no journal holds."""
    data = msgspec.json.decode(body, type=wire.AlertData)
    plain = msgspec.structs.replace(data, old=False, scaip_type="", scaip_status="")
    return msgspec.json.encode(plain).decode()


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
        path, "SELECT alert_id, version, level, open, body FROM every_version WHERE hub = ?", hub
    )
    messages = rows(
        path,
        "SELECT count(*) FROM messages WHERE hub = ? AND leaf = 'alert' AND lane = 'alert'",
        hub,
    )
    notices = rows(
        path,
        "SELECT alert_id, version, max(n) FROM (SELECT alert_id, version, count(*) AS n "
        "FROM notices WHERE hub = ? AND alert_id IS NOT NULL "
        "GROUP BY alert_id, version, kind, json_extract(body, '$.alert.at')) "
        "GROUP BY alert_id, version",
        hub,
    )
    gaps = rows(path, "SELECT count(*) FROM gaps WHERE hub = ? AND settled IS NULL", hub)
    return CentreBook(
        tuple(Version(i, v, level, bool(o), _said(body)) for i, v, level, o, body in alerts),
        int(messages[0][0]),
        Counter({(i, v): n for i, v, n in notices}),
        int(gaps[0][0]),
    )


def set_aside(data: Path) -> Sequence[str]:
    """Journals that were put away because they did not open."""
    return sorted(path.name for path in data.glob(f"{JOURNAL}.*-*[0-9]"))
