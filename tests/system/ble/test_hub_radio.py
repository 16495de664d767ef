"""A whole hub with a radio: bluetoothd on a private D-Bus, a real broker, the reference centre."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.bthome_frames import seal
from tests.support.fake_bluez import FakeBlueZ
from tests.support.hub_process import HubProcess, running_centre, town_with_broker
from tests.support.hub_radio import HALL, HELP, KEYS, MOTION, PACE, PLAIN, PRESS, SENSORS, Air, Rig
from tests.support.private_bus import PrivateBus
from tests.support.programs import ansim


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with town_with_broker(tmp_path_factory.mktemp("place")) as place:
        yield place


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
