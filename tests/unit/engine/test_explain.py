"""What an inactivity alert says of itself, and what any moment says."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import msgspec
import pytest

from gateway.domain.alert import Alert, Doubt, Explanation
from gateway.domain.instant import HOUR
from gateway.domain.moment import Belief, Moment
from gateway.domain.observation import (
    AnswerState,
    PauseEnded,
    PauseStarted,
    SensorFault,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
)
from gateway.engine.explain import NAMED_MOST, is_weekend
from gateway.engine.prior import ANYWHERE
from tests.support.life import MONDAY, WIRED, Life, beacons

NO_DOOR = tuple(s for s in WIRED if s.id != "door")
SATURDAY = 5 * 24.0


class Even:
    """A network that always says the same."""

    fingerprint = "even"
    silences = ANYWHERE

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self.asked = 0

    def hazard(self, rows: array[float]) -> list[float]:
        self.asked += 1
        return [self.probability] * (len(rows) // 32)


def explained(life: Life) -> Explanation:
    said = life.of("inactivity")[-1].explanation
    assert said is not None
    return said


def moment(life: Life, hour: float) -> Moment:
    life.until(hour)
    return life.engine.explain(life.instant(hour))


def lived(days: int, life: Life | None = None) -> Life:
    """A life with one quiet hour after the other between 8 and 20 o'clock."""
    life = life or Life()
    for day in range(days):
        life.moves(day * 24.0 + 8.0, "door").moves(day * 24.0 + 8.1)
        for hour in range(9, 21):
            life.moves(day * 24.0 + hour)
    return life


# -- alerts ----------------------------------------------------------------------------------------


def test_a_ceiling_says_who_was_silent_and_when_the_door_was_used() -> None:
    life = Life().moves(0.5, "door").moves(1.0).until(9.5)
    said = explained(life)
    assert said.by == "ceiling"
    assert said.silent == ("hall", "bed", "fridge", "door")
    assert said.door_used == pytest.approx(8.5 * HOUR)
    assert (said.door_open, said.at_door) == (True, False)
    assert said.weekend is False


def test_own_habits_and_the_network_are_told_apart() -> None:
    for predictor, by in ((Even(0.6), "network+kernel"), (Even(float("nan")), "kernel")):
        life = lived(8, Life(predictor=predictor)).until(8 * 24.0)
        said = explained(life)
        assert said.by == by
        assert (Doubt.NO_MODEL in said.doubts) is (by == "kernel")
        assert said.usual_p50 is not None
        assert said.usual_p95 is not None
        assert 0.0 < said.usual_p50 <= said.usual_p95


def test_what_people_did_about_it_changes_nothing_of_who_decided() -> None:
    life = Life().moves(1.0).until(9.5)
    life.answers(9.6, life.of("inactivity")[-1])
    assert life.of("inactivity")[-1].state == "accepted"
    assert explained(life).by == "ceiling"


def test_an_alert_that_is_over_explains_no_other_silence() -> None:
    life = Life().moves(1.0).until(26.0).moves(26.5)
    cleared = life.of("inactivity")[-1]
    assert (cleared.state, cleared.explanation) == ("cleared", None)
    life.answers(30.0, cleared, AnswerState.ACCEPTED)
    assert life.of("inactivity")[-1].explanation is None


def test_a_long_absence_and_an_unknown_welfare_are_explained_by_their_rules() -> None:
    away = Life().moves(1.0, "door").until(26.0).of("away.too_long")[-1].explanation
    assert away is not None
    assert (away.by, away.at_door) == ("rule", True)
    life = Life().moves(1.0).at(8.5, SourceChanged("recording", alive=False)).until(11.0)
    welfare = life.of("welfare")[-1].explanation
    assert welfare is not None
    assert (welfare.by, welfare.silent) == ("rule", ())
    assert Doubt.PART_BLIND in welfare.doubts


def test_other_alerts_carry_no_explanation() -> None:
    life = Life().moves(1.0, "door").moves(1.1).until(30.0)
    assert {a.explanation is None for a in life.of("door")} == {True}
    assert life.of("door")


