"""Waiting on the given clock, or until something stirs."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from gateway.domain.instant import Clock


async def pause(stir: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Wait ``seconds`` (infinity: for ever) of ``clock``, or until ``stir`` is set; clears it."""
    if seconds > 0 and not stir.is_set():
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stir.wait())]
        if seconds < math.inf:
            waits.append(asyncio.ensure_future(clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
    stir.clear()
