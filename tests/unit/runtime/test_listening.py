"""When a source counts as hearing."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.instant import Instant
from gateway.domain.observation import Heard, SourceChanged, What
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.listening import SETTLES, deaf, listen
from gateway.runtime.sources import Offer

ALIVE, DEAF = (
    SourceChanged("radio", alive=True),
    SourceChanged("radio", alive=False, detail="ended"),
)


class Scripted:
    """Tells what it was given, then fails, ends or goes on for ever."""

    names = ("radio",)

    def __init__(self, *told: What, then: str) -> None:
        self._told = told
        self._then = then

    async def run(self, offer: Offer) -> None:
        for what in self._told:
            offer(what)
        if self._then == "fails":
            raise OSError(self._then)
        if self._then == "runs":
            await asyncio.Event().wait()


def clock() -> VirtualClock:
    return VirtualClock(Instant("boot", 0.0, 1_772_377_200.0))


async def test_a_source_that_fails_at_its_start_never_counts_as_hearing() -> None:
    heard: list[What] = []
    with pytest.raises(OSError, match="fails"):
        await listen(Scripted(then="fails"), clock(), heard.append)
    assert heard == []


async def test_a_source_hears_from_its_first_word_on_and_is_deaf_when_it_ends() -> None:
    heard: list[What] = []
    await listen(Scripted(Heard("a"), Heard("b"), then="ends"), clock(), heard.append)
    assert heard == [ALIVE, Heard("a"), Heard("b"), DEAF]


async def test_a_quiet_source_counts_as_hearing_after_a_while() -> None:
    heard: list[What] = []
    time = clock()
    task = asyncio.create_task(listen(Scripted(then="runs"), time, heard.append))
    await time.advance(SETTLES - 1)
    assert heard == []
    await time.advance(2)
    assert heard == [ALIVE]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_deafness_names_its_reason() -> None:
    heard: list[What] = []
    deaf(Scripted(then="ends"), heard.append, "OSError")
    assert heard == [SourceChanged("radio", alive=False, detail="OSError")]
