"""A whole hub with a radio: real sensors' frames on a private D-Bus with a fake bluetoothd."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.bthome_frames import seal
from tests.support.fake_bluez import FakeBlueZ
from tests.support.hub_process import HubProcess
from tests.support.private_bus import PrivateBus
from tests.support.programs import Program, status

HALL, HELP, PLAIN = (f"A4:C1:38:00:05:0{number}" for number in (1, 2, 3))
KEYS = {HALL: bytes(range(16)), HELP: bytes(range(1, 17))}

SENSORS = f"""
[[sensors]]
id = "hall"
kind = "motion"
room = "hall"
address = "{HALL}"
key = "{KEYS[HALL].hex()}"
supervision = "beacon"
interval_s = 60
[[sensors]]
id = "help"
kind = "help"
address = "{HELP}"
key = "{KEYS[HELP].hex()}"
supervision = "event-only"
[[sensors]]
id = "plain"
kind = "motion"
address = "{PLAIN}"
keyed = false
supervision = "event-only"
"""

PACE = 0.002
"""Seconds between bursts: dbus-fast gives up a connection whose socket is full."""

MOTION, PRESS = bytes.fromhex("2101"), bytes.fromhex("3a01")


class Air:
    """Real sensors with counters that rise, and what they have sent."""

    def __init__(self, bluez: FakeBlueZ) -> None:
        self.bluez = bluez
        self.counter = dict.fromkeys(KEYS, 5000)
        self.sent: list[tuple[str, bytes]] = []

    def send(self, address: str, what: bytes, counter: int | None = None) -> bytes:
        """The next frame of a sensor, or one with a counter of the test's choice."""
        if counter is None:
            self.counter[address] += 1
            counter = self.counter[address]
        payload = bytes([0, counter & 255]) + what
        frame = seal(payload, counter, key=KEYS[address], address=address)
        self.sent.append((address, frame))
        self.bluez.advertise(address, frame)
        return frame


class Rig:
    def __init__(self, hub: HubProcess, bus: PrivateBus, air: Air) -> None:
        self.hub, self.bus, self.air = hub, bus, air

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Program]:
        """The hub from its scan to a clean end, unless the test kills it."""
        with self.hub.run("--no-model", DBUS_SYSTEM_BUS_ADDRESS=self.bus.address) as program:
            await self.until(lambda: self.air.bluez.scans == 1, "a scan")
            await self.until(lambda: status(self.hub.data), "an answer")
            yield program
            if program.process.poll() is None:
                program.process.terminate()
                await self.until(lambda: program.process.poll() is not None, "its end")
                assert program.process.returncode == 0
        assert "Traceback" not in program.said

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 20) -> float:
        """Wait without holding bluetoothd up, which runs in this loop. Returns how long."""
        begun = time.monotonic()
        while not await asyncio.to_thread(condition):
            assert time.monotonic() - begun < seconds, what
            await asyncio.sleep(0.02)
        return time.monotonic() - begun

    def counter(self, name: str) -> int:
        return int(self.hub.status()["counters"].get(name, 0))

    def alerts(self) -> list[tuple[str, str]]:
        return [(a["type"], a["subject"]) for a in self.hub.status()["alerts"]]

    def last_activity(self) -> Any:
        return self.hub.status()["last_activity_at"]

    async def told_through(self) -> None:
        """Everything that is in the air was judged: another stranger's word comes last."""
        before = await asyncio.to_thread(self.counter, "ble-strangers")
        self.air.bluez.advertise("5A:00:00:00:00:01", manufacturer=bytes([before & 255]))
        await self.until(lambda: self.counter("ble-strangers") > before, "a word")

    async def living(self) -> None:
        """The hall's sensor counts: its first frame is only its start, and the second may wait for
        a commit."""
        for _ in range(3):
            self.air.send(HALL, MOTION)
        await self.until(self.last_activity, "activity")
