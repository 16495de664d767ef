"""Looking into a journal without keeping it: while the hub runs, and when it is dead.

`ansim status` uses this, so it imports little and never writes, locks or waits for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.errors import JournalError
from gateway.domain.observation import Observation
from gateway.journal import history, inspecting, outbox, quarantine
from gateway.journal.chain import Head
from gateway.journal.store import FILE, readable, translated, unreadable

READ_SECONDS = 0.1
"""How long a reader waits; status has 0.3 s for everything."""


class JournalStats(Struct, frozen=True):
    """A journal in figures. Times are wall seconds; None where there is nothing."""

    journal_id: str
    hub: str
    created: float
    waiting_alerts: int
    waiting_records: int
    oldest_alert: float | None
    alert_head: int
    record_head: int
    last_sequence: int
    first_observation: float | None
    last_observation: float | None
    open_alerts: int
    quarantined: int
    bytes: int


def size(folder: Path) -> int:
    """Bytes of the journal's files, without those that were set aside."""
    total = 0
    for beside in ("", "-wal"):
        try:
            total += (folder / f"{FILE}{beside}").stat().st_size
        except OSError:
            continue
    return total


_OLDEST = "SELECT sequence, wall FROM observation ORDER BY sequence LIMIT 1"
_NEWEST = "SELECT sequence, wall FROM observation ORDER BY sequence DESC LIMIT 1"


def _end(connection: sqlite3.Connection, query: str) -> tuple[int, float | None]:
    row = connection.execute(query).fetchone()
    if row is None:
        return 0, None
    return int(row[0]), float(row[1]) if isinstance(row[1], int | float) else None


def read_stats(
    connection: sqlite3.Connection, folder: Path, received: int | None = None
) -> JournalStats:
    """The figures, from one connection. ``received``: up to which record the centre has answered,
    where the writer knows it better than the file. Raises sqlite3.Error."""
    journal_id, hub, created = connection.execute("SELECT id, hub, created FROM journal").fetchone()
    alerts, oldest = connection.execute(
        "SELECT count(*), min(o.created) FROM alert a JOIN outbox_alert o ON o.sequence = a.sequence"
        " WHERE a.received IS NULL AND a.lane = 'alert'"
    ).fetchone()
    records = connection.execute(
        "SELECT count(*) FROM outbox_record WHERE sequence > "
        "coalesce(?, (SELECT value FROM counter WHERE name = ?), 0)",
        (received, outbox.RECEIVED),
    ).fetchone()[0]
    opened = connection.execute(
        "SELECT count(*) FROM alert a WHERE open AND level >= 1 "
        "AND version = (SELECT max(version) FROM alert WHERE id = a.id)"
    ).fetchone()[0]
    quarantined = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    newest, newest_wall = _end(connection, _NEWEST)
    return JournalStats(
        journal_id=journal_id,
        hub=hub,
        created=created,
        waiting_alerts=alerts,
        waiting_records=records,
        oldest_alert=oldest,
        alert_head=outbox.head(connection, outbox.ALERT),
        record_head=outbox.head(connection, outbox.RECORD),
        last_sequence=newest,
        first_observation=_end(connection, _OLDEST)[1],
        last_observation=newest_wall,
        open_alerts=opened,
        quarantined=quarantined,
        bytes=size(folder),
    )


def _connect(folder: Path) -> sqlite3.Connection:
    """Open for reading only. After a clean end there is no WAL; where the reader may not make the
    files that SQLite wants beside it, the file is whole by itself and is read as immutable."""
    path = folder / FILE
    if not path.is_file():
        raise JournalError(
            f"There is no journal in {folder}: start the hub once, or name its data folder.",
            reason="missing",
        )
    name = f"file:{quote(str(path))}"
    try:
        return _opened(f"{name}?mode=ro")
    except sqlite3.OperationalError:
        wal = Path(f"{path}-wal")
        if wal.exists() and wal.stat().st_size > 0:
            raise
        return _opened(f"{name}?mode=ro&immutable=1")


def _opened(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, uri=True, timeout=READ_SECONDS, isolation_level=None)
    connection.text_factory = readable
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT id FROM journal").fetchone()  # opens the file in earnest
    except BaseException:
        connection.close()
        raise
    return connection


class JournalReader:
    """A read-only view. Raises JournalError if there is no journal or it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._connection = _connect(folder)
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise translated(error, folder) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """JournalError for whatever a damaged file makes of a query."""
        try:
            yield self._connection
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise translated(error, self._folder) from error
        except (TypeError, ValueError) as error:
            raise unreadable(self._folder) from error

    def stats(self) -> JournalStats:
        with self._reading() as connection:
            connection.execute("BEGIN")  # all figures of one moment
            try:
                return read_stats(connection, self._folder)
            finally:
                connection.execute("ROLLBACK")

    def alarms(self, since_wall: float, *, least_level: int = 0) -> list[Alert]:
        """As Journal.alarms."""
        with self._reading() as connection:
            return outbox.alarms(connection, since_wall, least_level)

    def lines(self, alert_id: str | None = None) -> list[inspecting.Line]:
        """All versions of all alerts, or of those whose id begins so."""
        with self._reading() as connection:
            return inspecting.lines(connection, alert_id)

    def report(self, known: Iterable[Head] = ()) -> inspecting.Report:
        """Whether the file and its chain are whole; ``known``: links that the centre remembers."""
        with self._reading() as connection:
            return inspecting.report(connection, known)

    def last_observation(self) -> Observation | None:
        """The newest observation on disk."""
        with self._reading() as connection:
            return history.last(connection)

    def quarantined(self) -> list[quarantine.Quarantined]:
        """What could not be understood, oldest first."""
        with self._reading() as connection:
            return quarantine.entries(connection)


def stats(folder: Path) -> JournalStats:
    """The figures of the journal in ``folder``. Raises JournalError."""
    with JournalReader(folder) as reader:
        return reader.stats()
