"""One SQLite connection with explicit transactions, its durability, and its errors in our words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar
from urllib.parse import quote

from gateway.domain.errors import JournalError
from gateway.journal.pages import is_spotty
from gateway.journal.schema import PAGE_SIZE

T = TypeVar("T")

FILE = "journal.db"

BUSY_SECONDS = 5.0
"""How long a statement waits for another process. Readers never hold the writer up in WAL mode;
this covers the moment in which one of them recovers the file after a kill."""

CHECKPOINT_PAGES = 4000
"""WAL pages after which they are copied into the file: 2 MB, some hundred commits. Pages touched by
many of them are then written once instead of each time: with 1000 a day wrote a twentieth more."""

CACHE_KIB = 1024
"""Page cache. SQLite's own 2 MB would be 4 % of what a hub may use."""

READ_CACHE_KIB = 256
"""Page cache of the connection that only reads."""

_VALUES = {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}
"""What is the fault of something that was to be stored. Whatever else SQLite says is tried again."""

_UNREAD = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
"""What SQLite says when a read fails; the last one for EIO."""

_DAMAGED = ("damaged", "The journal in {folder} is damaged: restart the service.")
_BUSY = ("busy", "Another program writes to {folder}: end it.")
_REMEDIES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("full", "The disk is full: free some space in {folder}."),
    sqlite3.SQLITE_IOERR: ("io", "The disk does not read or write: check the card of {folder}."),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    # All SQL is ours: "no such column" is a schema with a flipped bit.
    sqlite3.SQLITE_ERROR: _DAMAGED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: (
        "read-only",
        "The journal in {folder} cannot be written: check its owner and the mount.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot-open",
        "The journal in {folder} does not open: check that it is there and the service's own.",
    ),
}


def readable(raw: bytes) -> str:
    """Text of a column. A flipped bit must not make a whole query fail for one row's sake: what is
    no text is shown as such, and whoever decodes the row judges it."""
    return raw.decode("utf-8", "replace")


def code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code of an error; None where the error is Python's own."""
    value = getattr(error, "sqlite_errorcode", None)
    return None if value is None else int(value) & 0xFF


def is_bad_sector(error: Exception, path: Path) -> bool:
    """Whether a read failed because a part of the file lies where the card cannot read. A card of
    which nothing can be read is another matter: that may pass, and the file is as good as before."""
    failed = getattr(error, "sqlite_errorcode", None)
    return failed in _UNREAD and is_spotty(path)


def translated(error: Exception, folder: Path) -> JournalError:
    """The JournalError for an error of SQLite, of the file system or of a value's type."""
    if isinstance(error, JournalError):
        return error
    if isinstance(error, UnicodeDecodeError):  # even SQLite's own message is spoilt text
        return damaged(folder)
    if isinstance(error, sqlite3.Error):
        found = code(error)
        if found in _REMEDIES:
            reason, remedy = _REMEDIES[found]
            return JournalError(
                f"{remedy.format(folder=folder)} Nothing of it was stored.", reason=reason
            )
        reason = "closed" if isinstance(error, sqlite3.ProgrammingError) else "journal"
        return JournalError(
            f"The journal in {folder} refused ({type(error).__name__}): restart the service; "
            "nothing of it was stored.",
            reason="content" if found in _VALUES else reason,
        )
    if isinstance(error, OSError):
        return JournalError(
            f"The folder {folder} cannot be used ({os.strerror(error.errno or 0)}): check its "
            "owner and the disk.",
            reason="io",
        )
    return JournalError(
        f"A value of type {type(error).__name__} cannot be stored: report this as a fault.",
        reason="content",
    )


def damaged(folder: Path) -> JournalError:
    """The file is damaged: the next opening looks at all of it."""
    return JournalError(
        f"{_DAMAGED[1].format(folder=folder)} Nothing of it was stored.", reason="damaged"
    )


