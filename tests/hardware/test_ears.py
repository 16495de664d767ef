"""Test whether the gateway's Bluetooth source hears on real BlueZ, and hears again after it went."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hardware.frames import Device, spread
from tests.hardware.machine import Job, Machine, wait_for

DEVICES = [f"A4:C1:38:00:02:{number:02X}" for number in range(10)]
BACK = 10.0
"""Seconds after which frames must flow again (issue 3, "Must show")."""


class Ears:
    """The source as a process in the guest."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.devices = [Device(address) for address in DEVICES]
        enrolled = [[address, f"s{number}"] for number, address in enumerate(DEVICES)]
        self.job: Job = machine.begin(
            *machine.python("ears.py"), stdin=json.dumps(enrolled) + "\n", seconds=600
        )
        self.job.until('"up"')

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.job.out.splitlines() if line.endswith("}")]

    @property
    def offered(self) -> list[dict[str, Any]]:
        return [line for line in self.told if "what" in line]

    def events(self) -> set[tuple[str, int, bool]]:
        """Sensor, packet id and state of every event that was offered."""
        return {
            (line["what"]["sensor"], line["counter"], line["what"]["on"])
            for line in self.offered
            if line["what"]["type"] == "switched" and line["counter"] is not None
        }

    def until(self, condition: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """Wait for something that it says."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [line for line in self.told if condition(line)]
            return bool(found)

        wait_for(there, "the source says so", seconds)
        return found[0]


@pytest.fixture
def ears(machine: Machine) -> Iterator[Ears]:
    ears = Ears(machine)
    try:
        yield ears
    finally:
        ears.job.stop()
        machine.script("systemctl start bluetooth")


def test_each_event_is_offered_at_25_frames_a_second(
    machine: Machine, ears: Ears, figures: dict[str, object]
) -> None:
    machine.air.play(spread(ears.devices, 10, 10.0))
    ears.until(lambda line: "what" in line, 20)
    before = len(ears.events())
    frames = spread(ears.devices, 160, 25.0, times=3)
    wanted = {
        (f"s{DEVICES.index(address)}", int(data[4:6], 16), data.endswith("01"))
        for _, address, data in frames
    }
    machine.air.strangers(15.0)
    machine.air.play(frames)
    machine.air.strangers(0.0)
    wait_for(lambda: wanted <= ears.events(), f"{len(wanted)} events", 3)
    figures["gateway's source, 25 frames/s + 15/s of strangers"] = (
        f"{len(wanted & ears.events())} of {len(wanted)} events, {before} before"
    )


@pytest.mark.parametrize("gone", [0, 15])
def test_frames_flow_again_after_bluetoothd_went(
    machine: Machine, ears: Ears, figures: dict[str, object], gone: int
) -> None:
    """``gone``: seconds between its end and its new start."""
    machine.air.begin(spread(ears.devices, 25 * (35 + gone), 25.0))
    ears.until(lambda line: "what" in line, 20)
    began = machine.script("cut -d' ' -f1 /proc/uptime; systemctl stop bluetooth")
    ended = float(began.out)
    ears.until(
        lambda line: line.get("what", {}).get("alive") is False and line["at"] >= ended, BACK
    )
    time.sleep(gone)  # the absence that is tested
    back = float(machine.script("cut -d' ' -f1 /proc/uptime; systemctl start bluetooth").out)
    first = ears.until(
        lambda line: line["at"] > back and line.get("what", {}).get("type") == "switched", BACK * 2
    )
    machine.air.played()
    figures[f"bluetoothd back after {gone} s, first frame after"] = f"{first['at'] - back:.1f} s"
    assert first["at"] - back < BACK
