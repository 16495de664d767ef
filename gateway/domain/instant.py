"""A moment as the hub's three clocks see it, and the clock as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

from msgspec import Struct

HOUR = 3600.0
DAY = 24 * HOUR
MONTH = 30.4 * DAY
"""The home-month of docs/detection.md and of R20: 30.4 days."""

RELEASED = 1_767_225_600.0
"""Wall seconds of 2026-01-01 UTC: a clock that is before the first release of the program is wrong
whatever anybody says of it."""


class Instant(Struct, frozen=True, gc=False):
    """One moment. Durations come from ``boottime``, hours of the day from ``wall``.

    ``boot``      identifies the boot that ``boottime`` counts from
    ``boottime``  seconds of CLOCK_BOOTTIME (it goes on while the machine sleeps)
    ``wall``      seconds since 1970-01-01 UTC
    ``synced``    whether the wall clock was known to be right (the hub has no clock chip, R17)
    """

    boot: str
    boottime: float
    wall: float
    synced: bool = True

    def plus(self, seconds: float) -> Instant:
        """The moment ``seconds`` later in the same boot."""
        return Instant(self.boot, self.boottime + seconds, self.wall + seconds, self.synced)


class Clock(Protocol):
    """Where the shell gets its time from; the engine never sees one."""

    def now(self) -> Instant: ...

    async def sleep(self, seconds: float) -> None: ...


def iso(wall: float, offset_minutes: int) -> str:
    """ISO 8601 with milliseconds and the home's offset, e.g. 2026-03-01T08:00:00.000+09:00."""
    zone = timezone(timedelta(minutes=offset_minutes)) if offset_minutes else UTC
    return datetime.fromtimestamp(round(wall, 3), zone).isoformat(timespec="milliseconds")
