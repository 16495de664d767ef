"""The journal's own thread: nothing else can take it, and a write is finished."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest

from gateway.domain.alert import AlertType
from gateway.domain.errors import JournalError
from gateway.domain.observation import Pressed
from gateway.runtime.writing import Writer
from tests.support.crowd import crowded
from tests.support.hubs import RunningHub
from tests.support.uplink_rig import until


async def test_look_ups_of_names_that_hang_keep_no_press_from_the_disk(tmp_path: Path) -> None:
    async with RunningHub(tmp_path, beside=True) as home:
        with crowded():
            home.hub.offer(Pressed("button"))
            await until(lambda: bool(home.told), "the alert")
            assert home.told[0].type is AlertType.HELP_BUTTON


async def test_a_write_is_finished_although_whoever_asked_was_cancelled() -> None:
    writer, begun, free = Writer(), threading.Event(), threading.Event()
    done: list[int] = []

    def slow() -> None:
        begun.set()
        assert free.wait(10)
        done.append(1)

    asking = asyncio.create_task(writer.carefully(slow))
    await until(begun.is_set, "the write")
    asking.cancel()
    await asyncio.sleep(0)
    assert not asking.done()
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert done == [1]
    writer.close()


async def test_writes_come_one_after_the_other_in_their_order() -> None:
    writer = Writer()
    done: list[int] = []
    await asyncio.gather(*(writer.carefully(partial(done.append, n)) for n in range(50)))
    assert done == list(range(50))
    writer.close()


async def test_what_comes_after_the_end_is_refused_in_the_journals_words() -> None:
    writer = Writer()
    writer.close()
    with pytest.raises(JournalError):
        await writer.carefully(lambda: None)


async def test_without_a_thread_a_write_is_done_at_once() -> None:
    writer = Writer(beside=False)
    assert await writer.carefully(threading.get_ident) == threading.get_ident()
    writer.close()