def test_usual_rests_on_days_of_the_same_kind() -> None:
    life = Life()
    for day in range(28):
        weekend = day % 7 >= 5
        for hour in (8.0, 12.0) if weekend else (8.0, 9.0, 10.0, 11.0, 12.0):
            life.moves(day * 24.0 + hour).moves(day * 24.0 + hour + 0.1)
    weekday, weekend_ = (
        moment(life.copy().moves(at), at + 0.3) for at in (28 * 24 + 8, 33 * 24 + 8)
    )
    assert weekday.explanation.weekend is False
    assert weekend_.explanation.weekend is True
    assert weekday.explanation.usual_p50 is not None
    assert weekend_.explanation.usual_p50 is not None
    assert weekend_.explanation.usual_p50 > weekday.explanation.usual_p50


def test_monday_is_no_weekend() -> None:
    days = [is_weekend(MONDAY + 9 * HOUR + day * 24 * HOUR) for day in range(7)]
    assert days == [False] * 5 + [True] * 2


def test_only_sensors_that_are_proven_alive_speak_for_a_silence() -> None:
    life = Life((*WIRED, *beacons(2))).moves(1.0)
    life.at(8.98, Switched("pir1", on=True, fresh=False))
    assert explained(life.until(9.0)).silent == ("hall", "bed", "fridge", "door", "pir1")


def test_many_sensors_are_counted() -> None:
    many = tuple(msgspec.structs.replace(WIRED[0], id=f"hall{n:02d}") for n in range(40))
    said = explained(Life(many).moves(1.0, "hall00").until(9.5))
    assert (len(said.silent), said.more_silent) == (NAMED_MOST, 40 - NAMED_MOST)


def test_an_alert_of_the_time_before_is_still_read() -> None:
    alert = Life().moves(1.0).until(9.5).of("inactivity")[-1]
    old = msgspec.json.decode(msgspec.json.encode(alert))
    del old["explanation"]
    assert msgspec.convert(old, Alert) == msgspec.structs.replace(alert, explanation=None)
    assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert


def test_a_doubt_of_a_later_version_spoils_no_row() -> None:
    row = msgspec.json.encode(Explanation(doubts=("of-the-future",)))
    assert msgspec.json.decode(row, type=Explanation).doubts == ("of-the-future",)


# -- doubts ----------------------------------------------------------------------------------------


def suspect() -> Life:
    return Life().moves(1.0).at(2.0, SensorFault("bed", "stuck", present=True))


def at_door() -> Life:
    return Life().moves(1.0, "door").moves(1.001, "door", on=False)


def open_door() -> Life:
    return Life().moves(1.0, "door").moves(1.1)


def blind() -> Life:
    life = Life().moves(1.0).at(2.0, SourceChanged("recording", alive=False))
    return life.until(3.0).at(3.0, SourceChanged("recording", alive=True))


def paused() -> Life:
    return Life().moves(1.0).at(1.5, PauseStarted(3600.0, "office")).at(2.0, PauseEnded("office"))


def visited() -> Life:
    return Life().moves(1.0).at(1.5, VisitStarted("carer")).at(2.0, VisitEnded("carer"))


def unsure_clock() -> Life:
    life = Life()
    life.synced = False
    return life.moves(1.0)


DOUBTFUL: dict[Doubt, Callable[[], Life]] = {
    Doubt.SUSPECT_SENSORS: suspect,
    Doubt.AT_DOOR: at_door,
    Doubt.DOOR_OPEN: open_door,
    Doubt.NO_DOOR_SENSOR: lambda: Life(NO_DOOR).moves(1.0),
    Doubt.LITTLE_HISTORY: lambda: Life().moves(1.0),
    Doubt.NO_MODEL: lambda: Life().moves(1.0),
    Doubt.PART_BLIND: blind,
    Doubt.PART_PAUSED: paused,
    Doubt.VISITED: visited,
    Doubt.CLOCK_UNSURE: unsure_clock,
    Doubt.NEVER_SEEN: lambda: Life().at(1.0, Switched("hall", on=False)),
}


