"""Questions to the store: what the board and the commands show."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from gateway.contract import messages as wire
from provisioning.centre.silence import Facts
from provisioning.centre.store import Store

DUE_ACCEPT = {4: 60.0, 3: 180.0, 2: 600.0}
"""Seconds until a person's answer is due, by level (A-table; the inactivity figures)."""


class Home(Struct, frozen=True):
    """One home for the board. ``why`` is empty while it is watched; times are wall seconds.
    ``remade``: versions that its hub made anew with another content: it was set back."""

    hub: str
    watching: bool
    why: str
    since: float | None
    last_seen: float
    heartbeat_at: float | None
    inactive_s: float | None
    away: bool | None
    stale: list[str]
    lost: list[str]
    faults: list[str]
    waiting: int
    open_alerts: int
    highest: int
    missing: int
    remade: int
    version: str


class AlertLine(Struct, frozen=True):
    """One alert for the board. Times at the centre are wall seconds, those of the hub ISO text."""

    hub: str
    alert_id: str
    version: int
    type: str
    level: int
    state: str
    open: bool
    raised_at: str
    at: str
    first_received: float
    accepted: float | None
    accepted_by: str | None
    closed: float | None
    outcome: str | None
    service: str | None
    pending: str | None
    sentence_ko: str
    sentence_en: str
    explained_ko: str = ""
    explained_en: str = ""


class Overview(Struct, frozen=True):
    """The board's first line. ``oldest`` heartbeat in wall seconds, over all hubs."""

    homes: int
    watching: int
    open_by_level: dict[int, int]
    oldest: float | None
    oldest_hub: str | None
    gaps: int
    refused: int
    duplicates: int
    remade: int
    notices_waiting: int
    notices_failed: int


class _Explained(Struct):
    text_ko: str = ""
    text_en: str = ""


class _Sentences(Struct):
    sentence_ko: str
    sentence_en: str
    explanation: _Explained | None = None


_SENTENCES = msgspec.json.Decoder(_Sentences)
_HEARTBEAT = msgspec.json.Decoder(wire.HeartbeatData)
_BIRTH = msgspec.json.Decoder(wire.BirthData)


def facts(store: Store) -> list[Facts]:
    """What the judgement of silence rests on."""
    found = []
    for row in store.db.execute(
        "SELECT hub, first_seen, state, state_at, online_at, heartbeat_at, heartbeat, birth "
        "FROM hubs ORDER BY hub"
    ):
        hub, first, state, state_at, online_at, beat_at, beat, birth = row
        data = None if beat is None else _HEARTBEAT.decode(beat)
        interval: float | None = None
        if data is not None:
            interval = data.interval_s
        elif birth is not None:
            interval = _BIRTH.decode(birth).heartbeat_s
        found.append(
            Facts(
                hub,
                first,
                state,
                state_at,
                online_at,
                beat_at,
                data is not None and data.watching,
                () if data is None else tuple(data.reasons),
                interval,
            )
        )
    return found


def homes(store: Store) -> list[Home]:
    """Every home, those that need somebody first."""
    open_by_hub = {
        hub: (count, highest)
        for hub, count, highest in store.db.execute(
            "SELECT hub, count(*), max(level) FROM alerts WHERE open GROUP BY hub"
        )
    }
    missing = dict(
        store.db.execute(
            "SELECT hub, sum(high - low + 1) FROM gaps WHERE settled IS NULL GROUP BY hub"
        ).fetchall()
    )
    remade = dict(store.db.execute("SELECT hub, count(*) FROM alert_twins GROUP BY hub").fetchall())
    found = []
    for row in store.db.execute(
        "SELECT hub, judged, judged_why, judged_since, last_seen, heartbeat_at, heartbeat FROM hubs"
    ):
        hub, judged, why, since, last_seen, beat_at, body = row
        beat = None if body is None else _HEARTBEAT.decode(body)
        count, highest = open_by_hub.get(hub, (0, 0))
        found.append(
            Home(
                hub=hub,
                watching=bool(judged),
                why=why if why is not None else "waiting",
                since=since,
                last_seen=last_seen,
                heartbeat_at=beat_at,
                inactive_s=None if beat is None else beat.inactive_s,
                away=None if beat is None else beat.away,
                stale=[] if beat is None else beat.sensors.stale,
                lost=[] if beat is None else beat.sensors.lost,
                faults=[] if beat is None else beat.faults,
                waiting=0 if beat is None else beat.queue.alerts + beat.queue.records,
                open_alerts=count,
                highest=highest,
                missing=missing.get(hub, 0),
                remade=remade.get(hub, 0),
                version="" if beat is None else beat.version,
            )
        )
    return sorted(found, key=lambda home: (-home.highest, home.watching, home.hub))


