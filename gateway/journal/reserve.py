"""Room on the disk that only alarms may use.

A file of nothing beside the journal. When the disk is full and an alarm must be stored, it gives up
a little of its length and the alarm takes that room at once; readings and summaries never get any
of it. Given in small steps, because another program may snatch what is free.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FILE = "journal.reserve"

NO_ROOM = ("full", "io")
"""Reasons for which the reserve is given up: a full disk shows as either, by file system."""

SIZE = 4 * 1024 * 1024
"""Bytes. An alarm with all that belongs to it takes at most 16 kB ("Settled"), most of it in the
log, which is used again: hundreds of alarms, more than a home has in the years of one outage."""

STEP = 256 * 1024
"""Bytes given up at a time: room for the log's next frames and some pages of the file."""

MARGIN = 32 * 1024
"""Bytes of a step that are left for the log's index and for the file system's own blocks."""

PIECE = 1024 * 1024
"""Bytes given up at a time for what is larger than an alarm: opening, or making a new journal."""

SHARE = 4
"""Of what is free at most one part in so many is reserved: a small disk must not be filled by it."""


class Reserve:
    """The reserve of one data folder. Never raises: without it a hub works as it can."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    @property
    def size(self) -> int:
        """Bytes that are set aside now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def exists(self) -> bool:
        """Whether there ever was one, which there is once a journal was opened."""
        return os.path.lexists(self._path)

    @property
    def is_needed(self) -> bool:
        """Whether the disk has less room than one step of the reserve."""
        try:
            room = os.statvfs(self._path.parent)
        except OSError:
            return False
        return room.f_bavail * room.f_frsize < STEP

    def fill(self) -> int:
        """Set aside what is missing, if there is room for much more; returns the size then. The
        blocks are the file system's promise and are not written: it wears out no card."""
        held = self.size
        with suppress(OSError):
            room = os.statvfs(self._path.parent)
            wanted = min(SIZE, held + room.f_bavail * room.f_frsize // SHARE)
            if wanted < held + STEP:  # little is missing, or little is free
                return held
            handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
            try:
                os.posix_fallocate(handle, 0, wanted)
            finally:
                os.close(handle)
        return self.size

    def shrink(self) -> bool:
        """Leave a piece of it to whoever comes first; False if nothing is left."""
        held = self.size
        with suppress(OSError):
            os.truncate(self._path, max(0, held - PIECE))
        return self.size < held

    def give(self, log: Path) -> bool:
        """Give up one step for an alarm; False if nothing is left.

        The room goes to the write-ahead log at once, by the file system's promise: freed and left
        lying, it would be taken by whoever filled the disk. SQLite writes over it as it goes on.
        """
        held = self.size
        if not held:
            return False
        try:
            os.truncate(self._path, max(0, held - STEP))
        except OSError:
            return False
        with suppress(OSError):
            handle = os.open(log, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.posix_fallocate(handle, os.fstat(handle).st_size, min(held, STEP) - MARGIN)
            finally:
                os.close(handle)
        return True
