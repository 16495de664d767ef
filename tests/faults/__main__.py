"""``make faults``: all runs in full, a progress line, and a table; exit code 1 if any figure that
must be 0 is not.

ANSIM_FAULT_SEED, and the counts ANSIM_FAULT_KILLS, _STOPS, _REPLAYS, _BOOTS, _FREEZES, _ROTS and
_BYTES (of the recorded stream) may be set; ANSIM_FAULT_ONLY names the runs to do,
ANSIM_FAULT_PATIENCE_S how long a hub has to bring everything home.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.disk import quick_folder
from tests.faults.disks import Outcome, disk_breaks, rotten
from tests.faults.kills import kill_run, stop_run
from tests.faults.links import frozen_run, offline_run
from tests.faults.oracle import Verdict
from tests.faults.prefixes import Figures, every_prefix, record
from tests.faults.replays import replay_run
from tests.faults.rot import ROTS
from tests.faults.shim import build
from tests.faults.small_disk import full_disk, possible
from tests.faults.stage import Stage

BROKEN = tuple(
    f"{what}:{where}:{number}{once}"
    for what, where in (
        ("eio", "w"),
        ("eio", "s"),
        ("eio", "n"),
        ("eio", "wstn"),
        ("eio", "rws"),
        ("enospc", "w"),
    )
    for number in (1, 2, 5, 17)
    for once in ("", "-")
)
"""Plans of the shim for a disk that breaks: what, where, from which operation on, for how long."""

LONG_FREEZE = 90.0
"""Seconds; the broker gives a hub up after 75 (1.5 times the keep-alive)."""

SHORT_BOOTS = 5
"""Boots without a broker that one journal lives through."""


def asked(name: str, usual: int) -> int:
    return int(os.environ.get(f"ANSIM_FAULT_{name}", usual))


class Runs:
    """All runs on one stage; ``table`` is what came of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seed = asked("SEED", 1)
        self.shim = build(folder)
        self.table: list[tuple[str, int, float, Verdict, str]] = []
        self._name = ""
        self._begun = 0.0

    def all(self, stage: Stage) -> None:
        wanted = os.environ.get("ANSIM_FAULT_ONLY", "").split(",")
        for name, run in (
            ("kills", self.kills),
            ("stops", self.stops),
            ("prefixes", self.prefixes),
            ("replays", self.replays),
            ("offline", self.offline),
            ("frozen", self.frozen),
            ("broken", self.broken),
            ("rotten", self.rotten),
        ):
            if wanted == [""] or name in wanted:
                self._one(name, stage, run)

    def _one(
        self, name: str, stage: Stage, run: Callable[[Stage], tuple[int, Verdict, str]]
    ) -> None:
        self._name, self._begun = name, time.monotonic()
        try:
            count, verdict, words = run(stage)
        except (AssertionError, pytest.fail.Exception) as error:
            count, words = 0, "did not come to its end"
            verdict = Verdict(unopened=1, cases=[f"{type(error).__name__}: {error}"])
        self.table.append((name, count, time.monotonic() - self._begun, verdict, words))

    def told(self, number: int, verdict: Verdict, of: int) -> None:
        """The progress line."""
        seconds = time.monotonic() - self._begun
        line = f"{self._name}: {number}/{of}, {verdict.bad} wrong, {seconds:.0f} s"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif number % max(1, of // 20) == 0:
            print(line, file=sys.stderr, flush=True)

    # -- each run: how many, what came of it, what else is to be said ------------------------------

    def kills(self, stage: Stage) -> tuple[int, Verdict, str]:
        count = asked("KILLS", 1000)
        verdict = kill_run(
            stage, count, self.seed, shim=self.shim, told=lambda n, v: self.told(n, v, count)
        )
        return count, verdict, "kill -9: at the start, under load, within a write or sync"

    def stops(self, stage: Stage) -> tuple[int, Verdict, str]:
        count = asked("STOPS", 200)
        verdict = stop_run(stage, count, self.seed, told=lambda n, v: self.told(n, v, count))
        return count, verdict, "SIGTERM under load, each with exit code 0"

    def prefixes(self, stage: Stage) -> tuple[int, Verdict, str]:
        if self.shim is None:
            return 0, Verdict(), "skipped: no C compiler (cc)"
        recorded = record(
            stage.new_life(), self.shim, 60, starts=3, least_bytes=asked("BYTES", 4_000_000)
        )
        of = len(recorded.events)
        with quick_folder() as folder:
            figures: Figures = every_prefix(
                recorded, Path(folder), self.seed, told=lambda n, f: self.told(n, f.verdict, of)
            )
        words = f"power cuts: {figures.opened} different folders opened, {recorded.marks} marks"
        return figures.prefixes, figures.verdict, words

    def replays(self, stage: Stage) -> tuple[int, Verdict, str]:
        count = asked("REPLAYS", 100)
        verdict = asyncio.run(
            replay_run(stage, count, self.seed, told=lambda n, v: self.told(n, v, count))
        )
        words = f"{verdict.accepted} different frames played again, twice each"
        verdict.accepted = 0
        return count, verdict, words

    def offline(self, stage: Stage) -> tuple[int, Verdict, str]:
        count = asked("BOOTS", 50)
        verdict = Verdict()
        for number in range(0, count, SHORT_BOOTS):
            verdict.add(offline_run(stage, SHORT_BOOTS, self.seed + number))
            self.told(number + SHORT_BOOTS, verdict, count)
        return count, verdict, "boots without a broker, each killed; then the network is back"

    def frozen(self, stage: Stage) -> tuple[int, Verdict, str]:
        count = asked("FREEZES", 20)
        verdict = frozen_run(stage, count // 2, self.seed, 3.0, LONG_FREEZE)
        return count + 2, verdict, f"SIGSTOP for up to 3 s, twice {LONG_FREEZE:.0f} s, then SIGCONT"

    def broken(self, stage: Stage) -> tuple[int, Verdict, str]:
        if self.shim is None:
            return 0, Verdict(), "skipped: no C compiler (cc)"
        verdict, came = Verdict(), Counter[str]()
        for number, plan in enumerate(BROKEN, 1):
            outcome, one = disk_breaks(stage, self.shim, plan)
            came[outcome.value] += 1
            one.count("lost", [f"{plan}: {outcome.value}"] if outcome is Outcome.SILENT else [])
            verdict.add(one)
            self.told(number, verdict, len(BROKEN))
        if possible():
            outcome, one = full_disk(stage)
            came[f"small tmpfs: {outcome.value}"] += 1
            one.count("lost", [f"tmpfs: {outcome.value}"] if outcome is Outcome.SILENT else [])
            verdict.add(one)
        return sum(came.values()), verdict, said(came)

    def rotten(self, stage: Stage) -> tuple[int, Verdict, str]:
        each = asked("ROTS", 5)
        verdict, came = Verdict(), Counter[str]()
        unheard = salvaged = 0
        for name, rot in ROTS.items():
            untold = 0
            for turn in range(each):
                left = rotten(stage, rot, self.seed + turn)
                came[left.outcome.value] += 1
                unheard += left.unheard
                salvaged += left.salvaged
                untold += not (left.told or left.salvaged == left.unheard)
                if left.outcome is Outcome.SILENT:
                    left.verdict.count("lost", [f"{name}: {left.outcome.value}"])
                verdict.add(left.verdict)
            verdict.count("lost", [f"{name} {n}: the centre was not told" for n in range(untold)])
            self.told(sum(came.values()), verdict, each * len(ROTS))
        words = f"{said(came)}; {salvaged} of {unheard} unheard versions salvaged"
        return each * len(ROTS), verdict, words


def said(came: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in came.most_common())


COLUMNS = ("accepted", "presses", "lost", "doubled", "forged", "unopened", "replayed")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ansim-faults-") as name:
        folder = Path(name)
        runs = Runs(folder)
        try:
            with Stage(folder).open() as stage:
                runs.all(stage)
        except KeyboardInterrupt:
            return 130
    print(f"\nseed {runs.seed}")
    print(f"{'run':<10}{'count':>7}{'s':>6}" + "".join(f"{column:>10}" for column in COLUMNS))
    for run, count, seconds, verdict, words in runs.table:
        figures = "".join(f"{getattr(verdict, column):>10}" for column in COLUMNS)
        print(f"{run:<10}{count:>7}{seconds:>6.0f}{figures}  {words}")
    cases = [f"{run}: {case}" for run, _, _, verdict, _ in runs.table for case in verdict.cases]
    print("\n".join(cases))
    return int(any(verdict.bad for _, _, _, verdict, _ in runs.table))


if __name__ == "__main__":
    sys.exit(main())
