"""The air around the guest: a virtual Bluetooth controller on the far end of its serial line.

A program of its own, run on the host by a Python that has bumble (``vm/radio.txt``), so that neither
the emulated processor nor the tests' own work delays a frame. One JSON object a line in, one out:

``{"do":"play","frames":[[0.04,"A4:C1:38:00:00:01","40..."],...]}``
    sends BTHome service data, each at its second from now; answers when the last was sent
``{"do":"strangers","rate":20,"pool":50}``
    from now on so many frames a second of devices nobody enrolled; ``pool`` addresses take turns,
    0: each frame has an address of its own. ``rate`` 0 ends it
``{"do":"quiet"}``
    ends what is being played; answers what was sent so far

Of bumble 0.0.236 we use the controller and its link only. It knows no radio: every frame arrives, the
signal strength never changes, and more than some 50 frames a second choke the emulated serial line.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from bumble import hci, ll  # type: ignore[import-not-found]
from bumble.controller import Controller  # type: ignore[import-not-found]
from bumble.link import LocalLink  # type: ignore[import-not-found]
from bumble.transport import open_transport  # type: ignore[import-not-found]

OWN_ADDRESS = "E0:E1:E2:E3:E4:E5"
"""The controller's own; the gateway's settings name it."""


def part(kind: int, value: bytes) -> bytes:
    """One AD structure of an advertisement."""
    return bytes([len(value) + 1, kind]) + value


def bthome(data: bytes) -> bytes:
    """An advertisement as BTHome sensors send it: flags, and service data of 0xFCD2."""
    return part(0x01, b"\x06") + part(0x16, b"\xd2\xfc" + data)


class Air:
    """Sends frames at their time and counts them."""

    def __init__(self, link: Any, say: Callable[[dict[str, Any]], None]) -> None:
        self._link = link
        self._say = say
        self._strangers: asyncio.Task[None] | None = None
        self.sent = 0
        self.strangers_sent = 0

    def send(self, address: str, advertisement: bytes) -> None:
        # ll.AdvNonConnInd would be truer, but this version of the controller drops it.
        self._link.send_advertising_pdu(None, ll.AdvInd(hci.Address(address), advertisement))

    async def play(self, frames: list[tuple[float, str, str]]) -> None:
        started = time.monotonic()
        latest = 0.0
        for at, address, data in frames:
            wait = started + at - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            latest = max(latest, -wait)
            self.send(address, bthome(bytes.fromhex(data)))
            self.sent += 1
        spent = time.monotonic() - started
        self._say({"played": len(frames), "seconds": round(spent, 3), "late": round(latest, 3)})

    def strangers(self, rate: float, pool: int) -> None:
        if self._strangers is not None:
            self._strangers.cancel()
            self._strangers = None
        if rate > 0:
            self._strangers = asyncio.create_task(self._crowd(rate, pool))

    async def _crowd(self, rate: float, pool: int) -> None:
        """A house full of other people's things: beacons and BTHome sensors of neighbours."""
        chance = random.Random(7)
        due = time.monotonic()
        for number in itertools.count():
            which = number % pool if pool else number
            address = f"D0:00:{which >> 24 & 255:02X}:{which >> 16 & 255:02X}"
            address += f":{which >> 8 & 255:02X}:{which & 255:02X}"
            data = bytes([0x44, 0x00, number & 255, 0x21, chance.randrange(2)])
            self.send(address, bthome(data))
            self.strangers_sent += 1
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def obey(air: Air) -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    playing: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        wanted = json.loads(line)
        if wanted["do"] == "play":
            task = asyncio.create_task(air.play(wanted["frames"]))
            playing.add(task)
            task.add_done_callback(playing.discard)
        elif wanted["do"] == "strangers":
            air.strangers(wanted["rate"], wanted["pool"])
            tell({"strangers": wanted["rate"]})
        else:
            for task in playing:
                task.cancel()
            tell({"sent": air.sent, "strangers_sent": air.strangers_sent})


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


async def main() -> None:
    async with await open_transport(f"unix:{sys.argv[1]}") as line:
        link = LocalLink()
        Controller(
            "guest",
            host_source=line.source,
            host_sink=line.sink,
            link=link,
            public_address=OWN_ADDRESS,
        )
        tell({"up": OWN_ADDRESS})
        await obey(Air(link, tell))


asyncio.run(main())
