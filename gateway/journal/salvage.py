"""Everything that can still be understood of a file that was set aside, poured into a new journal.

Rows are known by their shape alone (see ``pages``), so what is taken must also make sense: JSON
that decodes as an observation, an alert, a summary. What the file says of whose it is counts first:
nothing of another hub's home is ever taken over.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.instant import DAY
from gateway.journal import chain, history, outbox
from gateway.journal.history import LAST
from gateway.journal.outbox import ALERT, LANES, RECEIVED, RECORD, decoded_alert
from gateway.journal.pages import PageFile, RawRow, Value
from gateway.journal.righting import Seat, Small, righted

OLDEST = 30 * DAY
"""Seconds. Pages that are no longer in use still hold what was forgotten on purpose (P2); no row
older than this comes back."""

HIGHEST = (1 << 63) - 1


class Salvaged(Struct, frozen=True):
    """What came out of a file that was set aside.

    ``journal_id`` is the old file's, empty where that is lost. ``observations`` were taken over; ``lost`` counts numbers between the first and the last that
    are not among them. ``waiting`` of the ``alerts`` (versions) and ``records`` had not been
    received and are sent (again). ``bodiless`` alert versions are known of, but not what they said.
    """

    journal_id: str = ""
    observations: int = 0
    lost: int = 0
    alerts: int = 0
    waiting: int = 0
    records: int = 0
    counters: int = 0
    bodiless: int = 0


class _Line(NamedTuple):
    """A row of the table ``alert``."""

    lane: str
    sequence: int
    level: int
    received: float | None
    receiver: str
    answer: int | None
    receipt_place: int | None = None


class _Found:
    """Everything but the observations, which are too many to hold."""

    def __init__(self) -> None:
        self.hubs: set[str] = set()
        self.journals: set[str] = set()
        self.boots: dict[int, str] = {}
        self.phrases: dict[int, str] = {}
        self.counters: dict[str, int] = {}
        self.lines: dict[tuple[str, int], _Line] = {}
        self.alerts: dict[int, tuple[float, str, int | None]] = {}
        self.records: dict[int, tuple[float, float | None, str, int | None]] = {}
        self.links: dict[int, bytes] = {}
        self.hourly: dict[tuple[int, str], int] = {}
        self.newest = 0.0

    def is_others(self, hub: str) -> bool:
        """Whether the file says that it is another hub's, and its chain does not say otherwise."""
        ours = any(chain.begins_with(0, self.links.get(0, b""), one, hub) for one in self.journals)
        return bool(self.hubs - {hub}) and not ours

    def take(self, row: RawRow) -> None:
        """Sort a row in by its shape. A number that is found twice is one that rose."""
        match row.values:
            case (str(journal), str(hub), int() | float(), int()) if row.rowid is not None:
                self.journals.add(journal)
                self.hubs.add(hub)
            case (int(hour), str(sensor), int(events)) if row.rowid is None:
                key = (hour, sensor)
                self.hourly[key] = max(events, self.hourly.get(key, 0))
            case (None, str(text)) if row.rowid is not None:
                (self.phrases if text.startswith("{") else self.boots)[row.rowid] = text
            case (str(name), int(value)) if row.rowid is None:
                self.counters[name] = max(value, self.counters.get(name, value))
            case (str(alert_id), int(version), "alert" | "record" as lane, int(n), *rest):
                self._line(alert_id, version, lane, n, rest)
            case (None, int() | float() as made, str(body), *rest) if (
                row.rowid is not None and body.startswith("{")
            ):
                self.alerts[row.rowid] = (float(made), body, self._link(*rest))
            case (
                None,
                int() | float() as made,
                None | int() | float() as start,
                str(body),
                *rest,
            ) if row.rowid is not None and body.startswith("{"):
                at = None if start is None else float(start)
                self.records[row.rowid] = (float(made), at, body, self._link(*rest))
            case (None, bytes(link)) if row.rowid is not None:
                self.links.setdefault(row.rowid, link)  # the chain's first row is a link
            case _ if (wall := _wall(row)) is not None:
                self.newest = max(self.newest, wall)

    def _link(self, place: Value = None, link: Value = None, *_: Value) -> int | None:
        """Note where in the chain a row stands; None for one of a program without a chain."""
        if isinstance(place, int) and isinstance(link, bytes):
            self.links[place] = link
            return place
        return None

    def _line(
        self, alert_id: str, version: int, lane: str, sequence: int, rest: Sequence[Value]
    ) -> None:
        """``rest``: the columns from ``level`` on; a program of version 1 wrote fewer."""
        level, _, _, received, receiver, answer = (*rest, *[None] * 6)[:6]
        place = self._link(*rest[6:])
        before = self.lines.get((alert_id, version))
        if before is not None and before.received is not None:
            return  # a receipt is never taken back: the copy with it is the newer one
        self.lines[alert_id, version] = _Line(
            lane,
            sequence,
            level if isinstance(level, int) else -1,
            float(received)
            if isinstance(received, int | float) and isinstance(receiver, str)
            else None,
            receiver if isinstance(receiver, str) else "",
            answer if isinstance(answer, int) else None,
            place,
        )


