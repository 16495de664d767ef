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
from gateway.journal import schema
from gateway.journal.schema import Unusable
from gateway.journal.store import FILE, Store, code, connect, translated

_UNUSABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BESIDE = ("", "-wal", "-shm", "-journal")


class Recovered(Struct, frozen=True):
    """A file was set aside and a new journal began.

    ``reason``  damaged, not-a-journal, cannot-open, newer (than this program), too-old, other-hub
    ``kept``    where the old file is now
    """

    reason: str
    kept: Path


class Opened(Struct, frozen=True):
    """A store that is ready, whose it is, and what had to be set aside for it."""

    store: Store
    journal_id: str
    recovered: Recovered | None


def open_store(folder: Path, hub: str, created: float) -> Opened:
    """Open the journal of ``folder`` or begin one. A file that cannot be used never stops a hub:
    it is set aside, and the new journal has a new id.

    Raises JournalError where even a new file cannot be made: disk full, folder not writable.
    """
    path = folder / FILE
    try:
        store, journal_id = _begin(path, hub, created)
        return Opened(store, journal_id, None)
    except Unusable as trouble:
        try:
            kept = set_aside(path, "damaged")
            store, journal_id = _begin(path, hub, created)
        except (Unusable, OSError) as error:
            raise translated(error, folder) from error
        return Opened(store, journal_id, Recovered(trouble.reason, kept))


def set_aside(path: Path, why: str) -> Path:
    """Rename the file and those beside it to ``<name>.<why>-<n>``; its WAL stays its WAL, so that
    it can still be opened and salvaged. Raises OSError."""
    n = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.{why}-{n}")):
        n += 1
    for beside in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{beside}").rename(f"{kept}{beside}")
    with suppress(FileNotFoundError):
        Path(f"{path}.suspect").unlink()
    sync_folder(path.parent)
    return kept


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _begin(path: Path, hub: str, created: float) -> tuple[Store, str]:
    """Raises Unusable if there is a file that cannot be gone on with, else JournalError."""
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path)
        store = Store(connection, path)
        if schema.is_new(connection):
            schema.create(connection, secrets.token_hex(8), hub, created)
            sync_folder(path.parent)
        schema.migrate(connection)
        schema.check(connection, everything=store.suspicion.exists())
        journal_id = schema.identity(connection, hub)
        store.suspicion.unlink(missing_ok=True)
        return store, journal_id
    except BaseException as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if isinstance(error, sqlite3.Error | OSError):
            raise _judged(error, path) from error
        raise


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
