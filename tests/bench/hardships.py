"""Hard homes: budget after the first month, ceilings, decline, dead sensors, lost events.

usage: python tests/bench/hardships.py [--seeds 5] [--days 120] [--only budget,loss]
Recorded homes from ANSIM_HOMES (default ../shared/data) for the losses; all cores; minutes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from gateway import inference
from gateway.domain.alert import Level
from models.evaluation.folds import predictor_for
from models.evaluation.hardships import (
    Hardship,
    as_beacons,
    generated,
    half_dead,
    half_lost,
    suffered,
)
from models.evaluation.measure import delay, rate
from models.evaluation.work import home_at
from models.homes import KINDS

RECORDED = ("aruba_1", "aruba_2", "kasteren_a", "kasteren_c", "mit_s2")
BUDGET = 1.0
CEILINGS = {Level.WATCH: 8.0, Level.WARNING: 12.0, Level.ALARM: 24.0}


def life(kind: str, seed: int, days: int, answers: float | None) -> Hardship:
    return suffered(generated(kind, seed, days), inference.load(), kind=kind, answers=answers)


def budget(pool: ProcessPoolExecutor, seeds: int, days: int) -> None:
    kinds = sorted(KINDS)
    for answers in (None, 0.8):
        work = [(kind, seed) for kind in kinds for seed in range(seeds)]
        found = list(pool.map(life, *zip(*work, strict=True), repeat(days), repeat(answers)))
        within = [one for one in found if one.later <= 2 * BUDGET]
        print(f"\nbudget, {'no answers' if answers is None else f'answers {answers:g}'}: ", end="")
        print(f"{len(within)} of {len(found)} homes within 2x after the first month")
        for kind in kinds:
            of = [one for one in found if one.kind == kind]
            later = " ".join(f"{one.later:.1f}" for one in of)
            away = sum(one.result.away_alarms for one in of)
            print(f"  {kind:14} first month {sum(o.first for o in of) / len(of):4.1f}  "
                  f"then a month: {later}  (away {away})")  # fmt: skip


def ceiling(kind: str, decline: bool, level: Level) -> tuple[str, Level, int, float, int]:
    """Cuts, the longest delay under the ceiling, and how many are over it."""
    home = generated(kind, 3, 100, decline=decline)
    one = suffered(home, inference.load(), kind=kind, cuts=200, stage=level, learn_days=14.0)
    late = [hours for hours in one.result.delays if hours > CEILINGS[level]]
    inside = [hours for hours in one.result.delays if hours <= CEILINGS[level]]
    name = kind + (", declining" if decline else "")
    return name, level, len(one.result.delays), max(inside, default=0.0), len(late)


def ceilings(pool: ProcessPoolExecutor) -> None:
    print("\nceilings: longest delay under the ceiling, and cuts over it")
    lives = [
        ("night-worker", False),
        ("day-sleeper", False),
        ("housebound", False),
        ("regular", True),
    ]
    work = [(kind, decline, level) for kind, decline in lives for level in CEILINGS]
    for name, level, cuts, longest, over in pool.map(ceiling, *zip(*work, strict=True)):
        print(f"  {name:20} level {int(level)}: {cuts} cuts, {longest:5.2f} h of {CEILINGS[level]:g}, "
              f"over it: {over}")  # fmt: skip


def loss(path: Path, how: str, seed: int) -> Hardship:
    home = home_at(path)
    predictor, _ = predictor_for(home.fingerprint, True)
    if how == "half the events lost":
        home = half_lost(home, seed)
    elif how == "half the sensors dead":
        home = as_beacons(home, half_dead(home, seed, entrance=False))
    elif how == "half dead, the entrance maybe":
        home = as_beacons(home, half_dead(home, seed, entrance=True))
    return suffered(home, predictor, kind=how, cuts=150, learn_days=7.0)


def losses(pool: ProcessPoolExecutor, folder: Path, seeds: int) -> None:
    print("\nlosses on recorded homes, 7 days of learning, folds")
    whole: tuple[float, float] | None = None
    paths = [folder / f"{name}.csv.gz" for name in RECORDED]
    hows = ("untouched", "half the events lost", "half the sensors dead",
            "half dead, the entrance maybe")  # fmt: skip
    for how in hows:
        work = [(p, s) for p in paths for s in range(1 if how == "untouched" else seeds)]
        found = list(pool.map(loss, [p for p, _ in work], repeat(how), [s for _, s in work]))
        results = [one.result for one in found]
        alarms, mean = rate(results), delay(results).mean or 0.0
        whole = whole or (alarms, mean)
        blind = sum(one.blind for one in found) / len(found)
        told = sum(one.told > 0 for one in found)
        print(f"  {how:30} false a month {alarms:5.2f} ({alarms / whole[0]:4.2f}x)  mean "
              f"{mean:5.2f} h ({mean / whole[1]:4.2f}x)  blind {blind:6.1%}  fault told in "
              f"{told} of {len(found)}")  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--only", default="budget,ceilings,loss")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if "budget" in given.only:
            budget(pool, given.seeds, given.days)
        if "ceilings" in given.only:
            ceilings(pool)
        if "loss" in given.only:
            folder = Path(os.environ.get("ANSIM_HOMES", "../shared/data"))
            losses(pool, folder, min(3, given.seeds))
    print(f"\n{time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
