"""Test whether bad times make no storm, leave no stuck link and lose nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.contract import topics
from tests.support.broker import Broker, Town
from tests.support.scripted_centre import ScriptedCentre
from tests.support.uplink_rig import Rig, until


@pytest.mark.full
# Python's ssl lets go of a socket without closing it where the peer dies between connect and handshake
# (SSLSocket._create, getpeername); it is closed when it is collected, with a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_that_restarts_every_10_seconds_for_an_hour(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    """360 kills of a real mosquitto; an alert each minute. The hour is the hub's."""
    made: set[str] = set()
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            counters = rig.uplink.counters
            for restart in range(360):
                if restart % 6 == 0:
                    made.add(rig.raise_alert(1 + restart // 6 % 4).id)
                broker.kill()
                await rig.clock.advance(2)
                broker.start()
                await rig.clock.advance(8)
            tried = counters["sessions"] + sum(
                n for name, n in counters.items() if name.startswith("connect-")
            )
            assert tried <= 720, "two attempts for each restart at most"
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
            await rig.clock.advance(120)
            assert rig.uplink.connected, "no stuck link"
            assert rig.uplink.fault is None, "and no fault that is none"
            assert counters["restarts-uplink"] == 0
    assert {a.alert_id for a in centre.alerts()} == made
    print(f"{tried} attempts, {counters['sessions']} sessions, {counters['sent-alert']} sendings")


async def test_a_blocked_event_loop_costs_a_session_and_no_alert(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    """Three seconds without a step, with a keep-alive of one: the broker takes the hub for dead."""
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port, keep_alive=1) as rig:
            await rig.connected()
            made = {rig.raise_alert(3).id}
            await until(lambda: rig.waiting() == 0, "the first receipt")
            for _ in range(2):
                time.sleep(3)  # noqa: ASYNC251 - that is the fault
                made.add(rig.raise_alert(4).id)
                await rig.pass_time(lambda: rig.waiting() == 0, "the receipt")
            assert 2 <= rig.uplink.counters["sessions"] <= 4
            assert {a.alert_id for a in centre.alerts()} == made


async def test_a_frozen_broker_is_given_up_and_found_again(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port, answer_timeout=0.5) as rig:
            await rig.connected()
            broker.freeze()
            alert = rig.raise_alert(3)
            await until(lambda: not rig.uplink.connected, "the end of the frozen session")
            for _ in range(5):
                await rig.clock.advance(60)
            frozen = rig.uplink.counters["connect-timeout"]
            assert 1 <= frozen <= 40
            assert rig.waiting() == 1
            broker.thaw()
            await rig.pass_time(lambda: rig.waiting() == 0, "the receipt")
            assert {a.alert_id for a in centre.alerts()} == {alert.id}


async def test_a_dead_subscription_is_cured_by_a_new_session_and_nothing_else_is_needed(
    town: Town, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is open, the broker acknowledges, the centre answers, and no answer arrives."""
    real = topics.hub_subscriptions
    asked: list[str] = []

    def subscriptions(tenant: str, hub: str) -> tuple[str, ...]:
        asked.append(hub)
        return tuple(real(tenant, hub if len(asked) > 1 else "nobody"))

    monkeypatch.setattr(topics, "hub_subscriptions", subscriptions)
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.raise_alert(4)
            await rig.clock.advance(890)
            assert rig.uplink.connected
            assert rig.waiting() == 1
            await rig.pass_time(lambda: rig.waiting() == 0, "the receipt", most=60.0)
            assert rig.uplink.counters["no-answer"] == 1
            assert 20 <= len(centre.alerts()) <= 50, "it was asked all the while"
