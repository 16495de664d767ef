"""Kills at random moments: during the start, under load, within a write or a sync."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from tests.faults.books import newest
from tests.faults.oracle import Verdict
from tests.faults.stage import Life, Load, Stage
from tests.support.programs import Program, status, until

LIFE = 20
"""Kills that one journal lives through before its hub is called to account."""

START = 0.6
"""Real seconds within which a kill during the start falls: about what a start takes on a PC."""

RUN = 0.4
"""Real seconds within which a kill under load falls."""

WRITES = 160
"""Writes and syncs within which a kill in a commit falls: a start makes about sixty."""

Told = Callable[[int, Verdict], None]
"""Hears how many kills are done, and what came of the lives so far."""


def kill_run(
    stage: Stage,
    kills: int,
    seed: int,
    *,
    shim: Path | None,
    loud: Sequence[bool] = (False, True, False),
    told: Told = lambda _n, _v: None,
) -> Verdict:
    """Kill hubs of ``stage`` so many times.

    ``shim``  the library that kills within a write; without it those kills fall under load
    ``loud``  which lives, in turn, are in real time, with their commits beside the event loop; the
              others are pressed in lock-step and acknowledge each press
    """
    chance = Random(seed)
    verdict = Verdict()
    done = lives = 0
    while done < kills:
        life = stage.new_life(loud=loud[lives % len(loud)])
        lives += 1
        for _ in range(min(LIFE, kills - done)):
            _one_kill(life, chance, shim)
            done += 1
            told(done, verdict)
            if life.used_up:
                break
        verdict.add(life.verdict())
    told(done, verdict)
    return verdict


def _one_kill(life: Life, chance: Random, shim: Path | None) -> None:
    way = chance.choice(("start", "load", "load", "write"))
    environment: dict[str, str] = {}
    if way == "write" and shim is not None:
        plan = f"kill:{chance.choice(('w', 's', 'ws', 'wstn'))}:{chance.randint(1, WRITES)}"
        life.data.mkdir(exist_ok=True)
        environment = {
            "LD_PRELOAD": str(shim),
            "FAULT_FOLDER": str(life.data.resolve()),
            "FAULT_PLAN": plan,
        }
    with life.start(**environment) as program:
        if way == "start":
            _wait(program, chance.uniform(0.0, START))
            return  # leaving it is the kill
        with Load(life):
            if way == "write":
                _wait(program, START + RUN + chance.uniform(0.0, RUN))
            else:
                until(lambda: _up(life, program), f"{life.name} is up")
                _wait(program, chance.uniform(0.0, RUN))
            program.kill()  # the load must find it dead, or it would wait for its answers


def _up(life: Life, program: Program) -> bool:
    assert program.process.poll() is None, life.log[-3000:]
    return status(life.data) is not None


def _wait(program: Program, seconds: float) -> None:
    """Until the moment has come, or the process has died of its plan."""
    try:
        code = program.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    assert code == -signal.SIGKILL, f"it ended by itself: {code}\n{program.said[-3000:]}"


def stop_run(stage: Stage, stops: int, seed: int, *, told: Told = lambda _n, _v: None) -> Verdict:
    """SIGTERM at random moments under load: a clean end each time, within its time."""
    chance = Random(seed)
    verdict = Verdict()
    done = lives = 0
    while done < stops:
        life = stage.new_life(loud=lives % 2 == 1)
        lives += 1
        for _ in range(min(LIFE, stops - done)):
            with life.start() as program, Load(life):
                until(lambda: _up(life, program), f"{life.name} is up")  # noqa: B023 - of this turn
                _wait(program, chance.uniform(0.0, RUN))
                seen = (status(life.data) or {"observations": 0})["observations"]
                begun = time.monotonic()
                code = program.end()
                assert code == 0, f"{code} after {time.monotonic() - begun:.1f} s: {life.log}"
            # Of a clean end routine observations are on disk too, not only what somebody awaits.
            gone = range(newest(life.data), int(seen))
            verdict.count("lost", [f"{life.name}: observation {n + 1}" for n in gone])
            done += 1
            told(done, verdict)
            if life.used_up:
                break
        verdict.add(life.verdict())
    told(done, verdict)
    return verdict
