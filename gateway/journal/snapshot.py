"""The engine's snapshot: a cache beside the journal, in a file of its own.

A file and not a table: it is replaced as a whole, a table would write it twice (WAL, then file),
and a journal that is set aside takes nothing of it along. Whatever does not fit is ignored; the
engine is then rebuilt from the observations.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.domain.instant import Instant
from gateway.journal.store import sync_folder

FILE = "snapshot"
FORMAT = 1
MOST = 16 * 1024 * 1024
"""Bytes. A damaged header must not make us reserve more than this."""

LONGEST_HEADER = 1 << 17
"""Bytes of the first line: a thousand counters."""


class Snapshot(Struct, frozen=True):
    """An engine's state after the observation ``sequence``, at the instant ``at``."""

    sequence: int
    at: Instant
    blob: bytes


class Header(Struct, omit_defaults=True):
    """First line of the file. ``size`` is that of the unpacked blob; ``hash`` is over the blob and
    the other fields: a sequence with a flipped bit would skip observations without a sign.

    ``counters`` are the journal's at that moment: where the journal itself is lost, sensors' frames
    of before must still not come twice. (Defaults are left out, so that a snapshot of an older
    program keeps its hash.)"""

    format: int
    journal_id: str
    fingerprint: str
    sequence: int
    at: Instant
    size: int
    hash: str
    counters: dict[str, int] = {}


_header = msgspec.json.Decoder(Header)


def _hash(header: Header, blob: bytes) -> str:
    bare = msgspec.json.encode(msgspec.structs.replace(header, hash=""))
    return hashlib.blake2b(bare + b"\n" + blob, digest_size=16).hexdigest()


def save(
    folder: Path,
    journal_id: str,
    fingerprint: str,
    snapshot: Snapshot,
    counters: Mapping[str, int],
) -> None:
    """Replace the snapshot; a kill leaves the old one or the new one. Raises OSError."""
    header = Header(
        FORMAT,
        journal_id,
        fingerprint,
        snapshot.sequence,
        snapshot.at,
        len(snapshot.blob),
        "",
        dict(counters),
    )
    header.hash = _hash(header, snapshot.blob)
    path = folder / FILE
    fresh = folder / f"{FILE}.new"
    try:
        handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o640)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(header) + b"\n")
            file.write(zlib.compress(snapshot.blob, 6))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    sync_folder(folder)


def read(folder: Path, journal_id: str | None = None) -> tuple[Header, bytes] | None:
    """The snapshot with what it says of itself; None if there is none, or it is damaged or not of
    this journal (None: whichever)."""
    try:
        with (folder / FILE).open("rb") as file:
            header = _header.decode(file.readline(LONGEST_HEADER))
            packed = file.read(MOST + 1)
        if header.format != FORMAT or journal_id not in (None, header.journal_id):
            return None
        if not 0 <= header.size <= MOST:
            return None
        stream = zlib.decompressobj()
        blob = stream.decompress(packed, header.size + 1)
    except (OSError, zlib.error, msgspec.MsgspecError, ValueError):
        return None
    if not stream.eof or len(blob) != header.size or _hash(header, blob) != header.hash:
        return None
    return header, blob


def carry_over(folder: Path, before: str, journal_id: str) -> None:
    """Give the snapshot of the journal ``before`` (empty: not known) to the one that took its
    place: a silence goes on, although the file that told of it is damaged. Raises OSError."""
    found = read(folder, before or None)
    if found is not None:
        header, blob = found
        kept = Snapshot(header.sequence, header.at, blob)
        save(folder, journal_id, header.fingerprint, kept, header.counters)


def load(folder: Path, journal_id: str, fingerprint: str, last_sequence: int) -> Snapshot | None:
    """The snapshot if it is whole and made by the same engine, household and model, from
    observations that this journal holds; else None."""
    found = read(folder, journal_id)
    if found is None:
        return None
    header, blob = found
    if header.fingerprint != fingerprint or header.sequence > last_sequence:
        return None
    return Snapshot(header.sequence, header.at, blob)