_ALERTS = (
    "SELECT l.hub, l.alert_id, l.version, l.type, l.level, l.state, l.open, l.raised_at, l.at, "
    "l.first_received, l.accepted, l.accepted_by, l.closed, l.outcome, l.service, "
    "(SELECT group_concat(a.state, ',') FROM answers a WHERE a.hub=l.hub "
    " AND a.alert_id=l.alert_id AND a.ended IS NULL), l.body FROM alerts l WHERE l.open "
    "ORDER BY l.open DESC, l.level DESC, l.accepted IS NOT NULL, l.first_received LIMIT ?"
)
_ALL_ALERTS = _ALERTS.replace(" WHERE l.open", "")


def alerts(store: Store, *, only_open: bool = True, limit: int = 200) -> list[AlertLine]:
    """Alerts, the highest level first, those that nobody accepted before the others."""
    found = []
    for row in store.db.execute(_ALERTS if only_open else _ALL_ALERTS, (limit,)):
        said = _SENTENCES.decode(row[16])
        why = said.explanation or _Explained()
        values = (*row[:16], said.sentence_ko, said.sentence_en, why.text_ko, why.text_en)
        fields = dict(zip(AlertLine.__struct_fields__, values, strict=True))
        found.append(msgspec.convert(fields, AlertLine, strict=False))
    return found


def overview(store: Store) -> Overview:
    """The figures of the board's first line."""
    db = store.db
    levels = dict(db.execute("SELECT level, count(*) FROM alerts WHERE open GROUP BY level"))
    count, watching = db.execute("SELECT count(*), coalesce(sum(judged), 0) FROM hubs").fetchone()
    oldest = db.execute(
        "SELECT heartbeat_at, hub FROM hubs WHERE heartbeat_at IS NOT NULL "
        "ORDER BY heartbeat_at LIMIT 1"
    ).fetchone() or (None, None)
    counters = dict(db.execute("SELECT name, value FROM counters"))
    pending, failing = db.execute(
        "SELECT count(*), coalesce(sum(attempts > 0), 0) FROM notices WHERE delivered IS NULL"
    ).fetchone()
    gaps = db.execute("SELECT count(*) FROM gaps WHERE settled IS NULL").fetchone()[0]
    return Overview(
        homes=count,
        watching=watching,
        open_by_level=levels,
        oldest=oldest[0],
        oldest_hub=oldest[1],
        gaps=gaps,
        refused=counters.get("refused", 0),
        duplicates=counters.get("duplicates", 0),
        remade=counters.get("versions remade", 0),
        notices_waiting=pending,
        notices_failed=failing,
    )


def judged(
    store: Store, verdicts: dict[str, tuple[bool, str]], now: float
) -> list[tuple[str, str]]:
    """Keep the judgement of the hubs, so that commands show what the board shows. Returns
    (hub, why) of those that changed."""
    known = {
        hub: (None if value is None else bool(value), why)
        for hub, value, why in store.db.execute("SELECT hub, judged, judged_why FROM hubs")
    }
    changed = [
        (watching, why, now, hub)
        for hub, (watching, why) in verdicts.items()
        if known.get(hub) != (watching, why)
    ]
    if changed:
        with store.transaction():
            store.db.executemany(
                "UPDATE hubs SET judged=?, judged_why=?, judged_since=? WHERE hub=?", changed
            )
    return [(hub, why) for _, why, _, hub in changed]