def unreadable(folder: Path) -> JournalError:
    """A value is none: a flipped bit in a column's type, which SQLite does not mind. Only the start
    looks for such rows, and salvages the rest."""
    return JournalError(
        f"The journal in {folder} holds a value that is none: restart the service.",
        reason="unreadable",
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open (or make) the file as the one writer. Raises sqlite3.Error."""
    if not path.exists():
        # SQLite would make it readable for everybody; its -wal and -shm take over this mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o640))
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = readable
    try:
        for pragma in (
            f"page_size = {PAGE_SIZE}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            f"journal_size_limit = {4 * CHECKPOINT_PAGES * PAGE_SIZE}",
            f"cache_size = -{CACHE_KIB}",
            "temp_store = MEMORY",
            # Deleted rows are overwritten where their page is written anyway. Whole free pages
            # are reused by the next day's rows; zeroing them too would double retention's cost.
            "secure_delete = FAST",
            "trusted_schema = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FileLock:
    """One writer: the folder's lock, which the kernel releases even after kill -9."""

    def __init__(self, folder: Path) -> None:
        """Raises JournalError(reason="in-use") if another process (or journal) holds it."""
        self._file = os.open(folder / "journal.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise JournalError(
                f"Another process keeps the journal in {folder}: end it first.", reason="in-use"
            ) from error

    def release(self) -> None:
        os.close(self._file)


class Store:
    """The connections, and what is done under them as a whole or not at all: one that writes, and
    one that only reads and waits for no commit."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.suspect = False
        """Whether damage was met since this file was opened."""
        self.readable = True
        """Whether the last read succeeded."""
        self._places: dict[Path, tuple[int, int]] = {}
        self._reader: sqlite3.Connection | None = None
        self._reading = Lock()
        self._closed = False

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def log(self) -> Path:
        """The write-ahead log."""
        return self.path.with_name(f"{self.path.name}-wal")

    @property
    def suspicion(self) -> Path:
        """A marker: an operation met damage, so the next opening checks the whole file."""
        return self.path.with_name(f"{self.path.name}.suspect")

    def mark(self) -> None:
        """Damage was met: remember it for the next opening, also over a kill."""
        self.suspect = True
        with suppress(OSError):
            self.suspicion.touch()

    def in_place(self) -> bool:
        """Whether the names of file and log still lead to what was open when this was asked first:
        what is written to a file that somebody removed is gone with the process. Nothing is amiss
        with a store that is closed."""
        if self._closed:
            return True
        for path in (self.path, self.log):
            try:
                found = path.stat()
            except OSError:
                place = None
            else:
                place = (found.st_dev, found.st_ino)
            if place != self._places.get(path, place):
                return False
            if place is not None:
                self._places[path] = place
        return True

    def close(self) -> None:
        """Let go of the file. Does not raise: the reader first, so that the writer brings its log
        into the file."""
        with self._reading:
            self._closed = True
            for connection in (self._reader, self.connection):
                if connection is not None:
                    with suppress(sqlite3.Error):
                        connection.close()
            self._reader = None

    def error(self, error: Exception) -> JournalError:
        """``error`` as a JournalError; damage is remembered for the next opening."""
        ours = translated(error, self.folder)
        if is_bad_sector(error, self.path):
            ours = damaged(self.folder)
        if ours.reason == "damaged":
            self.mark()
        return ours

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is committed, beside a commit that is under way. Raises JournalError for whatever
        goes wrong inside."""
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._opened_for_reading()
                yield self._reader
                self.readable = True
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                self.readable = False
                raise self.error(error) from error
            except (TypeError, ValueError) as error:
                self.readable = False
                raise unreadable(self.folder) from error

    def _opened_for_reading(self) -> sqlite3.Connection:
        if self._closed:
            raise JournalError("The journal is closed: open it again.", reason="closed")
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = readable
        try:
            connection.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The writer's own view. Raises JournalError for whatever goes wrong inside."""
        try:
            yield self.connection
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise self.error(error) from error

    def transacted(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work``: all of it is on disk when this returns (WAL, synchronous=FULL), or none.

        Raises JournalError for errors of SQLite, of the disk, and of values that do not fit.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            done = work(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error | OSError | OverflowError | ValueError | TypeError):
                raise self.error(error) from error
            raise
        return done
