"""Wait, ask, tell: questions in the home, answers, and silence as an answer."""

from __future__ import annotations

import pytest

from gateway.domain.household import Household
from gateway.domain.observation import (
    Answered,
    PauseEnded,
    PauseStarted,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
    What,
)
from gateway.engine.asking import EXPECTED, Asking
from gateway.engine.stopping import Knobs
from tests.support.life import WIRED, Life

NOON, MIDNIGHT = 43_200.0, 0.0


EAGER = Knobs(ask=1.0, tell=1e12, tell_by_asking=1.0)
"""The model asks soon and never tells."""


def asking_home(knobs: Knobs | None = None) -> Life:
    return Life(household=Household("hub-test", WIRED, asks=True), knobs=knobs)


def test_a_ceiling_asks_and_silence_is_no_answer_before_the_models_own_time() -> None:
    life = asking_home().moves(1.0).until(30.0)
    assert life.told("inactivity") == [
        (9.0, 1, "raised"),
        (13.0, 2, "escalated"),
        (25.0, 3, "escalated"),
    ]


def test_a_question_of_the_model_that_goes_unanswered_is_told_after_a_quarter_of_an_hour() -> None:
    life = asking_home(EAGER).moves(1.0).until(12.0)
    first, second = life.of("inactivity")[:2]
    assert (first.level, second.level) == (1, 2)
    assert second.at.boottime - first.at.boottime == pytest.approx(900.0)
    assert second.because == "unanswered"
    assert second.explanation is not None
    assert second.explanation.by == "unanswered"


def test_a_home_that_cannot_ask_takes_no_silence_for_an_answer() -> None:
    life = Life(knobs=EAGER).moves(1.0).until(13.5)
    assert [(alert.level, alert.because) for alert in life.of("inactivity")] == [
        (1, "model"),
        (2, "ceiling"),
    ]


def test_an_answer_clears_the_question_and_the_ceilings_count_from_it() -> None:
    life = asking_home().moves(1.0).until(9.05).at(9.1, Answered()).until(22.0)
    assert life.told("inactivity") == [
        (9.0, 1, "raised"),
        (9.1, 1, "cleared"),
        (17.1, 1, "raised"),
        (21.1, 2, "escalated"),
    ]
    assert life.of("inactivity")[1].because == "answered"


def test_an_answered_silence_teaches_its_whole_length() -> None:
    life = asking_home().moves(1.0).until(9.05).at(9.1, Answered()).moves(10.0)
    (gap,) = life.state.habits.gaps
    assert gap.length == 9 * 60


def test_an_answered_silence_that_was_paused_before_teaches_nothing() -> None:
    life = asking_home().moves(1.0).at(2.0, PauseStarted(3600.0, "office"))
    life.at(2.5, PauseEnded("office")).at(9.9, Answered()).moves(11.0)
    assert life.state.habits.gaps == []


def test_movement_within_a_quarter_of_an_hour_is_an_answer() -> None:
    life = asking_home().moves(1.0).moves(9.1)
    assert sum(life.state.asking.answered) == 1.0


def test_somebody_who_moves_only_later_did_not_answer() -> None:
    life = asking_home().moves(1.0).moves(9.5)
    asking = life.state.asking
    assert (sum(asking.asked), sum(asking.answered)) == (1.0, 0.0)


def test_an_empty_home_is_not_asked() -> None:
    life = asking_home().moves(1.0).moves(1.001, "door").until(24.0)
    assert life.told("inactivity") == []
    assert [told for told in life.told("away") if told[1] == 1] == []


def test_who_sits_down_after_the_door_is_at_home() -> None:
    life = Life().moves(1.0, "door").moves(1.005, "bed").until(9.5)
    assert life.told("away") == []
    assert life.told("inactivity") == [(9.005, 1, "raised")]
    life.at(9.6, Switched("bed", on=False)).moves(9.601, "door").until(10.0)
    assert life.told("away")[0][1:] == (0, "raised")


def test_the_chance_of_an_answer_is_learned_by_day_and_by_night() -> None:
    asking = Asking()
    assert (asking.chance(NOON), asking.chance(MIDNIGHT)) == pytest.approx(EXPECTED)
    for _ in range(30):
        asking.learn(NOON, answered=True)
        asking.learn(MIDNIGHT, answered=False)
    assert asking.chance(NOON) > 0.9
    assert asking.chance(MIDNIGHT) < 0.1
    asking.turn(400)
    assert (asking.chance(NOON), asking.chance(MIDNIGHT)) == pytest.approx(EXPECTED, abs=0.01)


