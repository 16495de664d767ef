"""A new journal with what the old file still tells: made beside it, and in its place at the end.

``<name>.new`` is being made, ``<name>.ready`` is whole. A kill at any moment leaves the old file or
the new one, and what came of it is noted in the new one until it is told.
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gateway.domain.observation import HubFault, Observation
from gateway.journal import aside, history, schema
from gateway.journal.reserve import NO_ROOM, Reserve
from gateway.journal.salvage import Salvaged, keep_counters, salvage
from gateway.journal.store import connect, sync_folder, translated

_NOT_OURS = ("other-hub",)
"""Reasons for which nothing may be taken over."""


class Known(Struct, frozen=True):
    """What is known of a journal from elsewhere: its snapshot, or the running program.

    ``journal_id`` is whose it is; ``last`` the highest observation's number; ``counters`` as of
    then.
    """

    journal_id: str
    last: int
    counters: Mapping[str, int]


class Note(Struct, frozen=True):
    """Why a journal began anew, and what it took over."""

    reason: str
    salvaged: Salvaged = Salvaged()


class Scope(IntEnum):
    """How much of the old file a new one takes over."""

    EVERYTHING = 0
    NO_READINGS = 1
    COUNTERS = 2


def rescue(path: Path, hub: str, created: float, reason: str, known: Known | None) -> Salvaged:
    """Make ``.ready``: a new journal with what the damaged one still tells, and a note of it.

    Where the disk has no room for everything, first the files of earlier damage go, then the
    readings are left behind, then the alarms' reserve is given up. A file that our own reading
    stumbles over must not stop the hub: then what is known from elsewhere is all that is kept.

    Raises JournalError where there is no room even so: nothing was set aside, it is tried again.
    """
    old = _Old(path, hub, created, reason, known)
    reserve = Reserve(path.parent)
    scope = Scope.COUNTERS if reason in _NOT_OURS else Scope.EVERYTHING
    while True:
        try:
            return old.poured(scope)
        except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as error:
            ours = translated(error, path.parent)
            if scope is Scope.EVERYTHING:
                scope = Scope.NO_READINGS
                if ours.reason in NO_ROOM:
                    aside.forget_aside(path.parent, created, all_of_them=True)
            elif ours.reason in NO_ROOM:
                if not reserve.shrink():
                    raise ours from error
            elif scope is Scope.COUNTERS:
                raise ours from error
            else:
                scope = Scope.COUNTERS


class _Old(NamedTuple):
    """The file that cannot be gone on with, and what is known of it from elsewhere."""

    path: Path
    hub: str
    created: float
    reason: str
    known: Known | None

    def poured(self, scope: Scope) -> Salvaged:
        """Make a new file and call it ready once every byte of it is on the disk."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        aside.remove(fresh)
        try:
            connection = connect(fresh)
            try:
                salvaged = self._pour(connection, scope)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()
            _make_ready(fresh)
        except BaseException:
            aside.remove(fresh)
            raise
        return salvaged

    def _pour(self, connection: sqlite3.Connection, scope: Scope) -> Salvaged:
        schema.create(connection, secrets.token_hex(8), self.hub, self.created)
        connection.execute("BEGIN IMMEDIATE")
        if scope is Scope.COUNTERS:
            salvaged = Salvaged(counters=keep_counters(connection, self._counters()))
        else:
            everything = scope is Scope.EVERYTHING
            salvaged = salvage(
                self.path,
                self.hub,
                connection,
                self._counters(),
                now=self.created,
                observations=everything,
            )
        connection.execute("CREATE TABLE recovered (note BLOB NOT NULL)")
        note = msgspec.json.encode(Note(self.reason, salvaged))
        connection.execute("INSERT INTO recovered VALUES (?)", (note,))
        connection.execute("COMMIT")
        return salvaged

    def _counters(self) -> dict[str, int]:
        if self.known is None or self.reason == "other-hub":
            return {}
        counters = dict(self.known.counters)
        if self.reason != "rolled-back":
            counters[history.LAST] = self.known.last
        return counters


def rewritten(connection: sqlite3.Connection, path: Path) -> None:
    """Make ``.ready`` of everything that an open connection holds, whatever became of the names of
    its files. Raises sqlite3.Error, OSError."""
    fresh = path.with_name(f"{path.name}.new")
    while True:
        aside.remove(fresh)
        try:
            connection.execute("VACUUM INTO ?", (str(fresh),))
            break
        except sqlite3.Error as error:
            full = translated(error, path.parent).reason in NO_ROOM
            if not (full and Reserve(path.parent).shrink()):
                raise
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.chmod(0o640)
    _make_ready(fresh)


def _make_ready(fresh: Path) -> None:
    log = Path(f"{fresh}-wal")
    if log.exists() and log.stat().st_size:
        # Closing brings the log into the file, and says nothing where there was no room for it.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fresh.rename(fresh.with_suffix(".ready"))
    sync_folder(fresh.parent)


def finish(path: Path) -> None:
    """A new journal that was made ready takes the place of the one that was set aside for it. A
    kill in between is made good here: ``.ready`` without the file itself is that very moment."""
    ready = path.with_name(f"{path.name}.ready")
    if not ready.exists():
        return
    if os.path.lexists(path):
        aside.remove(ready)  # killed before the old one was set aside: it is looked at anew
    else:
        aside.follow(path)
        ready.rename(path)
        sync_folder(path.parent)


def note(connection: sqlite3.Connection) -> Note | None:
    """Why this journal began anew, until that is told; None where there is nothing to tell."""
    with suppress(sqlite3.Error, msgspec.MsgspecError):
        row = connection.execute("SELECT note FROM recovered").fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Note)
    return None


def tells(observations: Sequence[Observation]) -> bool:
    """Whether one of them is what tells the centre that a journal began anew (``Hub.boot``)."""
    faults = [one.what for one in observations if isinstance(one.what, HubFault)]
    return any(fault.part == "journal" for fault in faults)


def told(connection: sqlite3.Connection) -> None:
    """Forget the note, in the commit that holds what tells it."""
    connection.execute("DROP TABLE IF EXISTS recovered")
