"""Working off what the centre says, when something goes wrong about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.uplink.centres import Centres
from gateway.uplink.peer import Incoming
from gateway.uplink.uplink import DESK_SECONDS
from tests.support.journals import opened
from tests.support.lone_uplink import LoneUplink


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