def salvage(
    path: Path,
    hub: str,
    connection: sqlite3.Connection,
    known: Mapping[str, int],
    *,
    now: float,
    observations: bool = True,
) -> Salvaged:
    """Take what is whole in ``path`` into the new, empty journal of ``connection``, inside the
    caller's transaction. ``known``: counters that are known from elsewhere; of each the highest
    counts, so that no sensor's frame comes twice. ``now``: wall seconds; no reading is believed to be
    of later. ``observations``: whether there is room for them; their counters are taken in any case.

    Messages that wait are numbered anew. What the centre had received gets numbers below 1, which
    are no part of a lane: it is history and is never sent. Raises OSError and sqlite3.Error.
    """
    found = _Found()
    with PageFile(path) as file:
        for row in file.rows():
            found.take(row)
        if found.is_others(hub):
            return Salvaged()
        found.newest = min(found.newest, now)
        last = _observations(connection, file, found, known)
    if not observations:
        connection.execute("DELETE FROM observation")
        connection.execute("DELETE FROM boot")
        connection.execute("DELETE FROM phrase")
    taken, first = connection.execute(
        "SELECT count(*), coalesce(min(sequence), 1) FROM observation"
    ).fetchone()
    received = max(found.counters.get(RECEIVED, 0), known.get(RECEIVED, 0))
    alerts, waiting, bodiless = _alerts(connection, found, received)
    records = _records(connection, found, received)
    connection.executemany(
        "INSERT INTO hourly VALUES (?, ?, ?)",
        [(hour, sensor, events) for (hour, sensor), events in found.hourly.items()],
    )
    counters = dict(found.counters)
    for name, value in known.items():
        counters[name] = max(value, counters.get(name, value))
    counters[LAST] = last
    return Salvaged(
        journal_id=next(iter(found.journals)) if len(found.journals) == 1 else "",
        observations=taken,
        lost=last - first + 1 - taken,
        alerts=alerts,
        waiting=waiting,
        records=records,
        counters=keep_counters(connection, counters),
        bodiless=bodiless,
    )


_OWN = (RECEIVED, history.COUNTED, history.UP)
"""Counters that mean something only together with the numbers of the old file, or with one boot: of
a copy that was left behind in a page nobody knows whose it was."""


def _wall(row: RawRow) -> float | None:
    """The wall time of an observation of a clock that was right; None if the row is none."""
    match row.values:
        case (None, int(), int() | float(), int() | float() as wall, 1, int() | str(), *_) if (
            len(row.values) == 7 and row.rowid is not None
        ):
            return float(wall)
    return None


def _observations(
    connection: sqlite3.Connection, file: PageFile, found: _Found, known: Mapping[str, int]
) -> int:
    """Take observations over; returns the last number that was ever given to one. Their counters
    are brought into ``found``."""
    numbers: dict[int, int] = {}
    phrases: dict[str, int] = {}
    for row in _said(file):
        _, boot, boottime, wall, synced, what, counter = row.values
        assert isinstance(boot, int)
        assert isinstance(wall, int | float)
        assert isinstance(boottime, int | float)
        text = found.phrases.get(what) if isinstance(what, int) else what
        boot_id = found.boots.get(boot, f"lost-{boot}")
        who = history.spoken(text) if isinstance(text, str) else None
        if isinstance(counter, int) and who is not None and who.sensor:
            name = f"sensor:{who.sensor}"
            found.counters[name] = max(counter, found.counters.get(name, counter))
        if not isinstance(text, str) or (synced and wall < found.newest - OLDEST):
            continue
        if history.decoded((row.rowid, boot_id, boottime, wall, synced, text, None)) is None:
            continue
        number = numbers.get(boot)
        if number is None:
            number = numbers[boot] = len(numbers) + 1
            connection.execute("INSERT INTO boot VALUES (?, ?)", (number, boot_id))
        said: int | str = text
        if isinstance(what, int):
            if text not in phrases:
                phrases[text] = len(phrases) + 1
                connection.execute("INSERT INTO phrase VALUES (?, ?)", (phrases[text], text))
            said = phrases[text]
        connection.execute(
            "INSERT OR IGNORE INTO observation VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.rowid, number, float(boottime), float(wall), synced, said, counter),
        )
    return max(history.end(connection), found.counters.get(LAST, 0), known.get(LAST, 0))


