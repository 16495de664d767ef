"""How a journal begins, and what happens when the file that is there cannot be gone on with."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from gateway.domain.errors import JournalError
from gateway.domain.instant import DAY
from gateway.journal import chain, history, schema
from gateway.journal.pages import log_is_torn_inside
from gateway.journal.salvage import Salvaged, salvage
from gateway.journal.schema import Unusable
from gateway.journal.store import FILE, Store, code, connect, sync_folder, translated

_UNUSABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BESIDE = ("", "-wal", "-shm", "-journal")

KEPT_FILES = 3
"""Files that were set aside and are kept; an older one goes when the next comes."""

KEPT_SECONDS = 30 * DAY
"""Seconds for which they are kept: they hold readings (P2)."""

_NOT_OURS = ("other-hub", "cannot-open")
"""Reasons for which nothing may or can be taken over."""


class Recovered(Struct, frozen=True):
    """A file was set aside and a new journal began.

    ``reason``    damaged, gone (empty or not there, though a snapshot is), rolled-back (it has lost
                  what a snapshot knew), not-a-journal, cannot-open, newer (than this program),
                  too-old, other-hub
    ``kept``      where the old file is now
    ``salvaged``  what was taken over from it
    """

    reason: str
    kept: Path
    salvaged: Salvaged = Salvaged()

    def counts(self) -> dict[str, int]:
        """What was saved and lost, by names for the heartbeat's counters."""
        saved = self.salvaged
        return {
            "journal-recovered": 1,
            "salvaged-observations": saved.observations,
            "salvaged-alerts": saved.alerts,
            "salvaged-waiting": saved.waiting,
            "salvaged-records": saved.records,
            "lost-observations": saved.lost,
            "lost-alerts": saved.bodiless,
        }

    def told(self) -> tuple[str, str]:
        """Reason and counts, and the name of the file, for a technician's eyes."""
        counts = ", ".join(f"{name} {count}" for name, count in self.counts().items() if count)
        return f"{self.reason}: {counts}", self.kept.name


class Known(Struct, frozen=True):
    """What is known of a journal from elsewhere: its snapshot, or the running program.

    ``journal_id`` is whose it is; ``last`` the highest observation's number; ``counters`` as of
    then.
    """

    journal_id: str
    last: int
    counters: Mapping[str, int]


class Opened(Struct, frozen=True):
    """A store that is ready, whose it is, and what had to be set aside for it."""

    store: Store
    journal_id: str
    recovered: Recovered | None


def open_store(folder: Path, hub: str, created: float, known: Known | None = None) -> Opened:
    """Open the journal of ``folder`` or begin one. A file that cannot be used never stops a hub:
    what can be read of it is taken into a new journal with a new id, and it is set aside.

    Raises JournalError where even a new file cannot be made: disk full, folder not writable.
    """
    path = folder / FILE
    try:
        _finish(path)
        store, journal_id = _begin(path, hub, created, known)
        return Opened(store, journal_id, None)
    except Unusable as trouble:
        try:
            salvaged = _rescued(path, hub, created, trouble.reason, known)
            kept = set_aside(path)
            _finish(path)
            store, journal_id = _begin(path, hub, created, None)
        except (Unusable, OSError) as error:
            raise translated(error, folder) from error
        return Opened(store, journal_id, Recovered(trouble.reason, kept, salvaged))
    except OSError as error:
        raise translated(error, folder) from error


def set_aside(path: Path) -> Path:
    """Rename the file and those beside it to ``<name>.damaged-<n>``; its WAL stays its WAL, so that
    it can still be opened and salvaged. Only the newest few are kept. Raises OSError."""
    before = files_aside(path.parent)
    n = 1 + max((_number(old) for old in before), default=0)
    kept = path.with_name(f"{path.name}.damaged-{n}")
    for beside in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{beside}").rename(f"{kept}{beside}")
    with suppress(FileNotFoundError):
        Path(f"{path}.suspect").unlink()
    sync_folder(path.parent)
    for old in before[: len(before) + 1 - KEPT_FILES]:
        _remove(old)
    return kept


def files_aside(folder: Path) -> list[Path]:
    """Journals that were set aside, the oldest first. Raises OSError."""
    found = [path for path in folder.glob(f"{FILE}.damaged-*") if _number(path)]
    return sorted(found, key=_number)


def _number(aside: Path) -> int:
    """The number of a file that was set aside; 0 for those beside it."""
    last = aside.name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0


def forget_aside(folder: Path, now: float, *, all_of_them: bool = False) -> int:
    """Remove those that are older than they may be kept, or all where room is needed; returns how
    many. Age is counted from when they were last written. Never raises: it is tried again."""
    gone = 0
    with suppress(OSError):
        for path in files_aside(folder):
            age = now - path.lstat().st_mtime
            if all_of_them or age > KEPT_SECONDS:
                _remove(path)
                gone += 1
    return gone


def _remove(path: Path) -> None:
    for beside in _BESIDE:
        with suppress(OSError):
            Path(f"{path}{beside}").unlink()


