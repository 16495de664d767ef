"""Test whether the heartbeat is always sent and always true (R1, R2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.errors import JournalError
from gateway.journal import OutboxRow
from tests.support.broker import Broker, Town
from tests.support.scripted_centre import ScriptedCentre, silent
from tests.support.uplink_rig import Rig, until


async def test_a_heartbeat_comes_with_the_session_and_every_five_minutes(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            await rig.clock.advance(3600)
            await until(lambda: len(centre.events("hb")) == 13, "13 heartbeats in an hour")
            beats = centre.events("hb")
            assert [int(b.sequence) for b in beats] == list(range(1, 14))
            assert beats[0].data.watching
            assert beats[0].data.interval_s == 300
            assert beats[0].data.sensors.ok == 1


async def test_a_change_of_watching_is_told_at_once(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.watching = False
            rig.uplink.wake()
            await until(lambda: len(centre.events("hb")) == 2, "the change")
            assert not centre.events("hb")[1].data.watching
            assert centre.events("hb")[1].data.reasons == ["blind"]
            rig.uplink.wake()
            await rig.clock.advance(1)
            assert len(centre.events("hb")) == 2, "no news, no message"


async def test_a_part_that_hangs_is_named_as_soon_as_its_deadline_is_over(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.progress.register("core", 30.0, rig.clock.now().boottime)
            rig.uplink.wake()
            await rig.clock.advance(32)
            await until(lambda: len(centre.events("hb")) == 2, "the alarm about it")
            assert not centre.events("hb")[1].data.watching
            assert centre.events("hb")[1].data.reasons == ["hung:core"]
            rig.progress.note("core", rig.clock.now().boottime)
            rig.uplink.wake()
            await until(lambda: len(centre.events("hb")) == 3, "the all-clear")
            assert centre.events("hb")[2].data.watching


async def test_it_says_what_waits_and_for_how_long(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.raise_alert(3)
            rig.store(summaries=2)
            await rig.clock.advance(301)
            await until(lambda: len(centre.events("hb")) == 2, "the next heartbeat")
            data = centre.events("hb")[1].data
            assert (data.queue.alerts, data.queue.records) == (1, 2)
            assert data.queue.oldest_unreceived_alert_s == 300
            assert (data.alert_sequence, data.record_sequence) == (1, 2)


async def test_the_interval_can_be_changed_and_is_told(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.uplink.set_heartbeat(5)
            await until(lambda: len(centre.events("hb")) == 2, "the news")
            assert centre.events("hb")[1].data.interval_s == 60, "never below a minute"
            await rig.clock.advance(60)
            await until(lambda: len(centre.events("hb")) == 3, "the next")


async def test_a_journal_that_cannot_be_read_silences_no_heartbeat(
    town: Town, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> list[OutboxRow]:
        raise JournalError("The journal cannot be read.", reason="io")

    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            await until(lambda: bool(centre.events("hb")), "the first heartbeat")
            monkeypatch.setattr(rig.journal, "waiting", fails)
            rig.uplink.wake()
            heard = len(centre.events("hb"))
            await rig.pass_time(lambda: len(centre.events("hb")) > heard, "one more", most=700.0)
            assert rig.uplink.counters["journal-errors"] > 0
