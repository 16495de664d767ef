"""When a carrier gets an alert."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from gateway.domain.instant import Instant
from gateway.runtime.clocks import VirtualClock
from gateway.uplink.backoff import LONGEST_WITH_ALERT
from gateway.uplink.carrier import AGAIN, Courier
from gateway.uplink.need import SecondNeed
from tests.support.journals import NOON, alert, alerting, opened
from tests.support.lone_uplink import LoneUplink, unreadable


class Always:
    def wanted(self, now: float) -> float:
        return now


class Sms:
    def __init__(self) -> None:
        self.carried: list[bytes] = []

    async def carry(self, alert: bytes, level: int) -> None:
        self.carried.append(alert)


async def test_a_read_that_fails_sends_no_sms_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, sms = VirtualClock(Instant("boot-1", 1000.0, NOON)), Sms()
    with opened(tmp_path) as journal:
        journal.commit([], alerting(alert()))
        courier = Courier(
            sms,
            need=cast("SecondNeed", Always()),
            waiting=lambda: journal.waiting("alert"),
            packed=lambda _: b"{}",
            clock=clock,
            counters=Counter(),
        )
        running = asyncio.create_task(courier.run())
        await clock.settle()
        assert len(sms.carried) == 1
        with unreadable(journal, monkeypatch):
            courier.stir.set()
            await clock.settle()
        courier.stir.set()
        await clock.advance(AGAIN - 1)
        assert len(sms.carried) == 1
        await clock.advance(1)
        assert len(sms.carried) == 2
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_way_beside_the_first_that_fails_is_started_again_and_counted_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    starts = 0

    async def fails() -> None:
        nonlocal starts
        starts += 1
        raise KeyError("a bug")

    async def for_ever() -> None:
        await asyncio.Event().wait()

    with opened(tmp_path) as journal:
        lone = LoneUplink(journal, carrier=lambda _: Sms())
        monkeypatch.setattr(lone.path, "run", for_ever)
        monkeypatch.setattr(lone.uplink._courier, "run", fails)
        running = asyncio.create_task(lone.uplink.run())
        await lone.clock.advance(LONGEST_WITH_ALERT)
        assert starts == 2
        assert lone.uplink.counters["restarts-carrier"] == 2
        assert caplog.messages == ["the way carrier failed and will be started again"] * 2
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
