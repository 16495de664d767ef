"""Pulls simulated pins in the guest.

Usage: pull.py    Reads JSON lines ``[seconds from now, pin, up]`` from standard input, and says of
each the wall time at which it was done.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

PINS = Path("/run/pins")
"""The kernel's folder of the simulated chip, put there by vm/guest/board.sh."""


def pull(pin: int, *, up: bool) -> None:
    (PINS / f"sim_gpio{pin}" / "pull").write_text("pull-up" if up else "pull-down")


def main() -> None:
    steps = [json.loads(line) for line in sys.stdin if line.strip()]
    started = time.monotonic()
    for at, pin, up in steps:
        time.sleep(max(0.0, started + at - time.monotonic()))
        wall = time.time()
        pull(pin, up=up)
        print(json.dumps({"pin": pin, "up": up, "wall": wall}), flush=True)


if __name__ == "__main__":
    main()
