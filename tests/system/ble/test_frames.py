"""Test whether a frame becomes an observation, and only a frame."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.observation import Heard, Switched
from tests.support.ble_rig import DOOR, HALL, BleRig, motion, private_bus
from tests.support.fake_bluez import ADDRESS, FakeBlueZ
from tests.support.fake_device import Adapter


@pytest.fixture(autouse=True)
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with private_bus(tmp_path, monkeypatch):
        yield


async def test_every_distinct_frame_of_an_enrolled_sensor_is_seen_once() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        for packet in range(200):
            rig.bluez.advertise(HALL, motion(packet))
            if packet % 50 == 49:  # an unpaced burst overruns the D-Bus daemon of a busy machine
                await asyncio.sleep(0.005)
        await rig.until(lambda: len(rig.moves) == 200)
        assert rig.moves[0] == Switched("hall", on=True)
        assert [c for c in rig.counters if c is not None] == list(range(200))
        assert rig.told == [(True, "")]


async def test_strength_alone_and_a_connection_alone_are_no_evidence() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        rig.bluez.advertise(HALL, motion(1))
        await rig.until(lambda: rig.moves)
        before = list(rig.seen)
        for strength in range(-90, -40):
            rig.bluez.rssi_only(HALL, strength)
        rig.bluez.connected(HALL, True)
        rig.bluez.connected(HALL, False)
        await rig.settled()
        assert rig.seen == before
        assert rig.source.counters["ble-cached"] == 52


async def test_what_bluez_knew_before_the_start_is_no_evidence() -> None:
    bluez = FakeBlueZ()
    async with BleRig(bluez=bluez) as rig:
        await rig.scanning()
        rig.bluez.advertise(HALL, motion(1))
        await rig.until(lambda: rig.moves)
        await rig.end()
        async with BleRig(bluez=bluez, started=False) as second:
            await second.scanning()
            bluez.rssi_only(HALL, -70)
            bluez.rssi_only(HALL, -71)
            await second.settled()
            assert second.moves == []
            bluez.advertise(HALL, motion(2))
            await second.until(lambda: second.moves)


async def test_a_repeated_frame_is_heard_but_is_no_event() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        for _ in range(20):
            rig.bluez.advertise(HALL, motion(7))
        await rig.settled()
        assert len(rig.moves) == 1
        assert not any(isinstance(what, Heard) for what in rig.seen)  # told by the event itself
        assert rig.source.counters["ble-repeats"] == 19


async def test_a_device_that_is_forgotten_and_seen_again_repeats_nothing() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        rig.bluez.advertise(HALL, motion(7))
        await rig.until(lambda: rig.moves)
        rig.bluez.forget(HALL)
        rig.bluez.advertise(HALL, motion(7))
        await rig.settled()
        assert len(rig.moves) == 1


async def test_the_first_press_after_the_start_is_not_taken_for_old() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        rig.bluez.advertise(DOOR, motion(9))
        await rig.until(lambda: rig.moves == [Switched("door", on=True)])


async def test_a_frame_that_may_not_be_believed_is_no_sign_of_life() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        rig.bluez.advertise(HALL, b"bad frame")
        await rig.settled()
        assert [what for what in rig.seen if not hasattr(what, "source")] == []
        assert rig.source.counters["ble-refused"] == 1


async def test_strangers_are_neither_remembered_nor_written_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with BleRig() as rig:
        await rig.scanning()
        for number in range(300):
            address = f"5C:00:00:00:{number >> 8:02X}:{number & 255:02X}"
            rig.bluez.advertise(address, motion(number), manufacturer=b"neighbour")
            if number % 50 == 49:
                await asyncio.sleep(0.005)
        rig.bluez.advertise(HALL, motion(1))
        await rig.until(lambda: rig.moves)
        assert rig.source.counters["ble-strangers"] == 300
        assert rig.source.remembered <= 3  # /org/bluez, the adapter, the enrolled sensor
        assert "5C:00" not in caplog.text
        assert "5C_00" not in caplog.text


async def test_strangers_known_to_bluez_before_the_start_are_not_remembered_either() -> None:
    bluez = FakeBlueZ()
    async with BleRig(bluez=bluez) as rig:
        await rig.scanning()
        for number in range(40):
            bluez.advertise(f"5C:00:00:00:00:{number:02X}", motion(1))
        await rig.end()
        async with BleRig(bluez=bluez, started=False) as second:
            await second.scanning()
            assert second.source.remembered <= 2


async def test_a_signal_of_another_program_is_not_believed() -> None:
    liar = FakeBlueZ()
    async with BleRig() as rig:
        await rig.scanning()
        await liar.start()  # it does not get the name, but it may send signals
        liar.sessions[":0.0", "hci0"] = {}
        liar.advertise(HALL, motion(1))
        await rig.until(lambda: rig.source.counters["ble-foreign"] > 0)
        assert rig.moves == []
        assert rig.told == []
        await liar.stop()


async def test_the_adapter_is_chosen_by_its_address_and_not_by_its_name() -> None:
    adapters = [Adapter("hci0", "00:00:00:00:00:01"), Adapter("hci1", ADDRESS)]
    async with BleRig(bluez=FakeBlueZ(adapters), adapter=ADDRESS) as rig:
        await rig.scanning()
        assert [name for _client, name in rig.bluez.sessions] == ["hci1"]
        rig.bluez.advertise(HALL, motion(3), adapter="hci1")
        await rig.until(lambda: rig.moves)


async def test_what_another_adapter_hears_does_not_prove_ours() -> None:
    adapters = [Adapter("hci0", "00:00:00:00:00:01"), Adapter("hci1", ADDRESS)]
    async with BleRig(bluez=FakeBlueZ(adapters), adapter=ADDRESS) as rig:
        await rig.scanning()
        rig.bluez.sessions["another program", "hci0"] = {}
        rig.bluez.advertise("5C:00:00:00:00:01", motion(1), adapter="hci0")
        await rig.until(lambda: rig.source.counters["ble-strangers"] == 1)
        assert rig.told == []


async def test_duplicates_are_asked_for_and_low_energy_only() -> None:
    async with BleRig() as rig:
        await rig.scanning()
        (options,) = rig.bluez.sessions.values()
        assert options == {"Transport": "le", "DuplicateData": True}
