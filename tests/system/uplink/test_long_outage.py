"""Test whether three days without a broker end well: all of it, alarms first, in 30 s (R7, R9)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.domain.decisions import Decisions, Summary
from gateway.domain.instant import HOUR
from gateway.domain.observation import Observation, Switched
from tests.support.broker import Broker, Town
from tests.support.scripted_centre import ScriptedCentre
from tests.support.uplink_rig import Rig, until

A_DAY = 5000
"""Observations of a busy home."""

LIMITS = ("max_queued_messages", "max_queued_bytes", "max_inflight_messages")
"""What the office's configuration sets; without it mosquitto's own limits hold: 1000 messages queued
for a client, 20 under way."""


def with_default_limits(broker: Broker, tmp_path: Path) -> None:
    conf = (tmp_path / "broker" / "mosquitto.conf").read_text()
    broker.restart("\n".join(line for line in conf.splitlines() if not line.startswith(LIMITS)))


async def _lived(rig: Rig, seconds: float, numbers: list[int], levels: list[int]) -> set[str]:
    """That much life in equal parts: observations, summaries, and alerts of these levels; 0 for none."""
    made: set[str] = set()
    per = round(A_DAY * seconds / 86400 / len(levels))
    for level in levels:
        now = rig.clock.now()
        seen = []
        for _ in range(per):
            numbers.append(len(numbers) + 1)
            seen.append(Observation(numbers[-1], now, Switched("pir-1", on=len(numbers) % 2 == 0)))
        alerts = (rig.alert(level),) if level else ()
        span = seconds / len(levels)
        summaries = tuple(
            Summary(now.wall + 600.0 * n, 600.0, {"pir-1": per}, away=False, blind=False)
            for n in range(round(span / 600))
        )
        rig.journal.commit(seen, [Decisions(alerts=alerts, summaries=summaries)])
        made.update(alert.id for alert in alerts)
        rig.uplink.wake()
        await rig.clock.advance(span)
    return made


@pytest.mark.full
async def test_72_hours_at_5000_observations_a_day_through_a_broker_with_default_limits(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    async with Rig(town, tmp_path, broker.port) as rig:
        await rig.connected()
        broker.kill()
        await until(lambda: not rig.uplink.connected, "the loss of the session")
        levels = [1, 2, 4, 3, 2, 1, 3, 2, 1, 1] * 12
        numbers: list[int] = []
        await _lived(rig, 48 * HOUR, numbers, [0] * 48)
        made = await _lived(rig, 24 * HOUR, numbers, levels)
        assert len(numbers) >= 14_900
        tried = rig.uplink.counters["connect-unreachable"]
        assert 1500 <= tried <= 8000, "every 1 to 60 s with an alert, up to 10 min without"
        with_default_limits(broker, tmp_path)
        with ScriptedCentre(broker.port, town.centre()) as centre:
            back = rig.clock.now().boottime
            while not rig.uplink.connected:
                began = time.monotonic()  # of the attempt that will succeed
                await rig.clock.advance(1)
            waited = rig.clock.now().boottime - back
            await until(
                lambda: rig.journal.stats().waiting_alerts == 0, "all alerts received", most=30.0
            )
            alerts = time.monotonic() - began
            await rig.pass_time(lambda: rig.waiting() == 0, "all records", most=3000.0)
            heard = centre.alerts()
        assert waited <= 61
        assert [a.level for a in heard[:120]] == sorted(levels, reverse=True)
        assert {a.alert_id for a in heard} == made
        records = {int(e.sequence) for e in centre.events("telemetry")}
        assert records == set(range(1, max(records) + 1))
        print(
            f"{len(numbers)} observations, {len(made)} alerts, {len(records)} records, "
            f"{tried} attempts in 72 h; session after {waited:.0f} s, alerts in {alerts:.2f} s"
        )


@pytest.mark.full
async def test_more_alerts_than_a_broker_queues_all_arrive_although_it_acknowledged_and_dropped(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), persistent=True):
        pass  # its subscription stays; it is away
    with_default_limits(broker, tmp_path)
    async with Rig(town, tmp_path, broker.port) as rig:
        alerts = [rig.alert(1 + number % 4) for number in range(1200)]
        rig.store(*alerts)
        rig.uplink.wake()
        await until(
            lambda: rig.uplink.counters["sent-alert"] >= 1200, "every alert sent once", most=30.0
        )
        await rig.clock.settle()
        assert "Outgoing messages are being dropped" in broker.log
        with ScriptedCentre(broker.port, town.centre(), persistent=True) as centre:
            began = time.monotonic()
            while rig.waiting() and time.monotonic() - began < 60:
                await rig.clock.advance(1)
            assert rig.waiting() == 0
        assert {a.alert_id for a in centre.alerts()} == {a.id for a in alerts}
        print(f"1200 alerts, {rig.uplink.counters['sent-alert']} sendings")
