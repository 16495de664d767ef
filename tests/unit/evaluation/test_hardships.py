"""Hard homes are judged by what is true about the untouched ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instant import HOUR
from gateway.domain.observation import Heard, Switched
from gateway.domain.sensor import Supervision
from models.evaluation.hardships import (
    BEACON,
    as_beacons,
    degraded,
    half_dead,
    half_lost,
    suffered,
)
from models.evaluation.trial import Home, trial
from tests.support.trials import Event, at, home, hourly


def lively() -> Home:
    """Two days in the hall, a night out, two days more."""
    out: list[Event] = [(48.01, "hall"), (48.011, "door")]
    return home([*hourly(0, 48), *out, *hourly(64, 112, "fridge")], away=[(48.011, 64)])


@given(seed=st.integers(0, 50), entrance=st.booleans())
def test_half_of_the_sensors_die_and_the_entrance_only_if_asked(seed: int, entrance: bool) -> None:
    one = lively()
    dead = half_dead(one, seed, entrance=entrance)
    assert len(dead) == len(one.sensors) // 2
    assert ("door" in dead) is entrance
    assert dead == half_dead(one, seed, entrance=entrance)


def test_a_dead_beacon_says_nothing_and_a_living_one_goes_on() -> None:
    changed = as_beacons(lively(), frozenset({"hall"}), at(24))
    assert all(s.supervision is Supervision.BEACON for s in changed.sensors)
    assert all(s.interval == BEACON for s in changed.sensors)
    words = [o for o in changed.observations if o.at.wall >= at(24)]
    spoke = {o.what.sensor for o in words if isinstance(o.what, Switched | Heard)}
    assert "hall" not in spoke
    assert {"fridge", "door", "bed"} <= spoke
    before = [o for o in changed.observations if o.at.wall < at(24)]
    assert any(isinstance(o.what, Switched) and o.what.sensor == "hall" for o in before)
    assert [o.sequence for o in changed.observations] == list(
        range(1, len(changed.observations) + 1)
    )


def test_a_degraded_home_keeps_the_absences_and_the_time_of_the_whole_one() -> None:
    one = lively()
    truth = trial(one, 24 * HOUR)
    on_trial = degraded(truth, half_lost(one, 1, at(24)))
    assert len(on_trial.home.observations) < len(one.observations)
    assert (on_trial.begin, on_trial.end, on_trial.away) == (truth.begin, truth.end, truth.away)


def test_nothing_is_lost_before_its_time() -> None:
    one = lively()
    kept = half_lost(one, 1, at(60)).observations
    assert [o for o in kept if o.at.wall < at(60)] == [
        o for o in one.observations if o.at.wall < at(60)
    ]


@pytest.mark.parametrize(
    ("hours", "away", "forced"),
    [(11.9, False, 0), (12.1, False, 1), (35.9, True, 0), (36.1, True, 1)],
)
def test_a_silence_past_a_fixed_limit_is_one_that_no_model_may_spare(
    hours: float, away: bool, forced: int
) -> None:
    end = 24 + hours
    spans = [(24.0, end)] if away else []
    one = home([*hourly(0, 24), *hourly(end, end + 5)], away=spans)
    told = suffered(trial(one, 0.0), None, kind="home")
    assert told.forced == forced


def test_a_false_alarm_knows_how_long_the_silence_was_and_whether_somebody_was_out() -> None:
    one = home([*hourly(0, 24), *hourly(38, 43)])
    (alarm,) = suffered(trial(one, 0.0), None, kind="home").alarms
    assert 1.0 <= alarm.after <= 12.0
    assert (alarm.away, alarm.type) == (False, "inactivity.warning")
    out = home([*hourly(0, 24), (24.001, "door"), *hourly(62, 70)], away=[(24, 62)])
    (alarm,) = suffered(trial(out, 0.0), None, kind="home").alarms
    assert alarm.away
    assert alarm.after <= 36.0
