"""Test whether a hub without a network, or one that stood still, delivers everything once."""

from __future__ import annotations

from tests.faults.links import frozen_run, offline_run
from tests.faults.stage import Stage


def test_boots_without_a_broker_lose_nothing(stage: Stage, seed: int) -> None:
    verdict = offline_run(stage, 2, seed)
    assert verdict.bad == 0, verdict.cases
    assert verdict.presses >= 8


def test_a_hub_that_stood_still_goes_on_without_a_storm(stage: Stage, seed: int) -> None:
    verdict = frozen_run(stage, 1, seed)
    assert verdict.bad == 0, verdict.cases
    assert verdict.accepted > 0
