"""A whole hub with a radio: bluetoothd on a private D-Bus, a real broker, the reference centre."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.bthome_frames import seal
from tests.support.fake_bluez import FakeBlueZ
from tests.support.hub_process import HubProcess, running_centre, town_with_broker
from tests.support.private_bus import PrivateBus
from tests.support.programs import Program, ansim, status

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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with town_with_broker(tmp_path_factory.mktemp("place")) as place:
        yield place


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


@pytest.fixture
async def rig(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    with PrivateBus(tmp_path) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        bluez = FakeBlueZ()
        await bluez.start()
        try:
            yield Rig(HubProcess(place, tmp_path, SENSORS), bus, Air(bluez))
        finally:
            await bluez.stop()


async def test_a_press_on_a_radio_button_is_received_by_the_centre(
    rig: Rig, place: Path, tmp_path: Path
) -> None:
    def received() -> bool:
        with closing(sqlite3.connect(tmp_path / "centre" / "centre.sqlite3")) as store:
            query = "SELECT count(*) FROM alerts WHERE type = 'help.button'"
            return bool(store.execute(query).fetchone()[0])

    with running_centre(place, tmp_path):
        async with rig.running():
            await rig.until(lambda: rig.hub.status()["connected"], "a session")
            await rig.living()
            rig.air.send(HELP, PRESS)  # never heard before: it calls all the same
            assert await rig.until(received, "the call at the centre") < 2.0
            assert rig.hub.status()["watching"]


async def test_forged_and_replayed_frames_are_no_life_in_any_run(rig: Rig) -> None:
    async with rig.running() as program:
        await rig.living()
        await rig.until(lambda: rig.hub.status()["observations"] > 3, "a commit")
        before = await asyncio.to_thread(rig.last_activity)
        forged = bytes(16)
        for number in range(200):
            counter = rig.air.counter[HALL] + 1 + number
            rig.air.bluez.advertise(HALL, seal(MOTION, counter, key=forged, address=HALL))
            rig.air.bluez.advertise(HALL, b"\x44\x00" + bytes([number]) + MOTION)
            rig.air.bluez.advertise(PLAIN, b"\x44\x00" + bytes([number]) + MOTION)
            await asyncio.sleep(PACE)
        await rig.told_through()
        assert await asyncio.to_thread(rig.last_activity) == before
        program.kill()
    heard = list(rig.air.sent)
    async with rig.running():
        for address, frame in heard * 3:
            rig.air.bluez.advertise(address, frame)
            await asyncio.sleep(PACE)
        await rig.told_through()
        assert await asyncio.to_thread(rig.last_activity) == before


async def test_a_changed_battery_is_told_and_rearmed_by_the_command(rig: Rig) -> None:
    async with rig.running():
        await rig.living()
        before = await asyncio.to_thread(rig.last_activity)
        for counter in (1, 2, 3):
            rig.air.send(HALL, MOTION, counter)
        await rig.until(lambda: ("tech.sensor_suspect", "hall") in rig.alerts(), "the alert")
        assert rig.hub.status()["sensor_problems"] == {"hall": "set-aside"}
        done = await asyncio.to_thread(ansim, "status", "--settings", rig.hub.settings)
        assert b"ansim sensor rearm hall" in done.stdout
        await asyncio.sleep(1.1)  # last_activity_at is told by the second
        words = ("sensor", "rearm", "hall", "--settings", rig.hub.settings)
        done = await asyncio.to_thread(ansim, *words)
        assert done.returncode == 0, done.stderr
        for counter in range(4, 8):
            rig.air.send(HALL, MOTION, counter)
        await rig.until(lambda: rig.last_activity() != before, "activity")
        await rig.until(lambda: ("tech.sensor_suspect", "hall") not in rig.alerts(), "the end")


async def test_the_command_says_what_is_wrong_with_its_words(rig: Rig) -> None:
    async with rig.running():
        for sensor, word in (("nowhere", "no Bluetooth sensor"), ("plain", "has no key")):
            words = ("sensor", "rearm", sensor, "--settings", rig.hub.settings)
            done = await asyncio.to_thread(ansim, *words)
            assert done.returncode == 1
            assert word in done.stderr.decode()
            assert done.stderr.decode().count("\n") == 1


async def test_the_hub_hears_again_soon_after_bluetoothd_came_back(rig: Rig) -> None:
    async with rig.running():
        await rig.living()
        await rig.air.bluez.stop()
        await rig.until(lambda: rig.hub.status()["radio"] == "bluetoothd-gone", "deaf")
        assert rig.hub.status()["faults"] == {"radio": "bluetoothd-gone"}
        await rig.air.bluez.start()

        def hears() -> bool:
            return bool(rig.hub.status()["radio"] == "hears")

        begun = time.monotonic()
        while not await asyncio.to_thread(hears):
            rig.air.send(HALL, MOTION)
            assert time.monotonic() - begun < 10.0
            await asyncio.sleep(0.1)
        assert rig.counter("ble-start") >= 2


async def test_nothing_of_an_address_or_a_key_is_in_the_log_or_the_journal(rig: Rig) -> None:
    async with rig.running() as program:
        await rig.living()
        rig.air.bluez.advertise(HALL, b"\x45" + bytes(20))
        await rig.told_through()
    secrets = [key.hex() for key in KEYS.values()] + [a.lower() for a in (HALL, HELP, PLAIN)]
    secrets += [secret.replace(":", "_") for secret in secrets]
    texts = [program.said.encode()]
    texts += [f.read_bytes() for f in rig.hub.data.iterdir() if f.name.startswith("journal")]
    assert len(texts) > 1
    for text in texts:
        assert not [secret for secret in secrets if secret.encode() in text.lower()]
