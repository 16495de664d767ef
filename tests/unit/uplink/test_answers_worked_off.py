"""Working off what the centre says, when something goes wrong about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.uplink.centres import Centres
from gateway.uplink.peer import Incoming
from gateway.uplink.uplink import DESK_SECONDS
from tests.support.journals import opened
from tests.support.lone_uplink import LoneUplink, OpenSession


def message(number: int) -> Incoming:
    return Incoming("ansim/x", b"", retained=False, mid=number, qos=1)


async def test_an_answer_whose_session_was_ended_does_not_count_as_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(_message: Incoming, _centres: Centres) -> None:
        await asyncio.Event().wait()

    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        monkeypatch.setattr(lone.uplink._desk, "take", for_ever)
        working = asyncio.create_task(lone.uplink._take(message(1), lone.path))
        await lone.clock.advance(DESK_SECONDS + 1)
        assert lone.progress.hung(lone.clock.now().boottime) == ("answers",)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert lone.progress.hung(lone.clock.now().boottime) == ()


async def test_a_receiver_that_fails_is_counted_and_ends_its_session_to_be_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("a bug")

    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = OpenSession()
        monkeypatch.setattr(lone.sender, "apply", fails)
        session.inbox.put_nowait(message(1))
        await lone.path._receive(session.session)
        assert session.end_reason == "receiver"
        assert session.done_with == [], "the broker keeps the answer and says it again"
        assert lone.uplink.counters["receiver-failures"] == 1


async def test_a_receiver_that_is_told_to_end_counts_as_no_failure(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = OpenSession()
        receiving = asyncio.create_task(lone.path._receive(session.session))
        await lone.clock.settle()
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        assert session.alive
        assert not lone.uplink.counters["receiver-failures"]
