"""Test whether the hub comes back, in the right order, and tells the truth about being away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.contract.messages import TelemetryEvent
from tests.support.broker import Broker, Town
from tests.support.link import Link
from tests.support.scripted_centre import ScriptedCentre, forger, receiving, silent
from tests.support.uplink_rig import Rig, until

HOUR = 3600.0


async def test_after_72_hours_alerts_come_first_highest_first_and_everything_once(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    def eighth(centre: ScriptedCentre, event: Any) -> None:
        if not isinstance(event, TelemetryEvent) or int(event.sequence) % 8 == 0:
            receiving(centre, event)

    with ScriptedCentre(broker.port, town.centre(), eighth) as centre:
        async with Link(broker.port) as link, Rig(town, tmp_path, link.port) as rig:
            await rig.connected()
            await link.cut()
            await until(lambda: not rig.uplink.connected, "the loss of the session")
            for _ in range(12):
                rig.store(summaries=36)
                await rig.clock.advance(6 * HOUR - 60)
            levels = [1, 2, 4, 3, 2, 1, 4, 3, 2, 1] * 10
            for level in levels:
                rig.store(rig.alert(level))
            await rig.clock.advance(61)
            assert rig.uplink.counters["connect-unreachable"] > 100
            await link.restore()
            rig.uplink.wake()
            back = rig.clock.now().boottime
            await rig.pass_time(lambda: rig.uplink.connected, "a session")
            assert rig.clock.now().boottime - back <= 60
            await until(lambda: rig.waiting() == 0, "all receipts")
    leaves = [leaf for leaf, _ in centre.heard]
    first = leaves.index("alert")
    journey = leaves[first:]
    assert journey[:100] == ["alert"] * 100
    assert journey[100] == "alarms"
    assert journey.count("telemetry") == 432
    assert journey.index("telemetry") > journey.index("hb")
    alerts = centre.alerts()
    assert [a.level for a in alerts] == sorted(levels, reverse=True)
    assert len({a.alert_id for a in alerts}) == 100
    assert all(a.old for a in alerts)
    records = [int(e.sequence) for e in centre.events("telemetry")]
    assert records == list(range(1, 433))


async def test_a_level_4_alert_ends_the_waiting_for_the_next_attempt(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()):
        async with Link(broker.port) as link, Rig(town, tmp_path, link.port) as rig:
            await rig.connected()
            await link.cut()
            await until(lambda: not rig.uplink.connected, "the loss of the session")
            await rig.clock.advance(6 * HOUR)
            await link.restore()
            began = rig.clock.now().boottime
            rig.raise_alert(4)
            await until(lambda: rig.waiting() == 0, "the receipt")
            assert rig.clock.now().boottime == began


async def test_a_dead_path_is_noticed_and_the_alert_goes_over_a_new_one(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()):
        async with (
            Link(broker.port) as link,
            Rig(town, tmp_path, link.port, answer_timeout=0.3) as rig,
        ):
            await rig.connected()
            link.black_hole()
            rig.raise_alert(4)
            await until(lambda: not rig.uplink.connected, "the end of the dead session")
            assert rig.waiting() == 1
            await link.restore()
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")


async def test_a_broker_that_restarts_gets_everything_again_that_was_not_received(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    async with Rig(town, tmp_path, broker.port) as rig:
        with ScriptedCentre(broker.port, town.centre(), silent):
            await rig.connected()
            alert = rig.raise_alert(3)
            await until(lambda: rig.uplink.unanswered() == 1, "the sending")
        broker.kill()
        await until(lambda: not rig.uplink.connected, "the loss of the session")
        broker.start()
        with ScriptedCentre(broker.port, town.centre()) as centre:
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
            assert {a.alert_id for a in centre.alerts()} == {alert.id}


async def test_state_birth_and_alarms_are_retained_and_a_lost_hub_is_told(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    async with Link(broker.port) as link, Rig(town, tmp_path, link.port) as rig:
        await rig.connected()
        with ScriptedCentre(broker.port, town.centre(), silent) as late:
            await until(lambda: len(late.heard) >= 3, "the retained messages")
            assert {leaf for leaf, _ in late.heard} == {"state", "birth", "alarms"}
            assert late.events("state")[0].data.state == "online"
            assert late.events("birth")[0].data.heartbeat_s == 300
            await link.cut()
            await until(lambda: len(late.events("state")) == 2, "the will")
            assert late.events("state")[1].data.state == "lost"
    async with Rig(town, tmp_path, broker.port) as rig:
        await rig.connected()
    with ScriptedCentre(broker.port, town.centre(), silent) as later:
        await until(lambda: bool(later.events("state")), "the goodbye")
        assert later.events("state")[0].data.state == "offline"


async def test_without_a_centre_alerts_are_tried_at_once_and_slowly_and_records_wait(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            assert rig.uplink.centre_there, "none was ever heard of"
            centre.announce("online")
            centre.announce("offline")
            await until(lambda: not rig.uplink.centre_there, "the centre's absence")
            rig.store(rig.alert(3), summaries=100)
            rig.uplink.wake()
            await until(lambda: len(centre.alerts()) == 1, "one sending at once")
            await rig.clock.advance(39)
            assert len(centre.alerts()) == 1
            await rig.clock.advance(600)
            assert rig.uplink.counters["sent-alert"] >= 10
            assert rig.uplink.counters["sent-record"] <= 16
            assert rig.uplink.counters["no-answer"] == 0
            centre.script = receiving
            centre.announce("online")
            await until(lambda: rig.waiting() == 0, "all receipts at once")


async def test_a_forged_centre_state_changes_nothing(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            centre.signer = forger()
            centre.announce("offline")
            await until(lambda: rig.uplink.counters["downlink-forged"] == 1, "the refusal")
            assert rig.uplink.centre_there


async def test_a_broker_that_comes_and_goes_loses_no_alert(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Link(broker.port) as link, Rig(town, tmp_path, link.port) as rig:
            made: set[str] = set()
            for _ in range(10):
                await rig.clock.advance(60)
                made.add(rig.raise_alert(4).id)
                await link.cut()
                await rig.clock.advance(5)
                await link.restore()
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
    assert {a.alert_id for a in centre.alerts()} == made
