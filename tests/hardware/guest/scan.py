"""Scans with bleak in the guest, as the gateway's source does, and says what arrived as JSON lines.

Usage: scan.py SECONDS   (frames of service 0xFCD2 only)
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def main() -> None:
    seconds = float(sys.argv[1])
    seen: dict[tuple[str, str], float] = {}
    callbacks = 0
    started = time.monotonic()

    def heard(device: BLEDevice, advertisement: AdvertisementData) -> None:
        nonlocal callbacks
        data = advertisement.service_data.get(UUID)
        if data is None:
            return
        callbacks += 1
        if not seen:
            tell(first=round(time.monotonic() - started, 3))
        seen.setdefault((device.address, data.hex()), time.monotonic() - started)

    async with asyncio.timeout(30):
        scanner = BleakScanner(
            heard, scanning_mode="active", bluez=BlueZScannerArgs(filters={"DuplicateData": True})
        )
        await scanner.start()
    tell(scanning=round(time.monotonic() - started, 3))
    await asyncio.sleep(seconds)
    async with asyncio.timeout(10):
        await scanner.stop()
    tell(callbacks=callbacks, frames=[[address, data] for address, data in seen])


asyncio.run(main())
