"""When a source counts as hearing."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.instant import Instant
from gateway.domain.observation import Heard, Offer, SourceChanged, What
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.listening import SETTLES, deaf, listen

ALIVE, DEAF = (
    SourceChanged("radio", alive=True),
    SourceChanged("radio", alive=False, detail="ended"),
)


class Scripted:
    """Tells what it was given, then fails, ends or goes on for ever."""

    names = ("radio",)

    def __init__(self, *told: What, then: str, tells_itself: bool = False) -> None:
        self._told = told
        self._then = then
        self.tells_itself = tells_itself

    async def run(self, offer: Offer) -> None:
        for what in self._told:
            offer(what)
        if self._then == "fails":
            raise OSError(self._then)
        if self._then == "runs":
            await asyncio.Event().wait()


class Ears(list[What]):
    """Takes what a source offers."""

    def offer(self, what: What, _counter: int | None = None, /) -> None:
        self.append(what)


def clock() -> VirtualClock:
    return VirtualClock(Instant("boot", 0.0, 1_772_377_200.0))


async def test_a_source_that_fails_at_its_start_never_counts_as_hearing() -> None:
    heard = Ears()
    with pytest.raises(OSError, match="fails"):
        await listen(Scripted(then="fails"), clock(), heard.offer)
    assert heard == []


async def test_a_source_hears_from_its_first_word_on_and_is_deaf_when_it_ends() -> None:
    heard = Ears()
    await listen(Scripted(Heard("a"), Heard("b"), then="ends"), clock(), heard.offer)
    assert heard == [ALIVE, Heard("a"), Heard("b"), DEAF]


async def test_a_quiet_source_counts_as_hearing_after_a_while() -> None:
    heard = Ears()
    time = clock()
    task = asyncio.create_task(listen(Scripted(then="runs"), time, heard.offer))
    await time.advance(SETTLES - 1)
    assert heard == []
    await time.advance(2)
    assert heard == [ALIVE]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_deafness_names_its_reason() -> None:
    heard = Ears()
    deaf(Scripted(then="ends"), heard.offer, "OSError")
    assert heard == [SourceChanged("radio", alive=False, detail="OSError")]


async def test_a_source_that_tells_itself_is_believed_however_long_it_runs() -> None:
    time = clock()
    told = Ears()
    source = Scripted(DEAF, then="runs", tells_itself=True)
    task = asyncio.create_task(listen(source, time, told.offer))
    await time.advance(10 * SETTLES)
    assert told == [DEAF]
    task.cancel()