def test_a_question_that_nobody_would_answer_is_as_dear_as_an_alarm() -> None:
    asking = Asking()
    for _ in range(1_000):
        asking.learn(MIDNIGHT, answered=False)
    prices = asking.prices(MIDNIGHT, Knobs())
    assert prices[5] == pytest.approx(1.0 + Knobs().question, abs=0.01)
    assert prices[11 * 6] < 0.5, "eleven in the morning"


def test_questions_and_answers_survive_a_restart() -> None:
    life = asking_home().moves(1.0).until(9.05)
    before = life.state
    life.restart(9.06, up_until=9.05, start="start2").at(9.1, Answered())
    assert life.of("inactivity")[-1].because == "answered"
    assert before != life.state


def asked_at(life: Life) -> float:
    """The hour of the first question."""
    return life.told("inactivity")[0][0]


def test_an_answer_begins_the_clock_anew_and_the_model_may_ask_again() -> None:
    life = asking_home(EAGER).moves(1.0).until(9.0)
    asked = asked_at(life)
    life = asking_home(EAGER).moves(1.0).until(asked + 0.1).at(asked + 0.2, Answered())
    life.until(asked + 13.0)
    told = life.told("inactivity")
    assert told[:2] == [(asked, 1, "raised"), (asked + 0.2, 1, "cleared")]
    again = told[2]
    assert again[1:] == (1, "raised")
    assert asked + 1.2 <= again[0] <= asked + 8.2
    assert life.of("inactivity")[2].id != life.of("inactivity")[0].id


def test_a_question_counts_seen_minutes_only() -> None:
    asked = asked_at(asking_home(EAGER).moves(1.0).until(9.0))
    life = asking_home(EAGER).moves(1.0).until(asked + 0.1)
    life.at(asked + 0.1, PauseStarted(3600.0, "office")).until(asked + 2.0)
    (second,) = (hour for hour, level, _ in life.told("inactivity") if level == 2)
    assert second == pytest.approx(asked + 1.25, abs=0.001)


def test_an_answer_that_came_after_the_centre_was_told_was_none() -> None:
    asked = asked_at(asking_home(EAGER).moves(1.0).until(9.0))
    life = asking_home(EAGER).moves(1.0).at(asked + 0.5, Answered())
    assert life.told("inactivity")[-1] == (asked + 0.5, 2, "cleared")
    assert (sum(life.state.asking.asked), sum(life.state.asking.answered)) == (1.0, 0.0)


def test_the_price_of_a_silence_is_that_of_its_own_question() -> None:
    life = asking_home().moves(1.0).moves(9.1).moves(9.2)
    assert life.state.silence.asked == 0.0


def test_an_answer_at_the_door_ends_the_absence() -> None:
    life = asking_home().moves(1.0).moves(1.001, "door").until(3.0).at(3.0, Answered()).until(11.5)
    assert life.told("away") == [(1.251, 0, "raised"), (3.0, 0, "cleared")]
    assert life.told("inactivity") == [(11.0, 1, "raised")]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (PauseStarted(3600.0, "office"), PauseEnded("office")),
        (VisitStarted("carer"), VisitEnded("carer")),
        (SourceChanged("recording", alive=False), SourceChanged("recording", alive=True)),
    ],
)
@pytest.mark.parametrize("answered", [4.0, 2.5])
def test_what_was_not_all_seen_teaches_nothing_whenever_the_answer_came(
    begins: What, ends: What, answered: float
) -> None:
    life = asking_home().moves(1.0).at(2.0, begins)
    for hour, what in sorted([(3.0, ends), (answered, Answered())], key=lambda at: at[0]):
        life.at(hour, what)
    life.moves(6.0)
    assert life.state.habits.gaps == []


def test_an_answered_silence_of_which_the_centre_knew_teaches_nothing() -> None:
    life = asking_home().moves(1.0).until(13.5).at(13.6, Answered()).moves(15.0)
    assert life.told("inactivity")[-1] == (13.6, 2, "cleared")
    assert life.state.habits.gaps == []
    assert life.moves(17.0).state.habits.gaps != [], "the next one does again"
