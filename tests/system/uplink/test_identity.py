"""Test whether two hubs with one certificate are noticed, do not storm, and still get through."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.uplink.dialect import Dialect
from tests.support.broker import Broker, Town
from tests.support.scripted_centre import ScriptedCentre
from tests.support.uplink_rig import Rig


async def _together(rigs: tuple[Rig, Rig], seconds: int, step: float) -> None:
    """Time passes for both hubs alike."""
    for _ in range(round(seconds / step)):
        for rig in rigs:
            await rig.clock.advance(step)


@pytest.mark.parametrize("dialect", [Dialect.V5, Dialect.V311])
async def test_a_copied_card_is_told_and_both_hubs_alerts_arrive_without_a_storm(
    town: Town, broker: Broker, tmp_path: Path, dialect: Dialect
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with (
            Rig(town, tmp_path / "a", broker.port, dialect=dialect) as one,
            Rig(
                town, tmp_path / "b", broker.port, dialect=dialect, boot="b0000002-000001", seed=2
            ) as copy,
        ):
            rigs = (one, copy)
            made = set()
            for _ in range(12):
                for rig in rigs:
                    made.add(rig.raise_alert(3).id)
                await _together(rigs, 300, 2.0)
            sessions = sum(rig.uplink.counters["sessions"] for rig in rigs)
            for rig in rigs:
                assert rig.uplink.fault == "identity"
                assert rig.uplink.counters["taken-over"] >= 2
            assert sessions <= 240, "in an hour, both together"
            for rig in rigs:
                await rig.pass_time(lambda rig=rig: rig.waiting() == 0, "all receipts")  # type: ignore[misc]
            assert {a.alert_id for a in centre.alerts()} == made
            print(f"{dialect.name}: {sessions} sessions of two hubs in an hour")