def test_every_doubt_has_a_life_in_which_it_arises() -> None:
    assert set(DOUBTFUL) == set(Doubt)


@pytest.mark.parametrize("doubt", list(Doubt))
def test_a_doubt_arises_where_it_should(doubt: Doubt) -> None:
    assert doubt in moment(DOUBTFUL[doubt](), 4.0).explanation.doubts


def test_a_home_that_is_known_and_seen_leaves_no_doubt() -> None:
    life = lived(15, Life(predictor=Even(0.3)))
    life.moves(15 * 24.0 + 7.9, "door", on=False).moves(15 * 24.0 + 8.0)
    assert moment(life, 15 * 24.0 + 8.5).explanation.doubts == ()


def test_a_stuck_sensor_does_not_speak_for_a_silence() -> None:
    assert "bed" not in moment(suspect(), 4.0).explanation.silent


def test_a_door_is_told_from_the_silence_even_where_nobody_used_it() -> None:
    said = moment(Life().moves(1.0), 4.0).explanation
    assert (said.door_used, said.door_open, said.at_door) == (None, False, False)
    said = moment(Life(NO_DOOR).moves(1.0), 4.0).explanation
    assert (said.door_used, said.door_open, said.at_door) == (None, None, None)


# -- moments ---------------------------------------------------------------------------------------


def test_a_moment_foretells_exactly_what_then_comes() -> None:
    for predictor in (None, Even(0.5), Even(0.9)):
        life = lived(8, Life(predictor=predictor))
        for after in (0.3, 3.0):
            told = life.copy()
            foretold = moment(told, 7 * 24.0 + 20.0 + after)
            told.alerts = [a for a in told.alerts if a.at.wall > foretold.at.wall]
            told.until(7 * 24.0 + 20.0 + 40.0)
            ahead = [(int(s.level), round(s.at.wall)) for s in foretold.steps if s.at is not None]
            came = [(int(a.level), round(a.at.wall)) for a in told.of("inactivity")]
            assert came == ahead
            by = {int(s.level): s.by for s in foretold.steps}
            for alert in told.of("inactivity"):
                assert alert.explanation is not None
                assert alert.explanation.by == by[int(alert.level)]


def test_an_absence_foretells_its_own_steps() -> None:
    life = Life().moves(1.0, "door")
    before, after = moment(life, 1.1), moment(life, 2.0)
    assert (before.belief, after.belief) == (Belief.HOME, Belief.AWAY)
    hours = [
        [None if s.at is None else round((s.at.wall - MONDAY) / HOUR, 3) for s in told.steps]
        for told in (before, after)
    ]
    assert hours == [[1.25, 25.0, 37.0], [None, 25.0, 37.0]]


@pytest.mark.parametrize(
    ("life", "belief", "steps"),
    [
        (Life().moves(1.0).at(2.0, PauseStarted(9 * 3600.0, "office")), Belief.PAUSED, []),
        (
            Life().moves(1.0).at(2.0, SourceChanged("recording", alive=False)),
            Belief.BLIND,
            ["welfare.unknown"],
        ),
    ],
    ids=["paused", "blind"],
)
def test_a_clock_that_stands_still_foretells_no_level(
    life: Life, belief: Belief, steps: list[str]
) -> None:
    told = moment(life, 4.0)
    assert told.belief is belief
    assert [str(step.type) for step in told.steps] == steps


def test_an_engine_that_has_seen_nothing_says_so() -> None:
    life = Life()
    told = life.engine.explain(life.instant(1.0))
    assert told.belief is Belief.STARTING
    assert told.explanation.usual_p50 is None


def test_explaining_changes_nothing() -> None:
    life = lived(3).until(3 * 24.0)
    before = life.engine.snapshot()
    life.engine.explain(life.instant(3 * 24.0 + 5.0))
    assert life.engine.snapshot() == before
