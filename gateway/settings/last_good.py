"""A hub does not fall silent because somebody saved half a file: it goes on with the last good copy.

The copy lies in the data folder, because the settings' own folder is read-only for the service.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.domain.errors import SettingsError
from gateway.settings.read import parse, read
from gateway.settings.types import DATA, Settings

NAME = "settings.last-good.toml"

_DATA_LINE = re.compile(rb"""^[ \t]*data[ \t]*=[ \t]*["']([^"'\r\n]+)["']""", re.MULTILINE)


class Loaded(Struct, frozen=True):
    """``settings``  what the hub runs on
    ``damaged``   None if that is the file as it stands; otherwise the one line about it, which the
                  hub tells as ``tech.config`` while it runs on the last good copy
    """

    settings: Settings
    damaged: str | None = None


class Stamp(Struct, frozen=True):
    """What changes when a file is saved or replaced. ``inode`` is 0 where there is no file."""

    inode: int
    size: int
    modified_ns: int


def load_for_run(
    path: Path,
    data: Path | None = None,
    *,
    by_person: bool = False,
    recorded: bool = False,
    language: str = "en",
) -> Loaded:
    """The settings that a hub runs on.

    ``data``       the data folder, if the command line names it; otherwise the file's own word
                   counts, even a damaged file's, and then the packaged folder
    ``recorded``   the command line names a recorded home, which brings its own sensors
    ``by_person``  a person waits for the answer (a terminal): they get the error at once

    A good file is kept as the new last good copy. Raises SettingsError where the file is damaged
    and there is no good copy, or a person started it.
    """
    raw = b""
    try:
        raw = read(path, language=language)
        settings = parse(path, raw, recorded=recorded, language=language)
    except SettingsError as error:
        if by_person:
            raise
        copy = (data or _data_of(raw, path)) / NAME
        try:
            # Files that it names may be gone: then the link waits, but the watch goes on.
            settings = placed(data, parse(path, read(copy), for_run=False))
        except SettingsError:
            raise error from None
        return Loaded(settings, str(error))
    settings = placed(data, settings)
    # A full disk must not stop a hub whose settings are good; the storage check tells of it.
    with suppress(OSError):
        _keep(settings.hub.data, raw)
    return Loaded(settings)


def stamp(path: Path) -> Stamp:
    """How the file looks from outside; costs one system call."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return Stamp(0, 0, 0)
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def changed(path: Path, before: Stamp) -> bool:
    """Whether the file was saved, replaced or removed since ``before``: then load it again."""
    return stamp(path) != before


def placed(data: Path | None, settings: Settings) -> Settings:
    """The settings with another data folder, if one is given."""
    if data is None:
        return settings
    hub = msgspec.structs.replace(settings.hub, data=data.absolute())
    return msgspec.structs.replace(settings, hub=hub)


def _data_of(raw: bytes, path: Path) -> Path:
    found = _DATA_LINE.search(raw)
    if found is None:
        return DATA
    try:
        return path.absolute().parent / found[1].decode()
    except UnicodeDecodeError:
        return DATA


def _keep(folder: Path, raw: bytes) -> None:
    """Writes the copy so that a power cut leaves the old one or the new one, never a half."""
    copy = folder / NAME
    with suppress(OSError):
        if copy.read_bytes() == raw:
            return  # nothing new: spare the card
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = copy.with_suffix(".new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(copy)
    folder_descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)
