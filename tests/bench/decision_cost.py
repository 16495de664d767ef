"""What one decision costs: the network's answer, and the whole outlook over a full memory.

    python tests/bench/decision_cost.py [TIMES]

Prints milliseconds (median of TIMES calls, default 300), which are this machine's, and shares of
the whole, which are the code's. Nothing is asserted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.sensor import Room
from gateway.engine import features, kernel
from gateway.engine.habits import DAY, KEEP_GAPS, Habits
from gateway.engine.outlook import Knobs, outlook
from gateway.engine.profile import ROOMS, Gap
from gateway.engine.stopping import ROWS
from gateway.inference import load

MONDAY = 19_723 * DAY


def full() -> Habits:
    """Two months of life with every silence remembered that can be."""
    habits = Habits()
    for day in range(60):
        for slot in range(7 * 12, 23 * 12):
            habits.event(float(MONDAY + day * DAY + slot * 300), Room.LIVING, entrance=False)
    first = MONDAY // 60
    habits.gaps = [
        Gap(first + n * 60 * 1_440 // KEEP_GAPS, 20 + n * 37 % 600, n % len(ROOMS))
        for n in range(KEEP_GAPS)
    ]
    return habits


def cost(of: Callable[[], object], times: int) -> float:
    """Milliseconds of a call: the median."""
    took = []
    for _ in range(times):
        began = perf_counter()
        of()
        took.append(perf_counter() - began)
    return median(took) * 1_000


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    habits, network = full(), load()
    start = habits.start(float(MONDAY + 60 * DAY), Room.LIVING)
    rows = features.rows(habits.profile, start)
    parts: dict[str, Callable[[], object]] = {
        "outlook": lambda: outlook(habits, start, network, Knobs()),
        f"features, {ROWS} rows": lambda: features.rows(habits.profile, start),
        f"network, {ROWS} rows": lambda: network.hazard(rows),
        f"kernel, {len(habits.gaps)} silences": lambda: kernel.survival(
            habits.gaps, start, network.silences
        ),
        "outlook without a network": lambda: outlook(habits, start, None, Knobs()),
    }
    measured = {name: cost(part, times) for name, part in parts.items()}
    for name, took in measured.items():
        print(f"{name:28} {took:7.3f} ms {took / measured['outlook']:6.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
