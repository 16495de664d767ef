"""Test whether a hub whose clock may say anything reaches its broker, and no expired one (R17, T3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.instant import DAY, Instant
from gateway.security.tls import server_context
from tests.support.broker import Broker, Town
from tests.support.certificates import dated_broker
from tests.support.scripted_centre import ScriptedCentre, silent
from tests.support.uplink_rig import START, JumpingClock, Rig, until

YEAR = 365 * DAY
TODAY = time.time()
BOOT_1970 = 45.0
"""Wall seconds of a machine without a clock chip, some seconds after its boot."""


def clock(wall: float, *, synced: bool) -> JumpingClock:
    return JumpingClock(Instant(START.boot, START.boottime, wall, synced))


@pytest.mark.parametrize(
    "wall",
    [BOOT_1970, TODAY - 10 * YEAR, TODAY, TODAY + 10 * YEAR],
    ids=["1970", "ten years back", "right", "ten years ahead"],
)
@pytest.mark.parametrize("synced", [True, False])
async def test_an_alert_arrives_whatever_the_clock_says(
    town: Town, broker: Broker, tmp_path: Path, wall: float, synced: bool
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port, clock=clock(wall, synced=synced)) as rig:
            alert = rig.raise_alert(4)
            await until(lambda: rig.waiting() == 0, "the receipt")
            assert [a.alert_id for a in centre.alerts()] == [alert.id]
            word = "synced" if synced else "unsynced"
            assert centre.events("alert")[0].clock == word


@pytest.mark.parametrize("years", [-10, 10])
async def test_a_clock_that_jumps_moves_no_timer_and_ends_no_link(
    town: Town, broker: Broker, tmp_path: Path, years: int
) -> None:
    jumping = clock(TODAY, synced=True)
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port, clock=jumping) as rig:
            await rig.connected()
            rig.raise_alert(3)
            await rig.clock.advance(60)
            sent = rig.uplink.counters["sent-alert"]
            jumping.jump(TODAY + years * YEAR, synced=True)
            await rig.clock.advance(120)
            assert sent < rig.uplink.counters["sent-alert"] <= 30
            assert rig.uplink.unreceived_for == pytest.approx(180, abs=2)
            broker.kill()
            await until(lambda: not rig.uplink.connected, "the loss of the session")
            broker.start()
            await rig.pass_time(lambda: rig.uplink.connected, "a session in spite of the date")
        assert centre.alerts()


async def test_time_that_arrives_late_changes_nothing_for_what_waits(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    jumping = clock(BOOT_1970, synced=False)
    async with Rig(town, tmp_path, broker.port, clock=jumping) as rig:
        await rig.connected()
        first = rig.raise_alert(4)
        await rig.clock.advance(300)
        jumping.jump(TODAY, synced=True)
        second = rig.raise_alert(3)
        assert rig.uplink.unreceived_for == pytest.approx(300, abs=2)
        with ScriptedCentre(broker.port, town.centre()) as centre:
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
            assert {a.alert_id for a in centre.alerts()} == {first.id, second.id}


@asynccontextmanager
async def dated(
    town: Town, folder: Path, *, begins: float, ends: float
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A broker that shows a certificate from ``begins`` to ``ends`` days from today and never
    answers; what it gets to read."""
    read: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read.append(await reader.read(100))
        writer.close()

    today = datetime.now(UTC)
    files = dated_broker(
        town.ca,
        town.broker,
        folder,
        today + timedelta(days=begins),
        today + timedelta(days=ends),
    )
    context = server_context(files / "ca.crt", files / "broker.crt", files / "broker.key")
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], read
    finally:
        server.close()


@pytest.mark.parametrize(
    ("ends", "wall", "synced"),
    [(-1, TODAY, True), (-3, BOOT_1970, False), (-3, TODAY - 10 * YEAR, True)],
    ids=["clock-knows", "own-certificate-is-younger", "own-is-younger-and-clock-lies"],
)
async def test_an_expired_broker_hears_not_a_word(
    town: Town, tmp_path: Path, ends: float, wall: float, synced: bool
) -> None:
    """The hub's certificate was made two days ago (back-dated): that time has passed for sure."""
    async with dated(town, tmp_path / "dated", begins=-900, ends=ends) as (port, read):
        started = clock(wall, synced=synced)
        async with Rig(town, tmp_path / "journal", port, clock=started, answer_timeout=1.0) as rig:
            rig.raise_alert(4)
            counters = rig.uplink.counters
            await rig.pass_time(lambda: counters["connect-expired"] >= 2, "two refusals")
            assert rig.uplink.trouble == "expired"
            assert rig.waiting() == 1
    assert all(data == b"" for data in read), "not even CONNECT"


async def test_a_broker_whose_certificate_begins_next_week_is_refused_only_by_a_known_time(
    town: Town, tmp_path: Path
) -> None:
    async with dated(town, tmp_path / "dated", begins=7, ends=900) as (port, read):
        known = clock(TODAY, synced=True)
        async with Rig(town, tmp_path / "a", port, clock=known, answer_timeout=1.0) as rig:
            await rig.pass_time(lambda: rig.uplink.trouble == "not-yet-valid", "the refusal")
        assert all(data == b"" for data in read)
        unset = clock(BOOT_1970, synced=False)
        async with Rig(town, tmp_path / "b", port, clock=unset, answer_timeout=1.0) as rig:
            await until(lambda: any(b"MQTT" in data for data in read), "a word")


async def test_the_centres_signed_time_outlives_the_program_and_expires_a_certificate(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    with ScriptedCentre(broker.port, town.centre()) as centre:
        centre.at = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="milliseconds")
        unset = clock(BOOT_1970, synced=False)
        async with Rig(town, journal, broker.port, clock=unset) as rig:
            rig.raise_alert(2)
            await until(lambda: rig.waiting() == 0, "the receipt")
    async with dated(town, tmp_path / "dated", begins=-900, ends=20) as (port, read):
        unset = clock(BOOT_1970, synced=False)
        async with Rig(town, journal, port, clock=unset, answer_timeout=1.0) as rig:
            await rig.pass_time(lambda: rig.uplink.trouble == "expired", "the refusal")
    assert all(data == b"" for data in read)
