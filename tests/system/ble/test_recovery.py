"""Test whether the radio comes back, whatever happens to bluetoothd, the adapter or D-Bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from bleak import BleakScanner
from dbus_fast.aio.message_bus import MessageBus

from gateway.sensing.ladder import Trouble
from gateway.sensing.sieve import Sieve
from tests.support.ble_rig import HALL, BleRig, Helpers, alive, motion, on_the_bus, private_bus
from tests.support.fake_bluez import ADDRESS, FakeBlueZ
from tests.support.fake_device import Adapter


@pytest.fixture(autouse=True)
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with private_bus(tmp_path, monkeypatch):
        yield


async def test_frames_flow_again_within_ten_seconds_of_a_restart_of_bluetoothd() -> None:
    async with BleRig() as rig:
        await rig.heard()
        await rig.bluez.restart()
        assert await rig.heard() < 10.0
        assert rig.told[:2] == [(True, ""), (False, "bluetoothd-gone")]
        assert rig.source.counters["ble-bluetoothd-changes"] == 2


async def test_a_bluetoothd_that_is_gone_for_five_minutes_is_told_and_used_again_at_once() -> None:
    helpers = Helpers()
    async with BleRig(speed=100.0, actions=helpers.actions()) as rig:
        await rig.heard()
        await rig.bluez.stop()
        gone = rig.clock.now().boottime
        await rig.until(lambda: (False, "bluetoothd-gone") in rig.told)
        assert rig.clock.now().boottime - gone < 60.0
        await rig.until(lambda: rig.clock.now().boottime - gone > 300.0)
        assert helpers.used == ["daemon"]  # once: it is asked for at most each quarter of an hour
        await rig.bluez.start()
        assert await rig.heard() < 10.0
        await rig.until(lambda: rig.told[-1] == (True, ""))


async def test_fifty_restarts_leave_nothing_behind_and_never_a_second_scanner() -> None:
    async with BleRig(speed=20.0) as rig:
        await rig.heard()
        await rig.bluez.restart()
        await rig.heard()
        before = await on_the_bus()
        tasks, objects = len(asyncio.all_tasks()), alive(MessageBus, BleakScanner, Sieve)
        files = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(50):
            await rig.bluez.restart()
            assert await rig.heard() < 10.0
            assert rig.bluez.scans == 1
        assert rig.bluez.peak_sessions == 1
        assert await on_the_bus() == before
        assert len(asyncio.all_tasks()) <= tasks
        assert alive(MessageBus, BleakScanner, Sieve) <= objects
        assert len(list(Path("/proc/self/fd").iterdir())) <= files
        assert len(rig.told) < 120  # and the journal is not filled with it


async def test_a_scan_that_is_in_progress_for_ever_is_tried_again_and_then_power_cycled() -> None:
    helpers = Helpers()
    bluez = FakeBlueZ()
    bluez.errors["StartDiscovery"] = "org.bluez.Error.InProgress"
    helpers.power = bluez.errors.clear
    async with BleRig(speed=50.0, bluez=bluez, actions=helpers.actions()) as rig:
        await rig.heard()
        assert helpers.used == ["power hci0"]
        assert (False, "scan-refused") in rig.told
        assert rig.source.counters["ble-power"] == 1
        assert bluez.calls.count("StartDiscovery") == 9  # four, four from scratch, and the last
        assert rig.bluez.scans == 1


async def test_a_call_that_never_returns_is_given_up_and_leaves_no_scan_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.sensing.scanner.START_TIMEOUT", 0.2)
    bluez = FakeBlueZ()
    bluez.hang.add("StartDiscovery")
    async with BleRig(speed=20.0, bluez=bluez) as rig:
        await rig.until(lambda: rig.source.trouble is Trouble.HUNG)
        bluez.hang.clear()
        await rig.heard()
        assert rig.bluez.scans == 1
        assert rig.bluez.peak_sessions == 1


async def test_a_hanging_answer_about_what_bluez_knows_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.sensing.scanner.CONNECT_TIMEOUT", 0.2)
    bluez = FakeBlueZ()
    bluez.hang.add("GetManagedObjects")
    async with BleRig(speed=20.0, bluez=bluez) as rig:
        await rig.until(lambda: rig.source.trouble is Trouble.HUNG)
        bluez.hang.clear()
        await rig.heard()
        assert rig.bluez.peak_sessions == 1


async def test_an_adapter_that_is_unplugged_is_told_and_used_again_under_another_name() -> None:
    bluez = FakeBlueZ([Adapter("hci0", ADDRESS), Adapter("hci1", "00:00:00:00:00:01")])
    async with BleRig(bluez=bluez, adapter=ADDRESS) as rig:
        await rig.heard()
        bluez.unplug("hci0")
        await rig.until(lambda: rig.told[-1] == (False, "adapter-gone"))
        bluez.plug(Adapter("hci2", ADDRESS))
        assert await rig.until(lambda: rig.bluez.scans == 1) < 10.0
        assert [name for _client, name in bluez.sessions] == ["hci2"]
        bluez.advertise(HALL, motion(77), adapter="hci2")
        await rig.until(lambda: len(rig.moves) == 2)


async def test_an_adapter_that_is_switched_off_is_told_and_used_once_it_is_on() -> None:
    async with BleRig() as rig:
        await rig.heard()
        rig.bluez.power(False)
        await rig.until(lambda: rig.told[-1] == (False, "powered-off"))
        rig.bluez.power(True)
        assert await rig.heard() < 10.0


async def test_an_adapter_that_comes_later_than_its_bluetoothd_is_used() -> None:
    bluez = FakeBlueZ([])
    async with BleRig(bluez=bluez) as rig:
        await rig.until(lambda: rig.source.trouble is Trouble.NO_ADAPTER)
        bluez.plug(Adapter("hci0", ADDRESS, powered=False))
        await rig.until(lambda: rig.source.trouble is Trouble.POWERED_OFF)
        bluez.power(True)
        assert await rig.heard() < 10.0


async def test_no_bluetoothd_at_the_start_is_waited_for() -> None:
    async with BleRig(started=False) as rig:
        await rig.until(lambda: rig.told == [(False, "bluetoothd-gone")])
        await rig.bluez.start()
        assert await rig.heard() < 10.0


async def test_a_radio_that_falls_silent_is_told_and_the_scanner_is_restarted() -> None:
    async with BleRig(speed=100.0) as rig:
        await rig.heard()
        starts = rig.bluez.calls.count("StartDiscovery")
        silent_from = rig.clock.now().boottime
        await rig.until(lambda: (False, "silent:restart") in rig.told)
        assert rig.clock.now().boottime - silent_from < 600.0
        await rig.until(lambda: rig.bluez.calls.count("StartDiscovery") > starts)
        assert rig.bluez.calls.count("StopDiscovery") == 1
        await rig.heard()
        await rig.until(lambda: rig.told[-1] == (True, ""))
        assert rig.bluez.peak_sessions == 1


async def test_strength_alone_does_not_prove_that_the_radio_hears() -> None:
    async with BleRig(speed=200.0) as rig:
        await rig.heard()

        def silent() -> bool:
            rig.bluez.rssi_only(HALL, -60)
            return rig.source.trouble is Trouble.SILENT

        await rig.until(silent)


async def test_a_cancelled_source_leaves_no_scan_and_may_be_started_again() -> None:
    async with BleRig() as rig:
        for _ in range(3):
            await rig.heard()
            await rig.end()
            await rig.until_quiet()
            rig.run()
        await rig.heard()
        assert rig.bluez.peak_sessions == 1


@pytest.mark.parametrize("member", ["GetManagedObjects", "SetDiscoveryFilter", "StartDiscovery"])
async def test_cancelling_in_the_middle_of_a_start_leaves_no_scan(member: str) -> None:
    bluez = FakeBlueZ()
    bluez.hang.add(member)
    async with BleRig(bluez=bluez) as rig:
        await rig.until(lambda: member in bluez.calls)
        await rig.end()
        await rig.until_quiet()
        assert await on_the_bus() == (1, 1)  # the fake bluetoothd itself


async def test_a_broken_connection_to_the_bus_is_made_anew() -> None:
    async with BleRig() as rig:
        await rig.heard()
        await rig.break_connection()
        await rig.until(lambda: rig.told[-1] == (False, "bus-lost"))
        assert await rig.heard() < 10.0
        assert rig.bluez.scans == 1
