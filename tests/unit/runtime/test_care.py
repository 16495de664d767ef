"""Settings, link and clock while the hub runs."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.domain.alert import AlertState, AlertType
from gateway.domain.instant import Instant
from gateway.domain.observation import Pressed
from gateway.journal.retention import Retained
from gateway.runtime.care import CLOCK_PATIENCE, EVERY, LINK_PATIENCE, Care
from gateway.settings import load
from tests.support.hubs import RunningHub
from tests.support.uplink_rig import until

GOOD = """
[hub]
id = "hub-test"
tenant = "testtown"
data = "data"
[centre]
host = "localhost"
ca = "x.pem"
certificate = "x.pem"
key = "x.pem"
keys = { main = "x.pem" }
[[sensors]]
id = "hall"
kind = "motion"
"""


def care_of(
    home: RunningHub, folder: Path, link: list[str | None], fault: list[str | None] | None = None
) -> Care:
    faults = [None] if fault is None else fault
    (folder / "x.pem").write_text("x")
    path = folder / "ansim.toml"
    path.write_text(GOOD)
    return Care(
        home.hub,
        home.journal,
        home.clock,
        path=path,
        settings=load(path),
        link=lambda: link[-1],
        link_fault=lambda: faults[-1],
    )


async def test_settings_damaged_while_running_are_told_and_cleared_when_repaired(
    tmp_path: Path,
) -> None:
    async with RunningHub(tmp_path / "data") as home:
        care = care_of(home, tmp_path, [None])
        care.look_at_settings()
        assert not home.hub.faults
        (tmp_path / "ansim.toml").write_text("[hub\n")
        care.look_at_settings()
        await home.clock.settle()
        assert home.told[-1].type is AlertType.TECH_CONFIG
        assert home.hub.watch().watching
        (tmp_path / "ansim.toml").unlink()
        care.look_at_settings()
        await home.clock.settle()
        assert len(home.told) == 1
        (tmp_path / "ansim.toml").write_text(GOOD)
        care.look_at_settings()
        await home.clock.settle()
        assert home.told[-1].state is AlertState.CLEARED
        assert not care.restart_wanted


async def test_a_good_change_waits_for_the_next_start(tmp_path: Path) -> None:
    async with RunningHub(tmp_path / "data") as home:
        care = care_of(home, tmp_path, [None])
        (tmp_path / "ansim.toml").write_text(GOOD + 'room = "hall"\n')
        care.look_at_settings()
        assert care.restart_wanted
        assert not home.hub.faults


async def test_a_link_that_stays_away_becomes_one_alert(tmp_path: Path) -> None:
    async with RunningHub(tmp_path / "data") as home:
        link: list[str | None] = ["unreachable"]
        care = care_of(home, tmp_path, link)
        for _ in range(3):
            care.look_at_link(home.clock.now())
            await home.clock.advance(LINK_PATIENCE / 2)
        care.look_at_link(home.clock.now())
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.TECH_LINK]
        link.append(None)
        care.look_at_link(home.clock.now())
        await home.clock.settle()
        assert home.told[-1].state is AlertState.CLEARED


async def test_a_link_that_is_open_and_of_no_use_is_told_at_once(tmp_path: Path) -> None:
    async with RunningHub(tmp_path / "data") as home:
        fault: list[str | None] = ["identity"]
        care = care_of(home, tmp_path, [None], fault)
        care.look_at_link(home.clock.now())
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.TECH_LINK]
        assert home.hub.faults == {"link": "identity"}
        fault.append(None)
        care.look_at_link(home.clock.now())
        await home.clock.settle()
        assert home.told[-1].state is AlertState.CLEARED


async def test_a_clock_that_nobody_sets_is_told_and_one_that_is_set_moves_no_timer(
    tmp_path: Path,
) -> None:
    async with RunningHub(tmp_path / "data") as home:
        care = care_of(home, tmp_path, [None])
        begun = home.clock.now()
        unset = Instant(begun.boot, begun.boottime + CLOCK_PATIENCE, 1000.0, synced=False)
        care.look_at_clock(unset)
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.TECH_CLOCK]
        care.look_at_clock(unset.plus(10.0))
        care.look_at_clock(begun.plus(CLOCK_PATIENCE + 20.0))
        await home.clock.settle()
        assert home.told[-1].state is AlertState.CLEARED


async def test_forgetting_on_a_slow_card_holds_up_neither_the_loop_nor_more_than_one_bite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunningHub(tmp_path / "data", beside=True) as home:
        care = care_of(home, tmp_path, [None])
        slow, began = threading.Event(), asyncio.Event()
        loop, stored = asyncio.get_running_loop(), []

        def bite(now_wall: float, *, synced: bool) -> Retained:
            stored.append(home.journal.stats().waiting_alerts)
            loop.call_soon_threadsafe(began.set)
            assert slow.wait(10), "the event loop stood still"
            return Retained(more=len(stored) < 3)

        monkeypatch.setattr(home.journal, "retain", bite)
        forgetting = asyncio.create_task(care.retain(home.clock.now()))
        await began.wait()
        home.hub.offer(Pressed("button"))
        before = home.hub.sequence
        await until(lambda: home.hub.sequence > before, "the engine's step")
        slow.set()
        await forgetting
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.HELP_BUTTON]
        assert stored == [0, 1, 1], "its commit comes before the second bite"
        await care.retain(home.clock.now())
        assert len(stored) == 3, "once an hour"


async def test_a_duty_that_fails_is_told_once_and_counted_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise KeyError("a bug")

    async with RunningHub(tmp_path / "data") as home:
        care = care_of(home, tmp_path, [None])
        retained: list[float] = []

        def retain(now_wall: float, *, synced: bool) -> Retained:
            retained.append(now_wall)
            return Retained()

        monkeypatch.setattr(care, "look_at_settings", fails)
        monkeypatch.setattr(home.journal, "retain", retain)
        caring = asyncio.create_task(care.run())
        await home.clock.advance(3 * EVERY)
        assert not caring.done()
        assert len(retained) == 1
        assert home.hub.counters["care-failures"] == 4
        assert [r.message for r in caplog.records].count("looking after the settings failed") == 1
        monkeypatch.undo()
        (tmp_path / "ansim.toml").write_text("[hub\n")
        await home.clock.advance(EVERY)
        assert "config" in home.hub.faults
        assert home.hub.counters["care-failures"] == 4
        caring.cancel()
        await asyncio.gather(caring, return_exceptions=True)
