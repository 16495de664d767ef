"""Test whether a message that ends each session stands in nobody's way, and is never dropped."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.contract.encode import Encoder
from tests.support.broker import Broker, Town
from tests.support.front import Front
from tests.support.scripted_centre import ScriptedCentre
from tests.support.uplink_rig import Rig, until

HOUR = 3600.0


async def test_an_alert_that_ends_each_session_does_not_hold_up_the_others_and_arrives_at_last(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Front(town, broker.port) as front, Rig(town, tmp_path, front.port) as rig:
            poison = rig.alert(4)
            told = re.compile(poison.id.encode() + rb'"[^{}]*"raised_at"')  # not in the snapshot
            front.spoilt = lambda data: told.search(data) is not None
            others = [rig.alert(level) for level in (1, 2, 3, 1, 2)]
            rig.store(poison, *others, summaries=40)
            rig.uplink.wake()
            await rig.pass_time(lambda: rig.waiting() == 1, "all others", most=600.0)
            assert {a.alert_id for a in centre.alerts()} == {a.id for a in others}
            assert len(centre.events("telemetry")) >= 40
            assert rig.uplink.fault == "suspect"
            assert rig.journal.quarantined["outbox-alert"] >= 1
            ended = front.ended
            await rig.clock.advance(6 * HOUR)
            late = rig.raise_alert(4)
            await until(lambda: rig.waiting() == 1, "a later alert, at once")
            assert front.ended - ended <= 14, "ever more rarely"
            assert rig.uplink.connected
            print(f"{ended} sessions until it stood alone, {front.ended - ended} in six hours")
            front.spoilt = lambda _data: False
            await rig.pass_time(lambda: rig.waiting() == 0, "the alert itself", most=2 * HOUR)
            assert {a.alert_id for a in centre.alerts()} == {poison.id, late.id} | {
                a.id for a in others
            }
            await until(lambda: rig.uplink.fault is None, "the end of the fault")


async def test_a_record_that_ends_each_session_is_told_by_its_number_alone(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    """Its receipt is one for all records so far: without its number none behind it would count."""
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Front(town, broker.port) as front, Rig(town, tmp_path, front.port) as rig:
            front.spoilt = lambda data: b'"pir-1":7' in data
            rig.store(summaries=30)
            rig.store(rig.alert(2))
            rig.uplink.wake()
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts", most=900.0)
            heard = {int(e.sequence): e.data for e in centre.events("telemetry")}
            assert sorted(heard) == list(range(1, 31))
            assert [n for n, data in heard.items() if not data.events and data.blind] == [8]
            assert rig.uplink.counters["sessions"] <= 12


async def test_an_alert_that_cannot_be_encoded_whole_is_sent_with_its_bare_facts(
    town: Town, broker: Broker, tmp_path: Path, monkeypatch: object
) -> None:
    whole = Encoder.alert

    def encode(self: Encoder, alert: object, sequence: int, *, old: bool = False) -> bytes:
        if alert.because != "pressed":  # type: ignore[attr-defined]
            return whole(self, alert, sequence, old=old)  # type: ignore[arg-type]
        if alert.by:  # type: ignore[attr-defined]
            raise RecursionError
        return whole(self, alert, sequence, old=old)  # type: ignore[arg-type]

    import msgspec
    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.setattr(Encoder, "alert", encode)
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            odd = msgspec.structs.replace(rig.alert(4), by="x")
            rig.store(odd, rig.alert(1))
            rig.uplink.wake()
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
            assert {a.alert_id for a in centre.alerts()} >= {odd.id}
            assert rig.uplink.counters["not-encodable-error"] >= 1
            assert rig.uplink.counters["sessions"] == 1
