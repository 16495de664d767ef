"""When the broker is tried again."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.backoff import STABLE, Backoff

UPTIME = 100_000.0


def lost(seed: int = 0, *, lasted: float = 3600.0) -> Backoff:
    backoff = Backoff(Random(seed))
    backoff.started(UPTIME)
    backoff.lost(UPTIME + lasted, UPTIME)
    return backoff


def test_a_restarted_service_connects_at_once() -> None:
    backoff = Backoff(Random(0))
    backoff.started(UPTIME)
    assert backoff.due(alert_waits=False) <= UPTIME


def test_after_a_power_cut_the_hubs_of_a_city_return_over_a_minute() -> None:
    dues = []
    for seed in range(300):
        backoff = Backoff(Random(seed))
        backoff.started(20.0)
        dues.append(backoff.due(alert_waits=False) - 20.0)
    assert 0 <= min(dues) < 2
    assert 58 < max(dues) <= 60
    for start in range(0, 60, 10):
        assert 20 <= sum(start <= due < start + 10 for due in dues) <= 90


def test_a_stable_session_that_is_lost_is_lost_for_the_whole_city() -> None:
    waits = [lost(seed).due(alert_waits=True) - UPTIME - 3600 for seed in range(300)]
    assert max(waits) > 55
    assert min(waits) < 5


def test_a_broker_that_drops_us_at_once_is_not_hammered() -> None:
    backoff = Backoff(Random(3))
    backoff.started(UPTIME)
    now = UPTIME
    for _ in range(12):
        backoff.lost(now + STABLE - 1, now)
        now = backoff.due(alert_waits=True)
    assert backoff.failures == 12


@given(st.integers(1, 40), st.integers())
def test_waits_are_1_to_60_seconds_with_an_alert_and_up_to_10_minutes_without(
    failures: int, seed: int
) -> None:
    backoff = Backoff(Random(seed))
    backoff.started(UPTIME)
    for _ in range(failures):
        backoff.failed(UPTIME)
    assert 1 <= backoff.due(alert_waits=True) - UPTIME <= 60
    assert 1 <= backoff.due(alert_waits=False) - UPTIME <= 600
    assert backoff.due(alert_waits=True) <= backoff.due(alert_waits=False)


@pytest.mark.parametrize("failures", [1, 5, 30])
def test_a_level_4_alert_ends_any_wait(failures: int) -> None:
    backoff = lost()
    for _ in range(failures):
        backoff.failed(UPTIME + 7200)
    backoff.hurry()
    assert backoff.due(alert_waits=True) <= UPTIME + 7200


def test_the_next_failure_waits_again() -> None:
    backoff = lost()
    backoff.hurry()
    backoff.failed(UPTIME + 7200)
    assert backoff.due(alert_waits=True) >= UPTIME + 7201


def test_two_hubs_of_one_identity_do_not_chase_each_other() -> None:
    backoff = Backoff(Random(5))
    backoff.started(UPTIME)
    now = UPTIME
    for _ in range(12):
        backoff.lost(now + 10 * STABLE, now, taken=True)
        now = backoff.due(alert_waits=False)
    assert backoff.failures == 12
    assert backoff.due(alert_waits=True) <= now + 60


def test_a_level_4_alert_ends_the_spread_after_a_power_cut_too() -> None:
    backoff = Backoff(Random(2))
    backoff.started(20.0)
    assert backoff.due(alert_waits=True) > 21.0
    backoff.hurry()
    assert backoff.due(alert_waits=True) <= 20.0