def _rescued(path: Path, hub: str, created: float, reason: str, known: Known | None) -> Salvaged:
    """Make ``<name>.ready``: a new journal with what the damaged one still tells.

    Whatever goes wrong here must not stop the hub: where the disk has no room for everything the
    observations are left behind, then the rest. The damaged file is kept in any case.
    """
    if reason in _NOT_OURS:
        return Salvaged()
    counters = {} if known is None else dict(known.counters)
    if known is not None and reason != "rolled-back":
        counters[history.LAST] = known.last
    for observations in (True, False):
        fresh = path.with_name(f"{path.name}.new")
        _remove(fresh)
        try:
            connection = connect(fresh)
            try:
                schema.create(connection, secrets.token_hex(8), hub, created)
                connection.execute("BEGIN IMMEDIATE")
                salvaged = salvage(path, hub, connection, counters, observations=observations)
                connection.execute("COMMIT")
            finally:
                connection.close()  # brings its log into the file
            fresh.rename(path.with_name(f"{path.name}.ready"))
            sync_folder(path.parent)
            return salvaged
        except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError):
            _remove(fresh)
            forget_aside(path.parent, created, all_of_them=True)
    return Salvaged()


def _finish(path: Path) -> None:
    """A new journal that was made ready takes the place of the one that was set aside for it. A
    kill in between is made good here: ``.ready`` without the file itself is that very moment."""
    ready = path.with_name(f"{path.name}.ready")
    if not ready.exists():
        return
    if os.path.lexists(path):
        _remove(ready)  # killed before the old one was set aside: it is looked at anew
    else:
        ready.rename(path)
        sync_folder(path.parent)


def _begin(path: Path, hub: str, created: float, known: Known | None) -> tuple[Store, str]:
    """Raises Unusable if there is a file that cannot be gone on with, else JournalError."""
    connection: sqlite3.Connection | None = None
    try:
        _look_at_log(path)
        connection = connect(path)
        store = Store(connection, path)
        if schema.is_new(connection):
            _look_whether_first(known)
            schema.create(connection, secrets.token_hex(8), hub, created)
            sync_folder(path.parent)
        schema.migrate(connection)
        schema.check(connection, everything=store.suspicion.exists())
        journal_id = schema.identity(connection, hub)
        if known is not None and known.journal_id == journal_id:
            _look_at_end(connection, known.last)
        _adopt(connection)
        _look_at_chain(connection)
        store.suspicion.unlink(missing_ok=True)
        return store, journal_id
    except BaseException as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if isinstance(error, UnicodeDecodeError):  # of SQLite's message about a spoilt schema
            raise Unusable("damaged") from error
        if isinstance(error, sqlite3.Error | OSError):
            raise _judged(error, path) from error
        raise


def _look_at_log(path: Path) -> None:
    """Before SQLite does: it would drop what lies behind a broken frame."""
    if log_is_torn_inside(path):
        raise Unusable("damaged")


def _look_whether_first(known: Known | None) -> None:
    """An empty file, or none, beside a snapshot is no first start: its alerts may have waited."""
    if known is not None:
        raise Unusable("gone")


def _look_at_end(connection: sqlite3.Connection, known: int) -> None:
    """A file that ends before what is known has lost synced writes, or is an older copy: going on
    with it would give out numbers twice, and the centre would take new messages for old ones."""
    last = max(history.end(connection), history.counters(connection).get(history.LAST, 0))
    if known > last:
        raise Unusable("rolled-back")


def _look_at_chain(connection: sqlite3.Connection) -> None:
    """A flipped bit in an alert's id or state is no damage to SQLite, and would keep its receipt from
    ever having an effect."""
    if not chain.verify(connection).whole:
        raise Unusable("damaged")


def _adopt(connection: sqlite3.Connection) -> None:
    """What an older program added in between is taken into the chain."""
    if chain.unchained(connection):
        connection.execute("BEGIN IMMEDIATE")
        chain.adopt(connection)
        connection.execute("COMMIT")


def _judged(error: sqlite3.Error | OSError, path: Path) -> Unusable | JournalError:
    """Whether the file is to blame (Unusable), or its surroundings: then a new one would fail as
    well, and history must not be put away for a full disk or for too many open files."""
    if isinstance(error, sqlite3.Error):
        if code(error) in _UNUSABLE:
            return Unusable("damaged")
        if code(error) == sqlite3.SQLITE_CANTOPEN and _blocked(path):
            return Unusable("cannot-open")
        if isinstance(error, sqlite3.DatabaseError) and code(error) == sqlite3.SQLITE_ERROR:
            return Unusable("damaged")  # "no such table": the schema does not fit its version
    elif isinstance(error, IsADirectoryError):
        return Unusable("cannot-open")
    return translated(error, path.parent)


def _blocked(path: Path) -> bool:
    """Whether one of the journal's own files is what does not open."""
    for beside in _BESIDE:
        try:
            os.close(os.open(f"{path}{beside}", os.O_RDWR))
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP):
                return True
    return False