def _said(file: PageFile) -> Iterator[RawRow]:
    for row in file.rows():
        match row.values:
            case (None, int(), int() | float(), int() | float(), 0 | 1, int() | str(), counter) if (
                row.rowid is not None and 0 < row.rowid < HIGHEST
            ):
                if counter is None or isinstance(counter, int):
                    yield row


class _Version(NamedTuple):
    """An alert version that is taken over; ``line`` is its row in the table ``alert``."""

    received: bool
    sequence: int
    alert: Alert
    body: str
    created: float
    line: _Line


def _alerts(connection: sqlite3.Connection, found: _Found, received: int) -> tuple[int, int, int]:
    """Take alert versions over; returns how many, how many wait, and how many have lost what they
    said."""
    versions, bodiless = _versions(found, received)
    head = chain.read_head(connection)
    waiting = 0
    for done in (True, False):
        for lane in LANES:
            chosen = [v for v in versions if v.received is done and outbox.lane_of(v.alert) == lane]
            number = -len(chosen) if done else 0
            for version in sorted(chosen, key=lambda v: v.sequence):
                alert, line = version.alert, version.line
                if outbox.has_alert(connection, alert):
                    continue
                number += 1
                head = outbox.add_alert(
                    connection, alert, version.body, number, version.created, head
                )
                waiting += not done
                if done and lane == ALERT and line.received is not None:
                    receipt = outbox.AlertReceived(
                        alert.id, alert.version, line.received, line.receiver
                    )
                    _, head = outbox.receive_alert(connection, receipt, line.answer, head)
    return len(versions), waiting, bodiless


def _versions(found: _Found, received: int) -> tuple[list[_Version], int]:
    """Every version whose words are there, and the number of those whose words are not. What was
    forgotten on purpose stays so."""
    notes = {n: (c, t, p) for n, (c, start, t, p) in found.records.items() if start is None}
    lanes = {ALERT: found.alerts, RECORD: notes}
    said_in = {
        lane: {n: said for n, (_, text, _) in messages.items() if (said := decoded_alert(text))}
        for lane, messages in lanes.items()
    }
    ids = Counter(alert_id for alert_id, _ in found.lines)
    ids.update(said.id for messages in said_in.values() for said in messages.values())
    seats = {(line.lane, line.sequence): (key, line) for key, line in found.lines.items()}
    versions: list[_Version] = []
    told: set[tuple[str, int]] = set()
    for lane, messages in said_in.items():
        for sequence, said in messages.items():
            created, text, place = lanes[lane][sequence]
            key, line = seats.get((lane, sequence), (None, None))
            small = None if key is None or line is None else _small(key, line)
            seat = Seat(lane, sequence, place, created)
            alert = righted(said, text, seat, small, found.links, ids)
            if outbox.lane_of(alert) != lane:
                continue
            line = line or found.lines.get((alert.id, alert.version))
            if line is None:  # its small row is lost: what is not known to be received waits
                line = _Line(lane, sequence, alert.level, None, "", None)
            done = line.received is not None if lane == ALERT else sequence <= received
            if done and not alert.open and alert.at.wall < found.newest - OLDEST:
                continue
            told.add(key or (alert.id, alert.version))
            body = text if alert is said else msgspec.json.encode(alert).decode()
            versions.append(_Version(done, sequence, alert, body, created, line))
    return versions, len(found.lines.keys() - told)


def _small(key: tuple[str, int], line: _Line) -> Small:
    return Small(*key, line.level, line.received, line.receiver, line.answer, line.receipt_place)


def _records(connection: sqlite3.Connection, found: _Found, received: int) -> int:
    """Take summaries over that wait, behind the notes; returns how many."""
    number = outbox.head(connection, RECORD)
    taken = 0
    for sequence, (created, start, body, _) in sorted(found.records.items()):
        if start is None or sequence <= received or not outbox.is_summary(body, start):
            continue
        number += 1
        taken += 1
        connection.execute(
            "INSERT INTO outbox_record (sequence, created, start, body) VALUES (?, ?, ?, ?)",
            (number, created, start, body),
        )
    return taken


def keep_counters(connection: sqlite3.Connection, values: Mapping[str, int]) -> int:
    """Take those over that mean something in another file; returns how many."""
    kept = {
        name: value
        for name, value in values.items()
        if -HIGHEST <= value <= HIGHEST and not name.startswith(_OWN)
    }
    history.save_counters(connection, {**kept, history.COUNTED: kept.get(LAST, 0)})
    return len(kept)
