"""Strangers by the thousand: what they cost in memory, and what they cost our own sensors.

    python tests/bench/ble_flood.py --seconds 60 --rate 5000            # a fixed pool of strangers
    python tests/bench/ble_flood.py --seconds 60 --rate 0 --new 200     # new addresses

Three processes: a private dbus-daemon, a fake bluetoothd that signals strangers and one enrolled
sensor (each with a number and the moment of sending), and the Bluetooth source, which is measured.
Requirements T4: growth under 20 MB and 40 MB, loss under 1 %, press to publish under 2 s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.observation import Pressed, What
from gateway.domain.sensor import Kind, Sensor
from gateway.runtime.clocks import SystemClock
from gateway.sensing.adverts import Told
from gateway.sensing.ble import BleSource
from gateway.sensing.enrolment import Radio
from tests.support.fake_bluez import FakeBlueZ
from tests.support.private_bus import PrivateBus

OURS = "A4:C1:38:00:00:01"
OURS_RATE = 25
"""Frames a second of our own sensors: the figure of the hardware tier."""

POOL = 500
"""Strangers in the fixed pool: a block of flats at rush hour."""

KEPT = 30.0
"""Seconds that BlueZ keeps a device it no longer hears (TemporaryTimeout)."""

TICK = 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=5000, help="frames a second of the pool")
    parser.add_argument("--new", type=int, default=0, help="new addresses a second")
    parser.add_argument("--role", choices=["bluetoothd", "source"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "bluetoothd":
        asyncio.run(flood(options))
        return 0
    if options.role == "source":
        asyncio.run(listen(options))
        return 0
    return direct(options)


def direct(options: argparse.Namespace) -> int:
    """Start all three, print what came of it. Returns 1 if a figure of T4 is not met."""
    common = [sys.executable, __file__, "--seconds", str(options.seconds)]
    common += ["--rate", str(options.rate), "--new", str(options.new), "--role"]
    with tempfile.TemporaryDirectory() as folder, PrivateBus(Path(folder)) as bus:
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "env": environment}
        with (
            subprocess.Popen([*common, "source"], **pipes) as source,
            subprocess.Popen([*common, "bluetoothd"], **pipes) as bluetoothd,
        ):
            sent = json.loads(bluetoothd.communicate()[0])
            got = json.loads(source.communicate()[0])
    lost = 100.0 * (sent["ours"] - got["ours"]) / max(1, sent["ours"])
    limit = 40.0 if options.new else 20.0
    print(f"strangers sent      {sent['strangers']} ({sent['strangers'] / sent['seconds']:.0f}/s)")
    print(f"strangers received  {got['strangers']}; devices in bluetoothd {sent['devices']}")
    print(
        f"memory              {got['before']:.1f} -> {got['after']:.1f} MB, most {got['most']:.1f}"
    )
    print(f"growth              {got['after'] - got['before']:.1f} MB (limit {limit:.0f})")
    print(f"our sensor          {got['ours']} of {sent['ours']}, {lost:.2f} % lost (limit 1)")
    print(f"sent to offered     p50 {got['p50']:.3f} s, p95 {got['p95']:.3f}, max {got['max']:.3f}")
    print(f"processor           {got['cpu']:.0f} % of one core; D-Bus objects {got['objects']}")
    print(f"told                {got['told']}")
    good = got["most"] - got["before"] < limit and lost < 1.0 and got["p95"] < 2.0
    return 0 if good else 1


async def flood(options: argparse.Namespace) -> None:
    """Play bluetoothd: signal at the wanted rates, evenly, and count what was signalled."""
    bluez = FakeBlueZ()
    await bluez.start()
    while not bluez.scans:  # noqa: ASYNC110 - the fake has no event for it
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.0)  # let the source measure itself at rest
    begun = time.monotonic()
    strangers = ours = pool = new = 0
    recent: deque[tuple[float, str]] = deque()
    while (passed := time.monotonic() - begun) < options.seconds:
        while pool < options.rate * passed:
            pool += 1
            number = pool % POOL
            address = f"5C:00:00:00:{number >> 8:02X}:{number & 255:02X}"
            strangers += bluez.advertise(address, manufacturer=struct.pack("<I", pool) * 5)
            if pool % 50 == 0:
                await asyncio.sleep(0)
        while new < options.new * passed:
            new += 1
            address = "7A:" + ":".join(f"{byte:02X}" for byte in new.to_bytes(5, "big"))
            if bluez.advertise(address, manufacturer=struct.pack("<I", new) * 5):
                strangers += 1
                recent.append((passed, address))
        while recent and passed - recent[0][0] > KEPT:
            bluez.forget(recent.popleft()[1])
        while ours < OURS_RATE * passed:
            ours += 1
            bluez.advertise(OURS, b"\x44" + struct.pack("<Id", ours, time.monotonic()))
        await asyncio.sleep(TICK)
    seconds = time.monotonic() - begun
    devices = len(bluez.devices)
    await asyncio.sleep(3.0)  # what is on its way arrives
    sent = {"strangers": strangers, "ours": ours, "devices": devices, "seconds": seconds}
    print(json.dumps(sent))
    await bluez.stop()


async def listen(options: argparse.Namespace) -> None:
    """Run the source, count and time what it offers."""
    late: list[float] = []
    told: list[str] = []

    def decode(_address: str, data: bytes) -> Sequence[Told]:
        number, sent = struct.unpack("<Id", data[1:])
        late.append(time.monotonic() - sent)
        return [(Pressed("ours"), number)]

    seen: set[int] = set()

    def offer(what: What, counter: int | None = None, /) -> None:
        if isinstance(what, Pressed) and counter is not None:
            seen.add(counter)
        else:
            told.append(str(what))

    radios = [Radio(Sensor("ours", Kind.HELP, source="ble"), OURS)]
    source = BleSource(radios, SystemClock(), decode)
    task = asyncio.create_task(source.run(offer))
    while source.mode is None:  # noqa: ASYNC110 - nor has the source
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.8)
    before = most = rss()
    used = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.monotonic()
    while time.monotonic() - begun < options.seconds + 2.0:
        await asyncio.sleep(0.5)
        most = max(most, rss())
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    late.sort()
    result = {
        "ours": len(seen),
        "strangers": source.counters["ble-strangers"],
        "before": before,
        "after": rss(),
        "most": most,
        "p50": late[len(late) // 2],
        "p95": late[int(len(late) * 0.95)],
        "max": late[-1],
        "cpu": 100.0 * cpu / options.seconds,
        "objects": source.remembered,
        "told": told,
    }
    print(json.dumps(result))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def rss() -> float:
    """Resident megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
