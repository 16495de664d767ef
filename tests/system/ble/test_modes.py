"""Test whether passive scanning and floods are handled and told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.sensing.modes import Mode
from tests.support.ble_rig import HALL, BleRig, motion, private_bus
from tests.support.fake_bluez import FakeBlueZ


@pytest.fixture(autouse=True)
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with private_bus(tmp_path, monkeypatch):
        yield


async def test_passive_scanning_hears_sensors_and_lets_bluez_drop_the_rest() -> None:
    async with BleRig(mode=Mode.PASSIVE) as rig:
        await rig.until(lambda: len(rig.bluez.monitors) == 1)
        assert rig.bluez.sessions == {}
        for number in range(50):
            assert not rig.bluez.advertise("5C:00:00:00:00:01", manufacturer=bytes([number]))
        rig.bluez.advertise(HALL, motion(1))
        await rig.until(lambda: rig.moves)
        assert rig.source.counters["ble-strangers"] == 0
        assert rig.source.mode is Mode.PASSIVE


@pytest.mark.parametrize("data", [b"\x40\x00\x01", b"\x44\x00\x01", b"\x41" + bytes(11), b"\x45k"])
async def test_every_kind_of_bthome_frame_passes_the_patterns(data: bytes) -> None:
    async with BleRig(mode=Mode.PASSIVE) as rig:
        await rig.until(lambda: len(rig.bluez.monitors) == 1)
        assert rig.bluez.advertise(HALL, data)


async def test_a_bluez_that_refuses_passive_scanning_is_used_actively_and_that_is_counted() -> None:
    async with BleRig(mode=Mode.PASSIVE, bluez=FakeBlueZ(passive=False)) as rig:
        await rig.heard()
        assert rig.source.mode is Mode.ACTIVE
        assert rig.source.counters["ble-passive-refused"] == 1
        assert rig.source.trouble is None


async def test_a_beacon_that_passive_scanning_loses_brings_active_scanning_back() -> None:
    async with BleRig(mode=Mode.PASSIVE, speed=100.0) as rig:
        await rig.until(lambda: len(rig.bluez.monitors) == 1)
        number = 0

        def active() -> bool:
            nonlocal number
            number += 1  # somebody else's sensor keeps the radio alive
            rig.bluez.advertise("5C:00:00:00:00:01", motion(number))
            return len(rig.bluez.sessions) == 1

        await rig.until(active)
        assert rig.source.counters["ble-passive-unproven"] == 1
        assert rig.bluez.monitors == {}
        await rig.heard()


async def test_a_flood_is_told_filtered_and_over_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with BleRig(speed=100.0) as rig:
        await rig.heard()
        monkeypatch.setattr("gateway.sensing.modes.LAG_FLOOD", -1.0)  # every answer is too late
        number = 0

        async def flood() -> None:
            nonlocal number
            while True:
                number += 1
                rig.bluez.advertise("5C:00:00:00:00:01", manufacturer=bytes([number & 255]))
                rig.bluez.advertise(HALL, motion(number))
                await asyncio.sleep(0.01)

        flooding = asyncio.create_task(flood())
        await rig.until(lambda: rig.bluez.monitors)
        monkeypatch.setattr("gateway.sensing.modes.LAG_FLOOD", 0.5)
        await rig.until(lambda: (True, "flood") in rig.told)
        assert rig.source.counters["ble-floods"] == 1
        filtered = rig.source.counters["ble-strangers"]
        before = len(rig.moves)
        await rig.until(lambda: len(rig.moves) > before)  # our own sensors are still heard
        assert rig.source.counters["ble-strangers"] == filtered
        await rig.until(lambda: rig.bluez.sessions)
        await rig.until(lambda: rig.told[-1] == (True, ""))
        flooding.cancel()
        assert rig.bluez.scans == 1


async def test_a_flood_that_cannot_be_filtered_is_told_and_lived_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.sensing.modes.LAG_FLOOD", -1.0)
    async with BleRig(speed=100.0, bluez=FakeBlueZ(passive=False)) as rig:
        await rig.heard()

        def told() -> bool:
            rig.bluez.advertise(HALL, motion(len(rig.moves)))
            return (True, "flood") in rig.told

        await rig.until(told)
        # on a busy machine a hundredth of a second is a second here: the scanner may be starting anew
        await rig.until(lambda: rig.source.mode is Mode.ACTIVE)
        await rig.heard()
