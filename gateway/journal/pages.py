"""Reading a damaged SQLite file without SQLite: page by page, whatever of it is whole.

SQLite gives up where its header, its schema or a page on the way to a row is gone. The rows
themselves are still there: a page that holds rows says so in its first byte, and each row carries
its own types. So every page is looked at for itself, with the newest copy that the write-ahead log
holds of it. The format: https://www.sqlite.org/fileformat2.html (numbers below are its sections).

Nothing here believes what it reads: a row is bytes of a plausible shape until ``salvage`` has
understood it.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from gateway.journal.schema import PAGE_SIZE

TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR = 0x0D, 0x0A, 0x02
"""First byte of a page (1.6) that holds rows. Tables WITHOUT ROWID lie in indexes."""

MOST_COLUMNS = 32
LARGEST_ROW = 1 << 20
"""Bytes. A flipped bit in a length must not make us follow pages for ever."""

Value = int | float | str | bytes | None

_WAL_HEADER, _FRAME_HEADER = 32, 24
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_SPOT = 4096
"""Bytes read at a time in search of a place that cannot be read: the kernel reads no less."""

_REALS = struct.Struct(">d")


class RawRow(Struct, frozen=True):
    """A row of some table. ``rowid`` is None for tables WITHOUT ROWID."""

    rowid: int | None
    values: tuple[Value, ...]


class Frame(Struct, frozen=True):
    """A page in the write-ahead log: its number, where its bytes begin, whether a commit ends
    with it, and whether its checksum is right."""

    page: int
    start: int
    commits: bool
    whole: bool


class Bytes:
    """The bytes of a file, read as they are asked for. What the card cannot read is zeros: mapped
    into memory, such a place would end the process."""

    def __init__(self, path: Path) -> None:
        """A file that is not there, or is none, is empty. Raises OSError."""
        self._file, self._size = -1, 0
        if path.is_file():
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._size = os.fstat(self._file).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, piece: slice) -> bytes:
        start, stop, _ = piece.indices(self._size)
        if start >= stop:
            return b""
        try:
            return os.pread(self._file, stop - start, start)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return bytes(stop - start)


class PageFile:
    """The pages of a database file and of its write-ahead log. Only reads.

    Raises OSError where the file cannot be read at all.
    """

    def __init__(self, path: Path, page_size: int = PAGE_SIZE) -> None:
        self._size = page_size
        with ExitStack() as stack:
            self._main = stack.enter_context(Bytes(path))
            self._wal = stack.enter_context(Bytes(_log(path)))
            self._stack = stack.pop_all()
        kept = _committed(list(frames(self._wal, page_size)))
        self._newest = {frame.page: frame.start for frame in kept}
        self.count = max(len(self._main) // page_size, *self._newest, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def page(self, number: int) -> bytes:
        """The newest copy of a page (numbered from 1); short or empty where there is none."""
        start = self._newest.get(number)
        if start is not None:
            return self._wal[start : start + self._size]
        return self._main[(number - 1) * self._size : number * self._size]

    def rows(self) -> Iterator[RawRow]:
        """Every row of every page, in the order of the file; copies that were left behind in
        pages no longer in use come too."""
        for number in range(1, self.count + 1):
            yield from self._rows_of(self.page(number), 100 if number == 1 else 0)

    def _rows_of(self, page: bytes, head: int) -> Iterator[RawRow]:
        if len(page) < self._size or page[head] not in (TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR):
            return
        kind = page[head]
        cells = int.from_bytes(page[head + 3 : head + 5], "big")
        first = head + (12 if kind == INDEX_INTERIOR else 8)
        for at in range(first, min(first + 2 * cells, self._size - 1), 2):
            start = int.from_bytes(page[at : at + 2], "big")
            row = self._cell(page, start, kind) if first < start < self._size - 4 else None
            if row is not None:
                yield row

    def _cell(self, page: bytes, at: int, kind: int) -> RawRow | None:
        if kind == INDEX_INTERIOR:
            at += 4
        size, at = _varint(page, at)
        rowid: int | None = None
        if kind == TABLE_LEAF:
            rowid, at = _varint(page, at)
        if not 2 <= size <= LARGEST_ROW:
            return None
        local = self._local(size, in_table=kind == TABLE_LEAF)
        payload = page[at : at + local]
        if local < size:
            payload += self._overflow(page[at + local : at + local + 4], size - local)
        values = _record(payload) if len(payload) == size else None
        return None if values is None else RawRow(rowid, values)

    def _local(self, size: int, *, in_table: bool) -> int:
        """How many bytes of a row lie in its own page (1.6, "X", "M" and "K")."""
        usable = self._size
        most = usable - 35 if in_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (usable - 12) * 32 // 255 - 23
        fitting = least + (size - least) % (usable - 4)
        return fitting if fitting <= most else least

    def _overflow(self, pointer: bytes, size: int) -> bytes:
        """The rest of a row that does not fit in its page; too short where the chain is broken."""
        parts: list[bytes] = []
        number = int.from_bytes(pointer, "big")
        for _ in range(size // (self._size - 4) + 1):
            if size <= 0 or not 2 <= number <= self.count:
                break
            page = self.page(number)
            part = page[4 : 4 + min(size, self._size - 4)]
            parts.append(part)
            size -= len(part)
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def frames(wal: Bytes, page_size: int = PAGE_SIZE) -> Iterator[Frame]:
    """The frames of a write-ahead log (4.2) that belong to its present round, whole or not.

    A frame's checksum continues that of the frame before it, so one that is damaged does not spoil
    those behind it. Where the log's own header is gone, the first frame says the round.
    """
    step = _FRAME_HEADER + page_size
    count = (len(wal) - _WAL_HEADER) // step
    if count <= 0:
        return
    header = wal[:_WAL_HEADER]
    magic = int.from_bytes(header[:4], "big")
    sound = magic in _WAL_MAGIC and _checksum(header[:24], (0, 0), magic & 1) == header[24:32]
    order = magic & 1 if sound else 0
    salts = header[16:24] if sound else wal[_WAL_HEADER + 8 : _WAL_HEADER + 16]
    before: bytes | None = header[24:32] if sound else None
    starts = range(_WAL_HEADER, _WAL_HEADER + count * step, step)
    ours = [n for n, start in enumerate(starts) if wal[start + 8 : start + 16] == salts]
    for start in starts[: max(ours, default=-1) + 1]:
        head = wal[start : start + _FRAME_HEADER]
        page, commits = struct.unpack_from(">II", head)
        if head[8:16] == salts and page:
            body = wal[start + _FRAME_HEADER : start + step]
            whole = before is None or (
                _checksum(head[:8] + body, _pair(before), order) == head[16:24]
            )
            yield Frame(page, start + _FRAME_HEADER, commits != 0, whole)
        else:
            yield Frame(page, start + _FRAME_HEADER, commits=False, whole=False)  # its head is gone
        before = head[16:24]


def log_is_torn_inside(path: Path) -> bool:
    """Whether the write-ahead log of ``path`` lost something that had been synced.

    A power cut spoils at most the transaction that was being written: frames behind the last
    commit, the last of which says "commit" itself. A whole commit behind a broken frame that is
    followed by more is another matter: SQLite would forget everything from the broken frame on
    without a word. Raises OSError.
    """
    with Bytes(_log(path)) as wal:
        found = list(frames(wal))
        header = wal[:_WAL_HEADER]
    if not found:
        return False
    magic = int.from_bytes(header[:4], "big")
    if magic not in _WAL_MAGIC or _checksum(header[:24], (0, 0), magic & 1) != header[24:32]:
        return sum(frame.whole for frame in found[1:]) > 0 and any(f.commits for f in found)
    broken = next((n for n, frame in enumerate(found) if not frame.whole), None)
    if broken is None:
        return False
    behind = [n for n, frame in enumerate(found) if n > broken and frame.commits and frame.whole]
    return bool(behind) and behind[0] < len(found) - 1


def log_holds_commits(path: Path) -> bool:
    """Whether the write-ahead log of ``path`` says anything. Raises OSError."""
    with Bytes(_log(path)) as wal:
        return bool(_committed(list(frames(wal))))


def is_spotty(path: Path) -> bool:
    """Whether some of a file or of its log can be read and some cannot. Never raises."""
    reads: set[bool] = set()
    for one in (path, _log(path)):
        with suppress(OSError):
            handle = os.open(one, os.O_RDONLY | os.O_CLOEXEC)
            try:
                for start in range(0, os.fstat(handle).st_size, _SPOT):
                    reads.add(_reads(handle, start))
            finally:
                os.close(handle)
    return reads == {True, False}


def _reads(handle: int, start: int) -> bool:
    try:
        os.pread(handle, _SPOT, start)
    except OSError:
        return False
    return True


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _committed(found: list[Frame]) -> list[Frame]:
    """The whole frames up to the last whole commit."""
    last = max((n for n, frame in enumerate(found) if frame.commits and frame.whole), default=-1)
    return [frame for frame in found[: last + 1] if frame.whole]


def _pair(raw: bytes) -> tuple[int, int]:
    first, second = struct.unpack(">II", raw)
    return first, second


def _checksum(data: bytes, seed: tuple[int, int], big_endian: int) -> bytes:
    """The log's running checksum over ``data`` (4.2), as it is stored."""
    first, second = seed
    words = struct.unpack(f"{'>' if big_endian else '<'}{len(data) // 4}I", data)
    for n in range(0, len(words), 2):
        first = (first + words[n] + second) & 0xFFFFFFFF
        second = (second + words[n + 1] + first) & 0xFFFFFFFF
    return struct.pack(">II", first, second)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes (1.6) and where the next thing begins; -1 past the end."""
    value = 0
    for n in range(9):
        if at + n >= len(data):
            return -1, at
        byte = data[at + n]
        if n == 8:
            value = (value << 8) | byte
            return (value if value < 1 << 63 else value - (1 << 64)), at + 9
        value = (value << 7) | (byte & 0x7F)
        if not byte & 0x80:
            return value, at + n + 1
    raise AssertionError("a varint ends with its ninth byte")


_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}


def _record(payload: bytes) -> tuple[Value, ...] | None:
    """The columns of a row (2.1); None if the bytes do not add up to one."""
    head, at = _varint(payload, 0)
    if not 1 < head <= len(payload):
        return None
    kinds: list[int] = []
    while at < head:
        kind, at = _varint(payload, at)
        if kind < 0 or kind in (10, 11) or len(kinds) >= MOST_COLUMNS:
            return None
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        size = _SIZES[kind] if kind < 10 else (kind - 12) // 2
        raw = payload[at : at + size]
        at += size
        if len(raw) < size:
            return None
        if kind == 0:
            values.append(None)
        elif kind == 7:
            values.append(_REALS.unpack(raw)[0])
        elif kind in (8, 9):
            values.append(kind - 8)
        elif kind < 7:
            values.append(int.from_bytes(raw, "big", signed=True))
        elif kind % 2 == 0:
            values.append(bytes(raw))
        else:
            try:
                values.append(raw.decode())
            except UnicodeDecodeError:
                return None
    return tuple(values) if at == len(payload) else None
