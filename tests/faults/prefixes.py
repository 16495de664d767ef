"""Every prefix of a recorded run, as a power cut there would leave it, opened by the journal.

Recorded is the real ``ansim run`` under load: its writes, syncs and names in the data folder, and
between them, as marks, what it said on its control socket. An alert whose press it acknowledged
before a point of the stream must be in the journal that is opened at that point.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from gateway.domain.errors import JournalError
from gateway.engine.state import FORMAT
from gateway.journal import Journal
from tests.faults.books import JOURNAL
from tests.faults.disk import Disk, Event, Leaves, lay_out, read_log
from tests.faults.oracle import Verdict
from tests.faults.stage import Life, Load
from tests.support.programs import until


class Recorded(Struct, frozen=True):
    """A run's stream, and whose it is."""

    hub: str
    events: tuple[Event, ...]

    @property
    def marks(self) -> int:
        """Presses that were acknowledged."""
        return sum(1 for event in self.events if acknowledged(event))


def acknowledged(event: Event) -> str | None:
    """The alert id that this event acknowledges."""
    if event.op != "m" or b'"alert_id"' not in event.data:
        return None
    try:
        answer = msgspec.json.decode(event.data, type=dict[str, object])
    except msgspec.DecodeError:
        return None
    return str(answer["alert_id"]) if "stored_ms" in answer else None


def record(
    life: Life, shim: Path, presses: int, *, starts: int = 2, least_bytes: int = 0
) -> Recorded:
    """Run a hub ``starts`` times under load, the last to a clean end, the others to a kill.

    ``least_bytes``: of the log; the load goes on until then. SQLite brings its WAL into the file
    after 2 MB, and those writes and syncs must be among the recorded ones.
    """
    log = life.hub.folder / "writes.log"
    life.data.mkdir(exist_ok=True)
    folder = life.data.resolve()
    words = {"LD_PRELOAD": str(shim), "FAULT_FOLDER": str(folder), "FAULT_LOG": str(log)}
    for turn in range(starts):
        share = presses // starts
        with life.start(**words) as program:
            life.hub.up()
            before = len(life.ledger.acknowledged)
            with Load(life, share):
                until(
                    lambda: len(life.ledger.acknowledged) >= before + share,  # noqa: B023 - of this turn
                    "its presses are acknowledged",
                    60.0,
                )
                aim = least_bytes * (turn + 1) // starts
                until(lambda: log.stat().st_size >= aim, "so much is written", 110.0)  # noqa: B023 - of this turn
            if turn == starts - 1:
                assert program.end() == 0, life.log[-2000:]
    return Recorded(life.name, tuple(read_log(log, folder)))


class Figures(Struct):
    """``prefixes`` of the stream; ``opened``: different folders that the journal opened."""

    prefixes: int = 0
    opened: int = 0
    verdict: Verdict = msgspec.field(default_factory=Verdict)


def every_prefix(
    recorded: Recorded,
    folder: Path,
    seed: int,
    *,
    leaves: Sequence[Leaves] = tuple(Leaves),
    every: int = 1,
    told: Callable[[int, Figures], None] = lambda _n, _f: None,
) -> Figures:
    """Open the journal after each (``every``-th) prefix. Folders that are the same byte by byte as
    one that was opened with the same acknowledgements are opened once."""
    figures = Figures()
    disk = Disk()
    due: set[str] = set()
    seen: set[bytes] = set()
    for number, event in enumerate(recorded.events, 1):
        disk.feed(event)
        alert_id = acknowledged(event)
        if alert_id is not None:
            due.add(alert_id)
        if number % every and alert_id is None:
            continue
        figures.prefixes += 1
        for one in leaves:
            image = disk.image(one, Random(f"{seed} {number} {one.name}"))
            print_ = _print(image, len(due))
            if print_ in seen:
                continue
            seen.add(print_)
            figures.opened += 1
            _judge(recorded.hub, image, folder / "cut", due, f"{number} {one.value}", figures)
        told(number, figures)
    figures.verdict.presses = len(due)
    return figures


def _print(image: dict[str, bytes], due: int) -> bytes:
    digest = hashlib.blake2b(str(due).encode(), digest_size=16)
    for name in sorted(image):
        digest.update(name.encode() + b"\0" + len(image[name]).to_bytes(8, "big") + image[name])
    return digest.digest()


def _judge(
    hub: str, image: dict[str, bytes], folder: Path, due: set[str], where: str, figures: Figures
) -> None:
    """Open the folder as the hub would, and look for everything that was accepted."""
    lay_out(image, folder)
    verdict = figures.verdict
    try:
        with Journal.open(folder, hub, clock_wall=lambda: 1_772_377_200.0) as journal:
            if journal.recovered is not None:
                verdict.count("unopened", [f"{where}: {journal.recovered.reason}"])
                _keep(image, folder, where)
            journal.load_snapshot(f"{hub}:{FORMAT}")  # a torn one is ignored and never raises
    except JournalError as error:
        verdict.count("unopened", [f"{where}: {error.reason}"])
        _keep(image, folder, where)
        return
    with closing(sqlite3.connect(folder / JOURNAL)) as db:
        held = {str(row[0]) for row in db.execute("SELECT DISTINCT id FROM alert")}
        stranded = db.execute(
            "SELECT count(*) FROM alert WHERE lane = 'alert' AND received IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM outbox_alert o WHERE o.sequence = alert.sequence)"
        ).fetchone()[0]
        whole = db.execute("PRAGMA quick_check").fetchone()[0]
    missing = due - held
    verdict.accepted += len(due)
    verdict.count("lost", [f"{where}: {alert_id}" for alert_id in missing])
    verdict.count("lost", [f"{where}: stranded {n}" for n in range(stranded)])
    verdict.count("unopened", [] if whole == "ok" else [f"{where}: {whole}"])
    if missing:
        _keep(image, folder, where)


def _keep(image: dict[str, bytes], folder: Path, where: str) -> None:
    """The first broken folder stays, to be looked at."""
    kept = folder.with_name("broken")
    if not kept.exists():
        lay_out(image, kept)
        (kept / "where").write_text(where)
