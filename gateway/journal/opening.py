"""How a journal begins, and what happens when the file that is there cannot be gone on with."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from gateway.domain.errors import JournalError
from gateway.journal import aside, chain, history, schema, snapshot
from gateway.journal.aside import BESIDE, files_aside, set_aside
from gateway.journal.committing import read_state
from gateway.journal.pages import log_holds_commits, log_is_torn_inside
from gateway.journal.rescue import Known, finish, note, rescue
from gateway.journal.reserve import NO_ROOM, Reserve
from gateway.journal.salvage import Salvaged
from gateway.journal.schema import Unusable
from gateway.journal.store import (
    FILE,
    Store,
    code,
    connect,
    damaged,
    is_bad_sector,
    sync_folder,
    translated,
)

_UNUSABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Recovered(Struct, frozen=True):
    """A file was set aside and a new journal began.

    ``reason``    damaged, gone (empty or not there, though there was one), rolled-back (it has lost
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


class Opened(Struct, frozen=True):
    """A store that is ready, whose it is, and what had to be set aside for it."""

    store: Store
    journal_id: str
    recovered: Recovered | None


def open_store(folder: Path, hub: str, created: float, known: Known | None = None) -> Opened:
    """Open the journal of ``folder`` or begin one. A file that cannot be used never stops a hub:
    what can be read of it is taken into a new journal with a new id, and it is set aside. Where the
    disk is full, opening takes from the alarms' reserve.

    Raises JournalError where even a new file cannot be made: disk full, folder not writable.
    """
    reserve = Reserve(folder)
    while True:
        try:
            return _opened(folder / FILE, hub, created, known)
        except JournalError as error:
            if error.reason not in NO_ROOM or not (reserve.is_needed and reserve.shrink()):
                raise


def _opened(path: Path, hub: str, created: float, known: Known | None) -> Opened:
    try:
        finish(path)
        store, journal_id = _begin(path, hub, created, known)
    except Unusable as trouble:
        try:
            salvaged = rescue(path, hub, created, trouble.reason, known)
            kept = set_aside(path)
            finish(path)
            store, journal_id = _begin(path, hub, created, None, again=True)
        except Unusable as error:
            raise damaged(path.parent) from error
        except OSError as error:
            raise translated(error, path.parent) from error
        return Opened(store, journal_id, Recovered(trouble.reason, kept, salvaged))
    except OSError as error:
        raise translated(error, path.parent) from error
    return Opened(store, journal_id, _noted(store))


def carry_over(opened: Opened) -> None:
    """Keep the engine's snapshot for the journal that took a damaged one's place. Not where the
    file came back older than the snapshot, nor from another home."""
    recovered = opened.recovered
    if recovered is None or recovered.reason in ("rolled-back", "other-hub"):
        return
    with suppress(OSError):
        snapshot.carry_over(opened.store.folder, recovered.salvaged.journal_id, opened.journal_id)


def _noted(store: Store) -> Recovered | None:
    """What came of a file that was set aside by a run that was killed before it could tell."""
    noted = note(store.connection)
    if noted is None:
        return None
    kept = files_aside(store.folder)
    return Recovered(noted.reason, kept[-1] if kept else store.path, noted.salvaged)


def _begin(
    path: Path, hub: str, created: float, known: Known | None, *, again: bool = False
) -> tuple[Store, str]:
    """``again``: after the old file was set aside. Raises Unusable if there is a file that cannot
    be gone on with, else JournalError."""
    connection: sqlite3.Connection | None = None
    try:
        _look_at_log(path)
        if not again and (not path.exists() or path.stat().st_size == 0):
            _look_whether_first(path, known)
        connection = connect(path)
        store = Store(connection, path)
        if schema.is_new(connection):
            if not again:
                _look_whether_first(path, known)
            schema.create(connection, secrets.token_hex(8), hub, created)
            sync_folder(path.parent)
        schema.migrate(connection)
        schema.check(connection, everything=store.suspicion.exists())
        journal_id = schema.identity(connection, hub)
        if known is not None and known.journal_id == journal_id:
            _look_at_end(connection, known.last)
        _adopt(connection)
        _look_at_chain(connection)
        read_state(connection)
        aside.remove(store.suspicion)
        store.in_place()  # from now on: what is removed before the first alert is missed too
        return store, journal_id
    except BaseException as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if isinstance(error, ValueError | TypeError):  # a column or SQLite's own message is spoilt
            raise Unusable("damaged") from error
        if isinstance(error, sqlite3.Error | OSError):
            raise _judged(error, path) from error
        raise


def _look_at_log(path: Path) -> None:
    """Before SQLite does: it would drop what lies behind a broken frame."""
    if log_is_torn_inside(path):
        raise Unusable("damaged")


def _look_whether_first(path: Path, known: Known | None) -> None:
    """An empty file, or none, is no first start beside a snapshot, a reserve or a log with something
    in it, which SQLite would throw away: alerts may have waited there."""
    if known is not None or Reserve(path.parent).exists or log_holds_commits(path):
        raise Unusable("gone")


def _look_at_end(connection: sqlite3.Connection, known: int) -> None:
    """A file that ends before what is known has lost synced writes, or is an older copy: going on
    with it would give out numbers twice, and the centre would take new messages for old ones."""
    last = max(history.end(connection), history.counters(connection).get(history.LAST, 0))
    if known > last:
        raise Unusable("rolled-back")


def _look_at_chain(connection: sqlite3.Connection) -> None:
    """A flipped bit in an alert's id or state is no damage to SQLite, and would keep its receipt from
    ever having an effect, or the newest alert from being in the chain at all."""
    verified = chain.verify(connection)
    if not verified.whole or verified.head.place != chain.read_head(connection).place:
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
        if code(error) in _UNUSABLE or is_bad_sector(error, path):
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
    for beside in ("", *BESIDE):
        try:
            os.close(os.open(f"{path}{beside}", os.O_RDWR))
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP):
                return True
    return False
