"""How often a drift is told in homes that do not change, and how soon in those that do.

    python tests/bench/drift.py [--seeds 10 11 12] [--days 100] [--homes FOLDER] [--verbose]

For each seed and each of the ten kinds of generated homes the same life is lived three times: as it
is, with a decline of two thirds over 60 days, and with a turn of night and day within four days.
Counted are the drifts told in the unchanged homes a home-month, and the days from the beginning of
a change until it is told; a drift of the other sort does not count as found, and one told before
the change is counted apart. Then the recorded homes (``ANSIM_HOMES``, default ``../shared/data``),
in which nobody noted a change. No model: it takes no part in this.

Generated people are our guesses (docs/homes.md): this shows that the rules hold, not how people
decline.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.alert import AlertState, AlertType
from gateway.domain.household import Household
from gateway.domain.instant import DAY, HOUR, MONTH
from gateway.domain.observation import Observation
from gateway.domain.sensor import Sensor
from gateway.engine.engine import Engine
from gateway.sensing.recording import load, observations
from models.homes import KINDS, Plan, generate

DECLINE_FROM = 30
TURN_FROM = 45
"""Days after which the changes begin."""
EVENTS = (120.0, 300.0, 1000.0)
"""Rows a day, by seed: from a sparse home to a rich one."""
SOON = {"decline": 45, "turn": 7}
"""Days within which a change should be told."""
NEVER = float("inf")


class Job(NamedTuple):
    kind: str
    seed: int
    change: str
    days: int


class Told(NamedTuple):
    """``told`` are (what, days since the first row)."""

    job: Job
    months: float
    told: tuple[tuple[str, float], ...]


def drifts(sensors: Sequence[Sensor], lived: Iterable[Observation]) -> Told:
    engine = Engine(Household("bench", tuple(sensors)))
    told: list[tuple[str, float]] = []
    first = last = None
    for one in lived:
        last = one.at.boottime
        first = last if first is None else first
        told += [
            (alert.because, (last - first) / DAY)
            for alert in engine.step(one).alerts
            if alert.type is AlertType.ROUTINE_DRIFT and alert.state is AlertState.RAISED
        ]
    months = 0.0 if first is None or last is None else (last - first) / MONTH
    return Told(Job("", 0, "", 0), months, tuple(told))


def live(job: Job) -> Told:
    decline = DECLINE_FROM * DAY / HOUR if job.change == "decline" else None
    turn = TURN_FROM * DAY / HOUR if job.change == "turn" else None
    home = generate(
        Plan(
            seed=job.seed,
            kind=job.kind,
            days=job.days,
            events_per_day=EVENTS[job.seed % len(EVENTS)],
            decline=decline,
            turn=turn,
        )
    )
    return drifts(home.sensors, home.observations())._replace(job=job)


def found(one: Told) -> float:
    """Days from the beginning of the change until it was told."""
    begin = DECLINE_FROM if one.job.change == "decline" else TURN_FROM
    after = [day - begin for what, day in one.told if what == one.job.change and day >= begin]
    return min(after, default=NEVER)


def share(name: str, change: str, days: Sequence[float]) -> str:
    soon = sum(day <= SOON[change] for day in days)
    ever = sum(day < NEVER for day in days)
    median = statistics.median_low(days)
    words = f"{soon:3d} of {len(days):2d} within {SOON[change]:2d} days, {ever:2d} in all"
    return f"{name:<15}{change:<8}{words}, median {median:5.1f}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = os.environ.get("ANSIM_HOMES", "../shared/data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--homes", type=Path, default=Path(default))
    parser.add_argument("--verbose", action="store_true", help="name every drift told")
    asked = parser.parse_args()
    changes = ("none", "decline", "turn")
    jobs = [Job(k, s, c, asked.days) for k in KINDS for s in asked.seeds for c in changes]
    with Pool() as pool:
        lives = pool.map(live, jobs, chunksize=1)
    false: dict[str, list[Told]] = defaultdict(list)
    days: dict[tuple[str, str], list[float]] = defaultdict(list)
    early = 0
    for one in lives:
        if one.job.change == "none":
            false[one.job.kind].append(one)
        else:
            begin = DECLINE_FROM if one.job.change == "decline" else TURN_FROM
            early += sum(day < begin for _, day in one.told)
            days[one.job.kind, one.job.change].append(found(one))
        if asked.verbose:
            told = ", ".join(f"{what} on day {day:.1f}" for what, day in one.told)
            sys.stdout.write(f"    {one.job.kind} {one.job.seed} {one.job.change}: {told or '-'}\n")
    for kind in KINDS:
        for change in changes[1:]:
            sys.stdout.write(share(kind, change, days[kind, change]))
    for change in changes[1:]:
        of_all = [day for kind in KINDS for day in days[kind, change]]
        sys.stdout.write(share("all", change, of_all))
    sys.stdout.write(f"told before the change: {early}\n\nunchanged homes\n")
    for kind in KINDS:
        sys.stdout.write(untouched(kind, false[kind]))
    sys.stdout.write(untouched("all", [one for kind in KINDS for one in false[kind]]))
    sys.stdout.write("\nrecorded homes\n")
    for path in sorted(asked.homes.glob("*.csv.gz")):
        home = load(path)
        one = drifts(home.sensors, observations(home, 540))
        sys.stdout.write(untouched(path.name.partition(".")[0], [one]))
    return 0


def untouched(name: str, lives: Sequence[Told]) -> str:
    months = sum(one.months for one in lives)
    told = [what for one in lives for what, _ in one.told]
    return (
        f"{name:<15}{months:6.1f} home-months, declines {told.count('decline'):2d}, "
        f"turns {told.count('turn'):2d}: {len(told) / months:.3f} a home-month\n"
    )


if __name__ == "__main__":
    sys.exit(main())
