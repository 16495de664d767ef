"""The gateway's Bluetooth source alone in the guest: says as JSON lines whatever it offers.

Usage: ears.py [helpers]    The enrolled sensors come as one JSON line on standard input: [[address,
id], ...]. Keys and counters are not its business; frames are believed as they are. It ends at SIGTERM.
With ``helpers`` its recovery ladder has systemd's, except for the reboot.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.domain.enrolment import Radio
from gateway.domain.observation import Switched, What
from gateway.domain.sensor import Kind, Sensor, Supervision
from gateway.runtime.clocks import SystemClock
from gateway.runtime.helpers import Helper, Helpers
from gateway.sensing.ble import BleSource

PAGE_KIB = resource.getpagesize() // 1024
PACKET, MOTION = 2, -1
"""Where the packet id and the state of motion stand in the frames that the tests send in plain."""


def tell(**what: Any) -> None:
    print(json.dumps({"at": round(time.monotonic(), 3), **what}), flush=True)


async def main() -> None:
    enrolled = dict(json.loads(sys.stdin.readline()))
    radios = [
        Radio(Sensor(name, Kind.MOTION, supervision=Supervision.BEACON, interval=60.0), address)
        for address, name in enrolled.items()
    ]

    def decode(address: str, data: bytes) -> Sequence[tuple[What, int | None]]:
        on = bool(data[MOTION])
        return [(Switched(enrolled[address], on=on, fresh=True), data[PACKET])]

    def offer(what: What, counter: int | None = None) -> None:
        tell(what=msgspec.to_builtins(what), counter=counter)

    helpers = Helpers()
    installed = await helpers.available() if "helpers" in sys.argv else frozenset()
    actions = helpers.actions(installed - {Helper.REBOOT}, may_reboot=lambda: False)
    source = BleSource(radios, SystemClock(), decode, actions=actions)
    running = asyncio.create_task(source.run(offer))
    tell(up=True)
    while not running.done():
        await asyncio.wait({running}, timeout=1.0)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KIB
        opened = len(list(Path("/proc/self/fd").iterdir()))
        tell(counters=source.counters, rss_kib=resident, files=opened)
    running.result()


asyncio.run(main())
