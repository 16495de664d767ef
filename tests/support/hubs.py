"""A hub's core on a virtual clock with a real journal: offer, move time, look."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gateway.domain.alert import Alert
from gateway.domain.household import Household
from gateway.domain.instant import Instant
from gateway.domain.sensor import Kind, Room, Sensor
from gateway.journal import Journal
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.hub import Hub
from gateway.runtime.restore import restore

MONDAY = 1_772_377_200.0
"""2026-03-02 00:00 in Korea."""

SENSORS = (
    Sensor("hall", Kind.MOTION, Room.HALL),
    Sensor("fridge", Kind.CONTACT, Room.KITCHEN),
    Sensor("door", Kind.ENTRANCE, Room.ENTRANCE),
    Sensor("button", Kind.HELP, Room.LIVING),
)
HOUSEHOLD = Household("hub-test", SENSORS)


class RunningHub:
    """``async with RunningHub(folder) as hub``; leaving it is a kill, ``stop`` a clean end."""

    def __init__(
        self,
        folder: Path,
        *,
        at: float = 0.0,
        boot: str = "kernel-1",
        household: Household = HOUSEHOLD,
        beside: bool = False,
    ) -> None:
        self.clock = VirtualClock(Instant(boot, 1000.0 + at, MONDAY + at))
        self.journal = Journal.open(folder, "hub-test", clock_wall=lambda: self.clock.now().wall)
        self.restored = restore(self.journal, household, None)
        self.hub = Hub(self.restored, self.journal, self.clock, version="test", beside=beside)
        self.told: list[Alert] = []
        self.hub.listeners.append(self._listen)
        self.clock.busy = lambda: self.hub.busy
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.hub.boot()
        self._task = asyncio.create_task(self.hub.run())
        await self.clock.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.hub.writer.close()
        self.journal.close()

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.hub.close()

    async def hours(self, hours: float) -> None:
        """Let time pass."""
        await self.clock.advance(hours * 3600)

    def _listen(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            assert self.journal.alert(alert.id) is not None, "told before it was on disk"
        self.told.extend(alerts)
