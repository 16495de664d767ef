"""Thirty days without a centre, on the virtual clock: does the journal keep its limits, and is every
alert still there?

    python tests/bench/journal_month.py [FOLDER] [DAYS]

A hub with four sensors: 5,000 readings a day, a help button that nobody answers, kills without warning,
retention. In memory where there is room, because nothing here depends on the disk. Ends with 1 if a limit
does not hold.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.alert import Alert
from gateway.domain.instant import HOUR
from gateway.domain.observation import Heard, Pressed, Switched
from gateway.journal import Keep
from tests.support.hubs import RunningHub

BYTES_LIMIT = 64_000_000
"""Of the file and its log after a month without a centre."""

READINGS = 5_000
PRESSES_A_DAY = 2


async def day(home: RunningHub, chance: random.Random) -> None:
    """A day of readings, evenly from 6 to 23, and presses."""
    step = 17 * HOUR / READINGS
    pressed = {chance.randrange(READINGS) for _ in range(PRESSES_A_DAY)}
    await home.clock.advance(6 * HOUR)
    for n in range(READINGS):
        if n in pressed:
            home.hub.offer(Pressed("button"))
        sensor = ("hall", "fridge", "door")[n % 3]
        home.hub.offer(Heard(sensor) if n % 7 == 0 else Switched(sensor, on=n % 2 == 0))
        if n % 100 == 99:
            await home.clock.advance(100 * step)
    await home.clock.advance(1 * HOUR)


async def month(folder: Path, days: int) -> tuple[int, int, int, int, int]:
    """Returns alerts told, alerts still waiting, records waiting, readings kept, bytes."""
    chance = random.Random(1)
    told: set[tuple[str, int]] = set()
    at, number = 0.0, 0
    while number < days:
        async with RunningHub(folder, at=at, boot=f"kernel-{number}") as home:
            for _ in range(chance.randrange(1, 4)):  # then a kill
                await day(home, chance)
                number += 1
                wall = home.clock.now().wall
                while home.journal.retain(wall, Keep()).more:
                    pass
            told |= {(a.id, a.version) for a in home.told if a.level}
            at = home.clock.now().boottime - 1000.0 + 60.0
    async with RunningHub(folder, at=at, boot="kernel-end") as home:
        told |= {(a.id, a.version) for a in home.told if a.level}
        rows = home.journal.waiting("alert", 100_000)
        waiting = {
            (row.message.id, row.message.version) for row in rows if isinstance(row.message, Alert)
        }
        stats = home.journal.stats()
        kept = stats.last_sequence - next(home.journal.observations()).sequence + 1
        assert home.journal.recovered is None
        assert home.journal.verify().whole
        assert [row.level for row in rows] == sorted((r.level for r in rows), reverse=True)
        return len(told), len(told & waiting), stats.waiting_records, kept, stats.bytes


def main() -> int:
    """Print the figures; 1 if one is beyond its limit."""
    memory = Path("/dev/shm")
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else memory if memory.is_dir() else None
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=base) as folder:
        told, waiting, records, kept, size = asyncio.run(month(Path(folder), days))
    took = time.monotonic() - begun
    print(f"{days} days without a centre, simulated in {took:.0f} s")
    print(f"alert versions told {told}, still waiting {waiting}")
    print(f"records waiting {records}, readings kept {kept}, file and log {size:,} bytes")
    bad = told != waiting or size > BYTES_LIMIT or kept > 31 * (READINGS + 500)
    bad |= records < 100 * days
    print("FAIL" if bad else "ok")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
