"""A Bluetooth source on a private D-Bus with a fake bluetoothd: advertise, break things, look."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from dbus_fast import BusType, Message
from dbus_fast.aio.message_bus import MessageBus

from gateway.domain.enrolment import Radio
from gateway.domain.instant import Instant
from gateway.domain.observation import SourceChanged, Switched, What
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.sensing.adverts import Told
from gateway.sensing.ble import Actions, BleSource
from gateway.sensing.modes import Mode
from tests.support.fake_bluez import FakeBlueZ
from tests.support.private_bus import PrivateBus

HALL = "A4:C1:38:00:00:01"
DOOR = "A4:C1:38:00:00:02"

RADIOS = (
    Radio(Sensor("hall", Kind.MOTION, Room.HALL, Supervision.BEACON, 60.0, "ble"), HALL),
    Radio(Sensor("door", Kind.ENTRANCE, Room.ENTRANCE, Supervision.EVENT_ONLY, source="ble"), DOOR),
)

STARTED = 100_000.0
"""Seconds of uptime at the beginning: more than the six hours before which nobody reboots."""


class FastClock:
    """The machine's clock, ``speed`` times as fast: minutes of waiting pass in a second, while D-Bus
    goes on at its own pace."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._begun = time.monotonic()

    def now(self) -> Instant:
        passed = (time.monotonic() - self._begun) * self.speed
        return Instant("boot", STARTED + passed, 1_772_377_200.0 + passed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


def motion(packet: int, on: bool = True) -> bytes:
    """Service data of a plain motion sensor: device information, packet id, motion."""
    return bytes([0x44, 0x00, packet & 255, 0x21, int(on)])


def decode(address: str, data: bytes) -> Sequence[Told] | None:
    """What the tests need of BTHome; b"bad..." is a frame that may not be believed."""
    if data.startswith(b"bad"):
        return None
    sensor = "hall" if address == HALL else "door"
    return [(Switched(sensor, data[-1] == 1), data[2])]


class Helpers:
    """The privileged helpers, played by the test: ``used`` says what was asked for."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.power: Callable[[], object] = lambda: None
        self.daemon: Callable[[], Any] | None = None
        self.may_reboot = True

    def actions(self) -> Actions:
        return Actions(self._power, self._daemon, lambda: self.used.append("leave"), self._reboot)

    async def _power(self, adapter: str) -> None:
        self.used.append(f"power {adapter}")
        self.power()

    async def _daemon(self) -> None:
        self.used.append("daemon")
        if self.daemon is not None:
            await self.daemon()

    async def _reboot(self) -> bool:
        self.used.append("reboot")
        return self.may_reboot


class BleRig:
    """``async with BleRig(...) as rig``; leaving it cancels the source and ends bluetoothd."""

    def __init__(
        self,
        *,
        speed: float = 1.0,
        adapter: str | None = None,
        mode: Mode = Mode.ACTIVE,
        bluez: FakeBlueZ | None = None,
        actions: Actions | None = None,
        started: bool = True,
    ) -> None:
        self.clock = FastClock(speed)
        self.bluez = bluez or FakeBlueZ()
        self.source = BleSource(
            RADIOS, self.clock, decode, adapter=adapter, mode=mode, actions=actions
        )
        self.seen: list[What] = []
        self.counters: list[int | None] = []
        self._packet = 0
        self._started = started
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._started:
            await self.bluez.start()
        self.run()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end()
        await self.bluez.stop()

    def run(self) -> None:
        self.task = asyncio.create_task(self.source.run(self._offer))

    async def end(self) -> None:
        """Cancel the source and wait for its end."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def _offer(self, what: What, counter: int | None = None, /) -> None:
        self.seen.append(what)
        self.counters.append(counter)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def told(self) -> list[tuple[bool, str]]:
        """What was said about the radio, in order."""
        return [(w.alive, w.detail) for w in self.seen if isinstance(w, SourceChanged)]

    @property
    def moves(self) -> list[Switched]:
        return [w for w in self.seen if isinstance(w, Switched)]

    async def until(self, true: Callable[[], object], seconds: float = 10.0) -> float:
        """Wait for a condition; the test fails after ``seconds`` of real time. Returns how long."""
        begun = time.monotonic()
        while not true():
            assert self.task is None or not self.task.done(), self.task
            if time.monotonic() - begun > seconds:
                raise AssertionError(f"not within {seconds} s; told {self.told}")
            await asyncio.sleep(0.005)
        return time.monotonic() - begun

    async def scanning(self, seconds: float = 10.0) -> float:
        return await self.until(lambda: self.bluez.scans == 1, seconds)

    async def heard(self, seconds: float = 10.0) -> float:
        """Advertise motion until one of these frames comes out. Returns how long that took."""
        before = len(self.moves)

        def arrived() -> bool:
            self._packet += 1
            self.bluez.advertise(HALL, motion(self._packet))
            return len(self.moves) > before

        return await self.until(arrived, seconds)

    async def until_quiet(self) -> None:
        """Wait until nobody scans any more; the source has ended."""
        self.task = None
        await self.until(lambda: self.bluez.scans == 0)

    async def break_connection(self) -> None:
        """Cut the socket of the connection that scans, as a dying D-Bus daemon would."""
        (client,) = {client for client, _adapter in self.bluez.sessions}
        for thing in gc.get_objects():
            if isinstance(thing, MessageBus) and thing.connected and thing.unique_name == client:
                assert thing._sock is not None
                thing._sock.shutdown(socket.SHUT_RDWR)
                return
        raise AssertionError(client)

    async def settled(self) -> None:
        """Everything that bluetoothd sent so far has arrived: a word of its own comes last, over
        the connection that the frames take."""
        before = self.source.counters["ble-strangers"]
        self.bluez.advertise("5A:00:00:00:00:01", manufacturer=bytes([len(self.seen) & 255]))
        await self.until(lambda: self.source.counters["ble-strangers"] > before)


@contextmanager
def private_bus(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    """The system bus of this test."""
    with PrivateBus(folder) as bus:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


async def on_the_bus() -> tuple[int, int]:
    """Number of connections to the daemon and of match rules in it, without our own question."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    name = "org.freedesktop.DBus"
    try:
        stats = await bus.call(
            Message(
                destination=name,
                path="/org/freedesktop/DBus",
                interface=f"{name}.Debug.Stats",
                member="GetAllMatchRules",
            )
        )
        rules = {client: len(rules) for client, rules in stats.body[0].items()}
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's
    mine = bus.unique_name
    return len(rules) - (mine in rules), sum(n for client, n in rules.items() if client != mine)


def alive(*kinds: type) -> int:
    """How many objects of these types exist."""
    gc.collect()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())
