"""The centre's store: everything a hub was told "received" for is in here before it is told.

SQLite with WAL and ``synchronous=FULL``. Several processes may use one file (centres that share the
work, an operator's script): every write is one short transaction that waits for its turn.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.contract import messages as wire
from gateway.domain.errors import AnsimError
from provisioning.centre import gaps, intake, keeping, tables
from provisioning.centre.intake import REFUSALS, Due, Fresh, Message, Refused, Taken

FILE = "centre.sqlite3"

BUSY = 10.0
"""Seconds to wait for another process's transaction; each lasts milliseconds."""

QUARANTINED_MOST = 10_000
"""Rows of messages that could not be understood; the oldest give way. Enough for a day of a hub
that sends one bad message every ten seconds, and bounded against one that sends thousands."""

COUNTER_BLOCK = 1000
"""Answer counters are reserved in blocks: one more commit every thousand answers instead of one
for each. After a kill the rest of a block is skipped; a counter only has to rise."""


class StoreError(AnsimError):
    """Raised when the centre's store cannot be read or written; nothing was accepted."""

    reason = "store"


class Store:
    """One connection to the store. Not for several threads."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.db = db
        self.path = path
        self._counters: dict[str, Iterator[int]] = {}

    @classmethod
    def open(cls, folder: Path, *, create: bool = True) -> Store:
        """Open (and create) the store in ``folder``."""
        path = folder / FILE
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            elif not path.exists():
                raise StoreError(f"{path}: there is no store; start the centre first.")
            store = cls(sqlite3.connect(path, timeout=BUSY, isolation_level=None), path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: {error}; check the folder and its owner.") from error
        try:
            store._prepare()
        except BaseException as error:
            store.close()
            if isinstance(error, OSError | sqlite3.Error):
                raise StoreError(f"{path}: {error}; check the file and its owner.") from error
            raise
        return store

    def _prepare(self) -> None:
        self.path.chmod(0o600)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("PRAGMA trusted_schema=OFF")
        with self.transaction():
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                _script(self.db, tables.TABLES)
                self.db.execute(f"PRAGMA user_version={tables.VERSION}")
            elif version != tables.VERSION:
                raise StoreError(
                    f"{self.path}: made by version {version} of the tables, this is "
                    f"{tables.VERSION}; use the program that made it."
                )
            _script(self.db, tables.ADDED)
            for table, name, kind in tables.COLUMNS:
                known = {row[1] for row in self.db.execute(f"PRAGMA table_info({table})")}
                if name not in known:
                    self.db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")

    def close(self) -> None:
        """Close the connection; what was committed stays."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. The lock is taken at once, so that nobody's reading grows stale."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.db.in_transaction:  # a full disk has rolled back by itself
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def commit(
        self,
        messages: Sequence[Message],
        refused: Sequence[Refused] = (),
        *,
        now: float,
        also: Callable[[list[Fresh]], None] | None = None,
    ) -> Taken:
        """Store a batch in one transaction and say what is now owed. ``now`` in wall seconds.
        ``also`` stores, in the same transaction, what follows from the new versions.

        Raises sqlite3.OperationalError if the disk is full or the file locked (nothing was stored,
        try again), another sqlite3.Error, OverflowError or ValueError if one of the messages cannot
        be stored as it is (nothing was stored, try them one by one).
        """
        new = duplicates = 0
        fresh: list[Fresh] = []
        touched: dict[str, None] = {}
        records: dict[tuple[str, str], None] = {}
        receipts: dict[str, list[wire.AlertReceipt | wire.RecordsReceipt]] = {}
        with self.transaction():
            for message in messages:
                touched[message.hub] = None
                if self._first_time(message, now):
                    new += 1
                    self._keep(message, now, fresh)
                else:
                    duplicates += 1
                    keeping.repeated(self.db, message, now)
                    # a clock that was set back with its journal gives an id twice
                    self._version(message, now, fresh)
                lane = message.envelope.lane
                if lane == "alert" and message.alert is not None:
                    alert_id, version = message.alert
                    receipt = wire.AlertReceipt(alert_id, version, "received")
                    receipts.setdefault(message.hub, []).append(receipt)
                    self.db.execute(
                        "INSERT OR IGNORE INTO receipts VALUES (?,?,?,'received',?,NULL)",
                        (message.hub, alert_id, version, now),
                    )
                elif lane == "record" or (
                    # it waits for a receipt; the heartbeat may have settled the gap before it
                    isinstance(message.data, wire.HeartbeatData) and message.data.queue.records
                ):
                    records[message.hub, message.envelope.journalid] = None
            for one in refused:
                rejection = self._quarantine(one, now)
                if rejection is not None and one.hub is not None:
                    touched[one.hub] = None
                    receipts.setdefault(one.hub, []).append(rejection)
            for hub, journal in records:
                up_to = gaps.prefix(self.db, hub, journal, "record")
                if up_to:
                    receipts.setdefault(hub, []).append(wire.RecordsReceipt(journal, up_to))
            self.count("messages", new)
            self.count("duplicates", duplicates)
            if also is not None and fresh:
                also(fresh)
            boots = {hub: self._boot(hub) for hub in receipts}
        due = [Due(hub, boots[hub], owed) for hub, owed in receipts.items() if boots[hub]]
        return Taken(new, duplicates, len(refused), due, fresh, frozenset(touched))

    def count(self, name: str, by: int = 1) -> None:
        """Add to a named counter."""
        intake.count(self.db, name, by)

    def next_counter(self, centre: str) -> int:
        """The next number for an answer of this centre: durable, and it only ever rises."""
        block = self._counters.get(centre, iter(()))
        number = next(block, None)
        if number is None:
            name = f"counter:{centre}"
            with self.transaction():
                row = self.db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
                # wall milliseconds as the floor: a store put back from a backup still rises
                start = max(int(row[0]) if row else 0, int(time.time() * 1000))
                self.db.execute(
                    "INSERT OR REPLACE INTO meta VALUES (?,?)", (name, start + COUNTER_BLOCK)
                )
            block = self._counters[centre] = iter(range(start + 1, start + COUNTER_BLOCK + 1))
            number = next(block)
        return number

    def set_meta(self, name: str, value: str | float) -> None:
        """Keep a small fact."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))

    def meta(self, name: str) -> str | float | None:
        """A small fact that was kept."""
        row = self.db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return None if row is None else row[0]

    def changed(self) -> int:
        """A number that changes when another connection committed; cheap to ask."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def _boot(self, hub: str) -> str:
        row = self.db.execute("SELECT bootid FROM hubs WHERE hub=?", (hub,)).fetchone()
        return "" if row is None or row[0] is None else str(row[0])

    def _first_time(self, message: Message, now: float) -> bool:
        envelope = message.envelope
        lane = envelope.lane
        stream = envelope.journalid if lane in gaps.JOURNALLED else envelope.bootid
        sequence = int(envelope.sequence)
        inserted = self.db.execute(
            "INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,1) ON CONFLICT DO NOTHING",
            (
                message.hub,
                envelope.id,
                message.leaf,
                lane,
                stream,
                sequence,
                envelope.bootid,
                envelope.time,
                now,
            ),
        ).rowcount
        if not inserted:
            self.db.execute(
                "UPDATE messages SET copies=copies+1 WHERE hub=? AND id=?",
                (message.hub, envelope.id),
            )
            return False
        if lane in gaps.TRACKED:
            seen, filled = gaps.note(self.db, message.hub, stream, lane, sequence, now)
            self.count("gaps seen", seen)
            self.count("gaps filled", filled)
        return True

    def _keep(self, message: Message, now: float, fresh: list[Fresh]) -> None:
        keeping.hub(self.db, message, now)
        data = message.data
        self._version(message, now, fresh)
        if isinstance(data, wire.HeartbeatData):
            keeping.heartbeat(self.db, message, data, now)
        elif isinstance(data, wire.TelemetryData):
            keeping.telemetry(self.db, message, data, now)
        elif isinstance(message.envelope, wire.UnknownEvent):
            keeping.other(self.db, message, now)

    def _version(self, message: Message, now: float, fresh: list[Fresh]) -> None:
        if isinstance(message.data, wire.AlertData):
            news = keeping.alert(self.db, message, message.data, now)
            if news is not None:
                fresh.append(news)

    def _quarantine(self, one: Refused, now: float) -> wire.AlertReceipt | None:
        self.db.execute(
            "INSERT INTO quarantine (at, topic, reason, detail, size, digest, head) "
            "VALUES (?,?,?,?,?,?,?)",
            (now, one.topic, one.reason, one.detail, one.size, one.digest, one.head),
        )
        self.db.execute(
            "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?",
            (QUARANTINED_MOST,),
        )
        self.count("refused")
        self.count(f"refused: {one.reason}")
        if one.hub is None or one.alert is None:
            return None
        alert_id, version = one.alert
        self.db.execute(
            "INSERT OR IGNORE INTO receipts VALUES (?,?,?,'rejected',?,?)",
            (one.hub, alert_id, version, now, one.reason),
        )
        word = REFUSALS.get(one.reason, "bad-content")
        return wire.AlertReceipt(alert_id, version, "rejected", reason=word)


def _script(db: sqlite3.Connection, text: str) -> None:
    """``executescript`` would commit first; this stays inside the transaction."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
