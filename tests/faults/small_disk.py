"""A hub on a real file system that is really full: a small tmpfs in a namespace of its own.

The file system is there for this process only; it is reached from outside by way of
``/proc/<pid>/root`` and is gone with the process, so what is to be said of its journal is looked
at before the end.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path

from tests.faults.books import JOURNAL, centre_book, hub_book
from tests.faults.disks import Outcome, outcome
from tests.faults.oracle import Verdict, account
from tests.faults.stage import SETTLE, Life, Stage
from tests.support.programs import Program, until

KIB = 900
"""Size of the file system. The shared memory of SQLite alone takes 32."""

MOUNTED = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c"),
    'mount -t tmpfs -o "size=$0" tmpfs "$1" && cd / && shift && exec "$@"',
)


def possible() -> bool:
    """Whether this machine lets us have a file system of our own."""
    words = [*MOUNTED, "100k", "/mnt", "true"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def full_disk(stage: Stage) -> tuple[Outcome, Verdict]:
    """A hub whose disk is filled to the last byte by something else, and emptied again."""
    assert stage.centre is not None
    life = stage.new_life()
    life.data.mkdir()
    outside = life.data
    with life.start(before=(*MOUNTED, f"{KIB}k", str(life.data))) as program:
        _by_way_of(life, program)
        life.hub.up()
        assert life.press()
        filler = life.data / "filler"
        _fill(filler)
        came = outcome(life, program)
        for _ in range(5):  # whatever is kept for alarms must last for some
            life.press()
            life.advance(alone=True)
        filler.unlink()
        until(lambda: _settled(life), "nothing waits", SETTLE)
        kept = outside.parent / "kept"
        shutil.copytree(life.data, kept, ignore=shutil.ignore_patterns("*.sock"))
        verdict = account(life.ledger, hub_book(kept), centre_book(stage.centre, life.name))
        verdict.count("unopened", [path.name for path in kept.glob(f"{JOURNAL}.damaged*")])
        life.hub.data = outside
        assert program.end() == 0, life.log[-2000:]
    return came, verdict


def _by_way_of(life: Life, program: Program) -> None:
    """Reach the data folder as the process sees it. Until the file system is mounted the same
    name leads to the folder beneath, in which there is no hub."""
    life.hub.data = Path(f"/proc/{program.process.pid}/root{life.data.resolve()}")


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def _settled(life: Life) -> bool:
    life.advance(alone=True)
    found = life.hub.status()
    return not found["faults"] and not found["waiting_alerts"]
