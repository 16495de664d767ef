"""Asks for the radio's helpers as the hub does.

Usage: helper.py available|power|restart|reboot [ADAPTER]    One JSON line: what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from gateway.runtime.helpers import HelperError, Helpers


async def ask(words: list[str]) -> Any:
    helpers = Helpers()
    match words:
        case ["available"]:
            return sorted(helper.name for helper in await helpers.available())
        case ["power", adapter]:
            return await helpers.power_cycle(adapter)
        case ["restart"]:
            return await helpers.restart_daemon()
        case _:
            return await helpers.reboot(lambda: True)


async def main() -> None:
    began = time.monotonic()
    try:
        told = {"answer": await ask(sys.argv[1:])}
    except HelperError as error:
        told = {"reason": error.reason, "sentence": str(error)}
    print(json.dumps({**told, "seconds": round(time.monotonic() - began, 2)}))


asyncio.run(main())
