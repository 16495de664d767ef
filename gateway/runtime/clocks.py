"""The two clocks of the shell: the machine's own, and a virtual one that moves when told to.

Everything outside the engine that waits does so through one of them, so that a simulated week runs
through the real broker in seconds and a 72 h outage is tested without waiting for it.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import time
from collections.abc import Callable
from pathlib import Path

from gateway.domain.instant import RELEASED, Instant

KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")
TIMESYNC = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes this file after its first synchronisation and leaves it there."""

SYNC_EVERY = 5.0
"""Seconds between two looks at whether the clock was set, until it was (two system calls)."""

_TIME_ERROR = 5
"""What adjtimex(2) returns while nobody has set the clock (STA_UNSYNC)."""

_TIMEX_BYTES = 256
"""Larger than struct timex on any Linux (208 bytes on 64 bit); zeroed, its ``modes`` only reads."""


def boot_id() -> str:
    """Eight digits of the machine's boot, a dash, six digits of this start of the program.

    A receipt is bound to the whole: it cannot be replayed over a restart. The part before the dash
    says whether CLOCK_BOOTTIME went on meanwhile (``gateway.engine.timeline.kernel_boot``).
    """
    try:
        machine = KERNEL_BOOT.read_text(encoding="ascii").strip().replace("-", "")[:8]
    except (OSError, UnicodeDecodeError):
        machine = ""
    if len(machine) != 8:  # no such file: then no two starts may look like one boot
        machine = os.urandom(4).hex()
    return f"{machine}-{os.urandom(3).hex()}"


def kernel_synced() -> bool:
    """Whether somebody (timesyncd, chrony, ntpd, ptp) has set the kernel's clock."""
    if TIMESYNC.exists():
        return True
    import ctypes  # only until the clock is set; a hub that starts with a set clock never loads it

    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= state != _TIME_ERROR


class SystemClock:
    """The machine's clock. ``synced`` stays True once it was: a set clock drifts by seconds a day,
    while the kernel already calls it unsynchronised after some hours without its server."""

    def __init__(
        self, boot: str | None = None, *, synced: Callable[[], bool] = kernel_synced
    ) -> None:
        self.boot = boot or boot_id()
        self._look = synced
        self._synced = False
        self._next_look = 0.0

    def now(self) -> Instant:
        """This moment."""
        boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
        wall = time.time()
        if not self._synced and boottime >= self._next_look:
            self._next_look = boottime + SYNC_EVERY
            self._synced = wall >= RELEASED and self._look()
        return Instant(self.boot, boottime, wall, self._synced)

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))


class VirtualClock:
    """Time that moves only in ``advance_to``, from one sleeper's end to the next.

    Before each move the loop may settle: as long as ``busy`` says that something is in flight
    (a queue that is not empty, a message that the centre has not answered) time stands still.
    """

    def __init__(self, start: Instant, *, busy: Callable[[], bool] = lambda: False) -> None:
        self._now = start
        self._wall_offset = start.wall - start.boottime
        self.busy = busy
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> Instant:
        """The moment at which time stands."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until time was moved so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now.boottime + seconds, self._count, future))
        await future

    def next_sleeper(self) -> float | None:
        """Boottime at which the next sleeper ends; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance_to(self, wall: float) -> None:
        """Move to wall second ``wall``, through every sleeper's end in order. Going back is no
        move. May be cancelled at any point: time then stands where it was."""
        target = wall - self._wall_offset
        while True:
            await self.settle()
            due = self.next_sleeper()
            if due is None or due > target:
                break
            self._move(due)
            future = heapq.heappop(self._sleepers)[2]
            future.set_result(None)
        self._move(target)
        await self.settle()

    async def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        await self.advance_to(self._now.wall + seconds)

    async def settle(self) -> None:
        """Let everything run that can run now, until nothing is in flight."""
        calm = 0
        while calm < CALM_ROUNDS:
            if self.busy():
                calm = 0
                await asyncio.sleep(BUSY_POLL)
            else:
                calm += 1
                await asyncio.sleep(0)

    def _move(self, boottime: float) -> None:
        if boottime > self._now.boottime:
            wall = boottime + self._wall_offset
            self._now = Instant(self._now.boot, boottime, wall, self._now.synced)


CALM_ROUNDS = 8
"""Rounds of the event loop that must pass without anything in flight. Each lets every task that is
ready take one step; the longest chain from a woken sleeper to the next ``sleep`` or to something
that ``busy`` sees (timer, queue, commit, wake, publish) is shorter than this."""

BUSY_POLL = 0.0005
"""Real seconds between two looks while something is in flight: a receipt over the loopback
interface takes one to two milliseconds."""
