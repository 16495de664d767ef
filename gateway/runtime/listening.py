"""A source at work: when its sensors count as heard, and when as not (R15)."""

from __future__ import annotations

import asyncio

from gateway.domain.instant import Clock
from gateway.domain.observation import Offer, SourceChanged, What
from gateway.runtime.sources import Source

SETTLES = 60.0
"""Seconds that a source must run before it counts as hearing though it told nothing yet: a home may
be quiet. As long as the longest pause between two starts of one that fails."""


async def listen(source: Source, clock: Clock, offer: Offer) -> None:
    """Run one source until it ends; its end means that its sensors are not seen any more.

    It counts as hearing only once it told something or ran for a while: one that fails at every
    start would otherwise be deaf for ever, and never be told as blind. One that tells itself is
    believed: a radio may run for hours and hear nothing.
    """
    if source.tells_itself:
        await source.run(offer)
        deaf(source, offer, "ended")
        return
    said = False

    def hears() -> None:
        nonlocal said
        if not said:
            said = True
            for name in source.names:
                offer(SourceChanged(name, alive=True))

    def hand_over(what: What, counter: int | None = None, /) -> None:
        hears()
        offer(what, counter)

    async def settle() -> None:
        await clock.sleep(SETTLES)
        hears()

    settling = asyncio.create_task(settle())
    try:
        await source.run(hand_over)
    finally:
        settling.cancel()
    deaf(source, offer, "ended")


def deaf(source: Source, offer: Offer, reason: str) -> None:
    """Say that nothing is heard through this source, and why."""
    for name in source.names:
        offer(SourceChanged(name, alive=False, detail=reason))
