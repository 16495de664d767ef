"""What happens to files on a memory card: a header of zeros, flipped bits, an end cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.books import JOURNAL

WAL = f"{JOURNAL}-wal"
PAGE = 512

Rot = Callable[[Path, Random], None]


def zeroed_header(data: Path, chance: Random) -> None:
    """The first 100 bytes, by which SQLite knows its file, are zeros."""
    _overwrite(data / JOURNAL, 0, bytes(100))


def all_nul(data: Path, chance: Random) -> None:
    """The file is as long as before and all zeros, as some file systems leave it."""
    path = data / JOURNAL
    path.write_bytes(bytes(path.stat().st_size))
    _remove(data / WAL)


def no_file(data: Path, chance: Random) -> None:
    """The file is there and empty."""
    (data / JOURNAL).write_bytes(b"")
    _remove(data / WAL)


def flipped_bits(data: Path, chance: Random) -> None:
    """One bit in a thousand bytes of the file is another."""
    for name in (JOURNAL, WAL):
        content = bytearray((data / name).read_bytes()) if (data / name).exists() else bytearray()
        for _ in range(len(content) // 1000):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        if content:
            (data / name).write_bytes(content)


def one_page_of_noise(data: Path, chance: Random) -> None:
    """One page beyond the first is noise."""
    path = data / JOURNAL
    pages = max(2, path.stat().st_size // PAGE)
    _overwrite(path, chance.randrange(1, pages) * PAGE, chance.randbytes(PAGE))


def truncated_file(data: Path, chance: Random) -> None:
    """The file's end is missing."""
    path = data / JOURNAL
    _cut(path, chance.randrange(path.stat().st_size))


def truncated_wal(data: Path, chance: Random) -> None:
    """The WAL's end is missing."""
    path = data / WAL
    if path.exists():
        _cut(path, chance.randrange(path.stat().st_size + 1))


def wal_of_noise(data: Path, chance: Random) -> None:
    """The WAL's second half is noise."""
    path = data / WAL
    if path.exists():
        size = path.stat().st_size
        _overwrite(path, size // 2, chance.randbytes(size - size // 2))


def folder_in_its_place(data: Path, chance: Random) -> None:
    """A folder where the file should be."""
    for name in (JOURNAL, WAL, f"{JOURNAL}-shm"):
        _remove(data / name)
    (data / JOURNAL).mkdir()


ROTS: dict[str, Rot] = {
    rot.__name__: rot
    for rot in (
        zeroed_header,
        all_nul,
        no_file,
        flipped_bits,
        one_page_of_noise,
        truncated_file,
        truncated_wal,
        wal_of_noise,
        folder_in_its_place,
    )
}


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
