"""Journal files that were set aside: how they are named, how many are kept, and for how long."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from gateway.domain.instant import DAY
from gateway.journal.store import FILE, sync_folder

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""

KEPT_FILES = 3
"""Files that were set aside and are kept; an older one goes when the next comes."""

KEPT_SECONDS = 30 * DAY
"""Seconds for which they are kept: they hold readings (P2)."""


def set_aside(path: Path) -> Path:
    """Rename the file and those beside it to ``<name>.damaged-<n>``; its WAL stays its WAL, so that
    it can still be opened and salvaged. Only the newest few are kept. Raises OSError."""
    before = files_aside(path.parent)
    n = 1 + max((_number(old) for old in before), default=0)
    kept = path.with_name(f"{path.name}.damaged-{n}")
    moved = [_rename(path, kept, beside) for beside in ("", *BESIDE)]
    if any(moved) and not moved[0]:
        kept.touch(0o640)  # only its log was left: what is not listed is never forgotten
    remove(Path(f"{path}.suspect"))
    sync_folder(path.parent)
    for old in before[: len(before) + 1 - KEPT_FILES]:
        remove(old)
    return kept


def follow(path: Path) -> None:
    """A kill may have come between two of those renames: what still lies beside the place of a file
    that is set aside goes after it. Its log beside a new file would spoil that one."""
    aside = files_aside(path.parent)
    for beside in BESIDE:
        if aside:
            _rename(path, aside[-1], beside)
        else:
            Path(f"{path}{beside}").unlink(missing_ok=True)


def files_aside(folder: Path) -> list[Path]:
    """Journals that were set aside, the oldest first. Raises OSError."""
    found = [path for path in folder.glob(f"{FILE}.damaged-*") if _number(path)]
    return sorted(found, key=_number)


def forget_aside(folder: Path, now: float, *, all_of_them: bool = False) -> int:
    """Remove those that are older than they may be kept, or all where room is needed; returns how
    many. Age is counted from when they were last written. Never raises: it is tried again."""
    gone = 0
    with suppress(OSError):
        for path in files_aside(folder):
            age = now - path.lstat().st_mtime
            if all_of_them or age > KEPT_SECONDS:
                remove(path)
                gone += 1
    return gone


def remove(path: Path) -> None:
    """Remove a file with those beside it, as far as that is possible; also a folder of that name."""
    for beside in ("", *BESIDE):
        one = Path(f"{path}{beside}")
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        with suppress(OSError):
            one.unlink()


def _rename(path: Path, kept: Path, beside: str) -> bool:
    """Whether there was such a file."""
    try:
        Path(f"{path}{beside}").rename(f"{kept}{beside}")
    except FileNotFoundError:
        return False
    return True


def _number(aside: Path) -> int:
    """The number of a file that was set aside; 0 for those beside it."""
    last = aside.name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
