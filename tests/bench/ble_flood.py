"""Strangers by the thousand: what they cost a whole hub in memory, and what they cost our sensors.

    python tests/bench/ble_flood.py --seconds 600 --rate 5000            # a fixed pool of strangers
    python tests/bench/ble_flood.py --seconds 600 --rate 0 --new 200     # new addresses

Real processes: dbus-daemon, mosquitto, the reference centre, ``ansim run`` (which is measured), and
a fake bluetoothd that signals strangers, ten keyed motion sensors and help buttons. Each event of
ours is looked for in the hub's journal, each press in the centre's store. Requirement T4, issue
figures: memory grows under 20 MB (40 MB with new addresses), ours lose under 1 %, press to the
centre under 2 s. Ends with 1 if one of them is not met.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.observation import Switched
from gateway.journal import Journal
from tests.support.broker import HUB, Broker, Town
from tests.support.bthome_frames import seal
from tests.support.fake_bluez import FakeBlueZ
from tests.support.hub_process import HubProcess, place_for, running_centre
from tests.support.private_bus import PrivateBus
from tests.support.programs import status, until

MOTIONS = 10
OURS_RATE = 25
"""Frames a second of our own sensors together: the figure of the hardware tier."""

PRESS_EVERY = 10.0
"""Seconds between two presses, each on another button: then each is an alert of its own."""

POOL = 500
"""Strangers in the fixed pool: a block of flats at rush hour."""

KEPT = 30.0
"""Seconds that BlueZ keeps a device it no longer hears (TemporaryTimeout)."""

TICK = 0.01
SENT = "sent.json"
"""What the fake bluetoothd sent, in the folder of the run."""

WARM_UP = 5
"""Frames of each sensor before the flood: the first is its start, the next wait for a commit."""


def address(number: int, *, button: bool = False) -> str:
    return f"A4:C1:38:00:{'0B' if button else '0A'}:{number:02X}"


def key(number: int, *, button: bool = False) -> bytes:
    return bytes([number, int(button)]) * 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=5000, help="frames a second of the pool")
    parser.add_argument("--new", type=int, default=0, help="new addresses a second")
    parser.add_argument("--bluetoothd", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bluetoothd:
        asyncio.run(flood(options))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return direct(options, Path(folder))


def direct(options: argparse.Namespace, folder: Path) -> int:
    """Start all of them, print what came of it."""
    buttons = int(options.seconds / PRESS_EVERY)
    with ExitStack() as stack:
        bus = stack.enter_context(PrivateBus(folder))
        town = Town(folder / "town")
        broker = stack.enter_context(Broker(town, folder / "broker"))
        place = place_for(town, broker, folder)
        stack.enter_context(running_centre(place, folder))
        hub = HubProcess(place, folder, sensors(buttons))
        speaks = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        words = [sys.executable, __file__, "--bluetoothd", "--seconds", str(options.seconds)]
        words += ["--rate", str(options.rate), "--new", str(options.new), "--folder", str(folder)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True}
        bluetoothd = stack.enter_context(
            subprocess.Popen(words, env={**os.environ, **speaks}, **pipes)
        )
        program = stack.enter_context(hub.run("--no-model", **speaks))
        until(lambda: (status(hub.data) or {}).get("connected"), "a hub with a session", 60)
        assert bluetoothd.stdout is not None
        assert "ready" in bluetoothd.stdout.readline()
        memory = [rss(program.process.pid)]
        used = processor(program.process.pid)
        while bluetoothd.poll() is None:
            memory.append(rss(program.process.pid))
            time.sleep(0.5)
        used = processor(program.process.pid) - used
        sent = json.loads((folder / SENT).read_text())
        until(lambda: not (status(hub.data) or {}).get("waiting_alerts", 1), "all received", 60)
        counters = hub.status()["counters"]
        program.end()
        late = delays(folder, sent["presses"])
        lost = len(set(map(tuple, sent["ours"])) - journalled(hub.data))
    memory.append(memory[-1])
    grown = max(memory) - memory[0]
    limit = 40.0 if options.new else 20.0
    share = 100.0 * lost / max(1, len(sent["ours"]))
    print(f"strangers sent      {sent['strangers']} ({sent['strangers'] / options.seconds:.0f}/s)")
    print(f"strangers received  {counters['ble-strangers']}; in bluetoothd {sent['devices']}")
    print(
        f"memory              {memory[0]:.1f} MB -> most {max(memory):.1f}, last {memory[-1]:.1f}"
    )
    print(f"growth              {grown:.1f} MB (limit {limit:.0f})")
    print(f"our events          {lost} of {len(sent['ours'])} lost, {share:.2f} % (limit 1)")
    print(
        f"press to centre     {len(late)} of {len(sent['presses'])}, p50 {late[len(late) // 2]:.3f} s,"
        f" p95 {late[int(len(late) * 0.95)]:.3f}, max {late[-1]:.3f} (limit 2)"
    )
    print(f"processor           {100 * used / options.seconds:.0f} % of one core")
    print(f"floods told         {counters['ble-floods']}")
    good = grown < limit and share < 1.0 and late[-1] < 2.0 and len(late) == len(sent["presses"])
    return 0 if good else 1


def sensors(buttons: int) -> str:
    """The home: motion sensors and one button for each press."""
    rows = [
        (f"m{n}", "motion", address(n), key(n), 'supervision = "beacon"\ninterval_s = 60')
        for n in range(MOTIONS)
    ]
    rows += [
        (
            f"b{n}",
            "help",
            address(n, button=True),
            key(n, button=True),
            'supervision = "event-only"',
        )
        for n in range(buttons)
    ]
    return "\n".join(
        f'[[sensors]]\nid = "{name}"\nkind = "{kind}"\naddress = "{where}"\n'
        f'key = "{secret.hex()}"\n{supervision}'
        for name, kind, where, secret, supervision in rows
    )


async def flood(options: argparse.Namespace) -> None:
    """Play bluetoothd: signal at the wanted rates, evenly, and count what was signalled."""
    bluez = FakeBlueZ()
    await bluez.start()
    while not bluez.scans:  # noqa: ASYNC110 - the fake has no event for it
        await asyncio.sleep(0.01)
    counters = [100] * MOTIONS

    def motion(number: int) -> tuple[str, int]:
        counters[number] += 1
        counter = counters[number]
        payload = bytes([0, counter & 255, 0x21, 1])
        bluez.advertise(
            address(number), seal(payload, counter, key=key(number), address=address(number))
        )
        return f"m{number}", counter

    for _ in range(WARM_UP):
        for number in range(MOTIONS):
            motion(number)
        await asyncio.sleep(0.3)
    print("ready", flush=True)
    await asyncio.sleep(2.0)
    begun = time.monotonic()
    strangers = pool = new = 0
    ours: list[tuple[str, int]] = []
    presses: dict[str, float] = {}
    recent: deque[tuple[float, str]] = deque()
    buttons = int(options.seconds / PRESS_EVERY)
    while (passed := time.monotonic() - begun) < options.seconds:
        while pool < options.rate * passed:
            pool += 1
            number = pool % POOL
            stranger = f"5C:00:00:00:{number >> 8:02X}:{number & 255:02X}"
            strangers += bluez.advertise(stranger, manufacturer=struct.pack("<I", pool) * 5)
            if pool % 50 == 0:
                await asyncio.sleep(0)
        while new < options.new * passed:
            new += 1
            stranger = "7A:" + ":".join(f"{byte:02X}" for byte in new.to_bytes(5, "big"))
            if bluez.advertise(stranger, manufacturer=struct.pack("<I", new) * 5):
                strangers += 1
                recent.append((passed, stranger))
        while recent and passed - recent[0][0] > KEPT:
            bluez.forget(recent.popleft()[1])
        while len(ours) < OURS_RATE * passed:
            ours.append(motion(len(ours) % MOTIONS))
        if len(presses) < buttons and passed > PRESS_EVERY * (len(presses) + 0.5):
            number = len(presses)
            where = address(number, button=True)
            frame = seal(bytes([0, 1, 0x3A, 1]), 1, key=key(number, button=True), address=where)
            presses[f"b{number}"] = time.time()
            bluez.advertise(where, frame)
        await asyncio.sleep(TICK)
    await asyncio.sleep(3.0)  # what is on its way arrives
    told = {"strangers": strangers, "ours": ours, "presses": presses, "devices": len(bluez.devices)}
    # Not through the pipe: nobody reads it while the flood lasts, and it holds 64 kB.
    Path(options.folder, SENT).write_text(json.dumps(told), encoding="ascii")
    await bluez.stop()


def delays(folder: Path, presses: dict[str, float]) -> list[float]:
    """Seconds from each press to its first version in the centre's store, sorted."""
    with closing(sqlite3.connect(folder / "centre" / "centre.sqlite3")) as store:
        rows = store.execute(
            "SELECT body, first_received FROM alerts WHERE type = 'help.button'"
        ).fetchall()
    found = {json.loads(body).get("subject"): received for body, received in rows}
    return sorted(found[name] - at for name, at in presses.items() if name in found)


def journalled(data: Path) -> set[tuple[str, int]]:
    """Sensor and counter of every motion in the hub's journal."""
    with Journal.open(data, HUB, clock_wall=time.time) as journal:
        return {
            (one.what.sensor, one.counter)
            for one in journal.observations(0)
            if isinstance(one.what, Switched) and one.what.on and one.counter is not None
        }


def rss(process: int) -> float:
    """Resident megabytes of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def processor(process: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main())
