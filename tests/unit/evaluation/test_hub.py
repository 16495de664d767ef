"""The hub on trial, with a resident who answers and a centre that closes."""

from __future__ import annotations

import pytest

from gateway.domain.alert import Level
from gateway.domain.instant import DAY, HOUR
from gateway.engine.stopping import Knobs
from models.evaluation.hardships import as_beacons, half_dead, suffered
from models.evaluation.hub import HubDetector, Resident
from models.evaluation.measure import Result, run
from models.evaluation.trial import Trial, trial
from tests.support.trials import at, home, hourly

EAGER = Knobs(ask=1.0, tell=1e12, tell_by_asking=1.0)
"""Asks after two hours at the latest, and leaves the centre to the ceilings."""


def quiet_morning() -> Trial:
    """A day of hourly activity, then ten hours without any, then a day more."""
    return trial(home([*hourly(0, 24), *hourly(34, 60)]), 0.0)


def late(on_trial: Trial, answers: float | None, cut: float) -> Result:
    detector = HubDetector(on_trial, None, Level.WARNING, knobs=EAGER, answers=answers)
    return run(on_trial, detector, [cut], person="somebody")


def asked_at(on_trial: Trial) -> float:
    detector = HubDetector(on_trial, None, Level.WATCH, knobs=EAGER, answers=0.0)
    for observation in on_trial.home.observations:
        detector.step(observation)
    return next(wall for wall in detector.questions if wall > at(24))


def test_a_question_that_was_answered_before_the_collapse_finds_nobody() -> None:
    on_trial = quiet_morning()
    cut = asked_at(on_trial) + 1200.0
    unanswered, answered = late(on_trial, 0.0, cut), late(on_trial, 1.0, cut)
    assert Resident(on_trial, 1.0, 0).answers(asked_at(on_trial)) is not None, (
        "this one is answered"
    )
    assert unanswered.delays == (0.0,), "the centre had been told, for nothing"
    assert answered.delays[0] > 0.5
    assert unanswered.alarms[0] < answered.alarms[0]


def test_who_collapsed_before_the_question_does_not_answer_it() -> None:
    on_trial = quiet_morning()
    asked = asked_at(on_trial)
    found = late(on_trial, 1.0, asked - 60.0)
    assert found.delays[0] == pytest.approx((60.0 + 900.0) / HOUR, abs=0.01)


def test_looking_ahead_changes_nothing() -> None:
    on_trial = quiet_morning()
    cuts = on_trial.cuts(40, 3)
    with_cuts = run(
        on_trial,
        HubDetector(on_trial, None, Level.WARNING, knobs=EAGER, answers=0.5),
        cuts,
        person="somebody",
    )
    without = run(
        on_trial,
        HubDetector(on_trial, None, Level.WARNING, knobs=EAGER, answers=0.5),
        [],
        person="somebody",
    )
    assert with_cuts.alarms == without.alarms


def test_an_absence_that_was_believed_in_is_noted_from_its_beginning() -> None:
    on_trial = trial(
        home([*hourly(0, 8), (9.0, "door"), (14.0, "door"), (14.1, "hall"), *hourly(15, 20)]), 0.0
    )
    detector = HubDetector(on_trial, None, Level.WARNING)
    for observation in on_trial.home.observations:
        detector.step(observation)
    assert detector.spans == [(at(9.0), at(14.0))]


def test_living_beacons_keep_a_fallen_home_seen_and_dead_ones_are_told() -> None:
    whole = home([*hourly(0, 60)])
    dead = half_dead(whole, 1, entrance=False)
    changed = as_beacons(whole, dead, at(30))
    on_trial = trial(changed, 1.25 * DAY)
    living = frozenset(s.id for s in changed.sensors) - dead
    found = suffered(on_trial, None, kind="dead", cuts=[at(50.5)], living=living)
    assert found.blind == 0.0
    assert found.result.delays[0] <= 12.0
    assert {s for s, wall in found.lost.items() if wall <= at(32.2)} == dead
