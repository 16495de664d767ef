"""The gateway's source of wired sensors alone in the guest: says as JSON lines whatever it offers.

Usage: wires.py    The wires come as one JSON line on standard input, as ``Wire`` is written there.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import msgspec

from gateway.domain.enrolment import Wire
from gateway.domain.observation import What
from gateway.runtime.clocks import SystemClock
from gateway.sensing.gpio import GpioSource


def tell(**what: Any) -> None:
    print(json.dumps({"at": round(time.time(), 3), **what}), flush=True)


async def main() -> None:
    wires = msgspec.json.decode(sys.stdin.readline(), type=list[Wire])
    source = GpioSource(wires, SystemClock())
    running = asyncio.create_task(source.run(offer))
    tell(up=True)
    while not running.done():
        await asyncio.wait({running}, timeout=1.0)
        problems = {sensor: str(error) for sensor, error in source.problems.items()}
        tell(counters=source.counters, problems=problems)
    running.result()


def offer(what: What) -> None:
    tell(what=msgspec.to_builtins(what))


asyncio.run(main())
