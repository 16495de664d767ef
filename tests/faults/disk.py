"""A recorded folder, and what a power cut leaves of it.

The model is stricter than any file system in use: what was written reaches the disk only with a
sync of its file, a name (created, removed, renamed) only with a sync of its folder. What was not
synced may be there, may be missing, or may be there in part, in sectors of 512 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from msgspec import Struct

SECTOR = 512
"""Bytes that a disk writes whole or not at all; SQLite assumes no more of it (powersafe)."""

_HEAD = struct.Struct("<B3xII4xQ")

PASSED_OVER = ("-shm", "journal.lock", "control.sock")
"""Ends of names that mean nothing after a power cut: shared memory, which SQLite rebuilds, and
what belongs to a running process."""


class Event(Struct, frozen=True):
    """One change of the folder, or a mark. ``op``: c(reate), w(rite), t(runcate), s(ync), u(nlink),
    r(ename), m(ark). ``name`` is within the folder, empty for the folder itself."""

    op: str
    name: str
    offset: int
    data: bytes


def read_log(path: Path, folder: Path) -> Iterator[Event]:
    """The events of a log that the shim wrote. A record that a kill cut short ends it."""
    raw = path.read_bytes()
    base = str(folder)
    at = 0
    while at + _HEAD.size <= len(raw):
        op, path_size, data_size, offset = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        if at + path_size + data_size > len(raw):
            return
        name = raw[at : at + path_size].decode().removesuffix(" (deleted)")
        at += path_size
        data = raw[at : at + data_size]
        at += data_size
        name = name.removeprefix(base).lstrip("/")
        if not name.endswith(PASSED_OVER):
            yield Event(chr(op), name, offset, data)


class Leaves(Enum):
    """What a power cut makes of everything that was not synced."""

    NOTHING = "un-synced dropped"
    ALL = "un-synced kept"
    SOME = "un-synced at random"
    TORN = "un-synced torn in sectors"


class _Change(Struct, frozen=True):
    """An un-synced write, or (``data`` None) a truncation to ``offset``."""

    offset: int
    data: bytes | None


class _File:
    """Contents on the disk, and what was done since the last sync."""

    def __init__(self) -> None:
        self.synced = bytearray()
        self.changes: list[_Change] = []

    def sync(self) -> None:
        for change in self.changes:
            _apply(self.synced, change)
        self.changes = []

    def after(self, leaves: Leaves, chance: Random) -> bytes:
        if leaves is Leaves.NOTHING or not self.changes:
            return bytes(self.synced)
        content = bytearray(self.synced)
        for change in self.changes:
            if leaves is Leaves.ALL:
                _apply(content, change)
            elif leaves is Leaves.TORN and change.data is not None:
                for part in _sectors(change):
                    if chance.random() < 0.5:
                        _apply(content, part)
            elif chance.random() < 0.5:
                _apply(content, change)
        return bytes(content)


def _apply(content: bytearray, change: _Change) -> None:
    end = change.offset + (0 if change.data is None else len(change.data))
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if change.data is None:
        del content[change.offset :]
    else:
        content[change.offset : end] = change.data


def _sectors(change: _Change) -> Iterator[_Change]:
    assert change.data is not None
    at = 0
    while at < len(change.data):
        place = change.offset + at
        size = min(SECTOR - place % SECTOR, len(change.data) - at)
        yield _Change(place, change.data[at : at + size])
        at += size


class Disk:
    """The folder after some prefix of the log: ``feed`` it, then take ``image`` as often as you
    like."""

    def __init__(self) -> None:
        self._now: dict[str, _File] = {}
        self._names: list[dict[str, _File]] = [{}]
        """The folder's names at its last sync, and after each change of them since."""

    def feed(self, event: Event) -> None:
        match event.op:
            case "c":
                self._rename({**self._now, event.name: _File()})
            case "w" if event.name in self._now:
                self._now[event.name].changes.append(_Change(event.offset, event.data))
            case "t" if event.name in self._now:
                self._now[event.name].changes.append(_Change(event.offset, None))
            case "u":
                self._rename({n: f for n, f in self._now.items() if n != event.name})
            case "r" if event.name in self._now:
                after = dict(self._now)
                after[Path(event.data.decode()).name] = after.pop(event.name)
                self._rename(after)
            case "s" if not event.name:
                self._names = [self._now]
            case "s" if event.name in self._now:
                self._now[event.name].sync()

    def _rename(self, names: dict[str, _File]) -> None:
        self._now = names
        self._names.append(names)

    def image(self, leaves: Leaves, chance: Random) -> dict[str, bytes]:
        """Name -> content, as the next start finds them. Names come back in the order in which
        they changed, up to some point: every journalling file system keeps that order."""
        names = self._names[0]
        if leaves is Leaves.ALL:
            names = self._now
        elif leaves is not Leaves.NOTHING:
            names = chance.choice(self._names)
        return {name: file.after(leaves, chance) for name, file in names.items()}


def lay_out(image: dict[str, bytes], folder: Path) -> None:
    """Make ``folder`` hold exactly this."""
    folder.mkdir(exist_ok=True)
    for path in list(folder.iterdir()):
        path.unlink()
    for name, content in image.items():
        (folder / name).write_bytes(content)


def quick_folder() -> TemporaryDirectory[str]:
    """In memory, where there is one: it plays a disk, and is not meant to be one."""
    memory = Path("/dev/shm")
    return TemporaryDirectory(dir=memory if memory.is_dir() else None)
