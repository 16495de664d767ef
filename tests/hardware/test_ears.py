"""Test whether the gateway's Bluetooth source hears on real BlueZ, and hears again after it went."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hardware.frames import Device, spread
from tests.hardware.machine import Job, Machine, wait_for

DEVICES = [f"A4:C1:38:00:02:{number:02X}" for number in range(10)]
UPTIME = "cut -d' ' -f1 /proc/uptime"

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
        machine.air.quiet()
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


LONG = pytest.mark.skipif(
    os.environ.get("ANSIM_VM_LONG") != "1", reason="takes minutes: set ANSIM_VM_LONG=1"
)


@pytest.mark.parametrize("gone", [0, 15, pytest.param(300, marks=LONG)])
def test_frames_flow_again_after_bluetoothd_went(
    machine: Machine, ears: Ears, figures: dict[str, object], gone: int
) -> None:
    """``gone``: seconds between its end and its new start."""
    machine.air.begin(spread(ears.devices, 25 * (45 + gone), 25.0))
    ears.until(lambda line: "what" in line, 20)
    began = machine.script(f"{UPTIME}; systemctl stop bluetooth")
    ended = float(began.out)
    ears.until(
        lambda line: line.get("what", {}).get("alive") is False and line["at"] >= ended, BACK
    )
    time.sleep(gone)  # the absence that is tested
    back = float(machine.script(f"{UPTIME}; systemctl start bluetooth").out)
    first = ears.until(
        lambda line: line["at"] > back and line.get("what", {}).get("type") == "switched", BACK * 2
    )
    figures[f"bluetoothd back after {gone} s, first frame after"] = f"{first['at'] - back:.1f} s"
    assert first["at"] - back < BACK


@LONG
def test_fifty_restarts_leave_nothing_behind(
    machine: Machine, ears: Ears, figures: dict[str, object]
) -> None:
    machine.air.begin(spread(ears.devices, 25 * 400, 25.0))
    ears.until(lambda line: "what" in line, 20)
    backs: list[float] = []
    before: dict[str, Any] = {}
    for number in range(50):
        # systemd refuses the sixth start of a unit within ten seconds, unless it is told to forget.
        times = machine.script(
            f"systemctl reset-failed bluetooth; {UPTIME}; systemctl restart bluetooth; {UPTIME}"
        )
        began, started = map(float, times.out.split())
        # What comes before the new bluetoothd is up came from the old one.
        first = ears.until(
            lambda line, started=started: (  # type: ignore[misc]  # bound at once, for the loop
                line["at"] > started and line.get("what", {}).get("type") == "switched"
            ),
            BACK * 2,
        )
        backs.append(first["at"] - began)
        if number == 4:  # by then everything that is made once has been made
            before = state(machine, ears)
    after = state(machine, ears)
    figures["50 restarts of bluetoothd"] = (
        f"back after {max(backs):.1f} s at most; memory {before['rss_kib']} -> {after['rss_kib']} KiB, "
        f"files {before['files']} -> {after['files']}, "
        f"D-Bus connections {before['connections']} -> {after['connections']}"
    )
    assert max(backs) < BACK
    assert after["connections"] == before["connections"], "a second scanner"
    assert after["files"] <= before["files"]
    assert after["rss_kib"] - before["rss_kib"] < 4096


def state(machine: Machine, ears: Ears) -> dict[str, Any]:
    """What the source's process holds: memory, files, connections to the bus."""
    told = len(ears.told)
    wait_for(lambda: any("rss_kib" in line for line in ears.told[told:]), "its state", 10)
    held = [line for line in ears.told if "rss_kib" in line][-1]
    clients = machine.script("busctl list --no-legend --unique | grep -c python3").out
    return {**held, "connections": int(clients)}
