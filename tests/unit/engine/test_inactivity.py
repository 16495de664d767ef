"""What the engine makes of silences."""

from gateway.domain.alert import Outcome
from gateway.domain.observation import AnswerState, PauseStarted, Switched, VisitEnded, VisitStarted
from gateway.engine.engine import Engine
from gateway.engine.stopping import Knobs
from tests.support.life import WIRED, Life

DOOR_SOON = Knobs(ask=20.0, tell=40.0, tell_by_asking=40.0, door=1.0)
"""An hour of waiting at the door costs as much as one inside."""

NO_DOOR = tuple(s for s in WIRED if s.id != "door")


def test_one_silence_is_one_alert_that_climbs_at_the_ceilings() -> None:
    life = Life().moves(1.0).until(30.0)
    assert life.told("inactivity") == [
        (9.0, 1, "raised"),
        (13.0, 2, "escalated"),
        (25.0, 3, "escalated"),
    ]
    assert len({alert.id for alert in life.of("inactivity")}) == 1
    assert [alert.version for alert in life.of("inactivity")] == [1, 2, 3]


def test_activity_clears_the_alert_and_the_next_silence_is_a_new_one() -> None:
    life = Life().moves(1.0).moves(10.0).until(19.0)
    assert life.told("inactivity") == [
        (9.0, 1, "raised"),
        (10.0, 1, "cleared"),
        (18.0, 1, "raised"),
    ]
    first, _, second = life.of("inactivity")
    assert first.id != second.id


def test_level_three_stays_open_until_the_centre_closes_it() -> None:
    life = Life().moves(1.0).until(26.0).moves(26.5)
    last = life.of("inactivity")[-1]
    assert (last.state, last.open, last.cause) == ("cleared", True, False)
    life.answers(27.0, last, AnswerState.CLOSED, Outcome.TRUE)
    closed = life.of("inactivity")[-1]
    assert (closed.state, closed.open, closed.outcome) == ("closed", False, Outcome.TRUE)
    assert life.engine.open_alerts() == []


def test_a_closed_alert_does_not_silence_the_next_ceiling() -> None:
    life = Life().moves(1.0).until(13.5)
    life.answers(13.5, life.of("inactivity")[-1], AnswerState.CLOSED, Outcome.FALSE_SLEEP)
    life.until(26.0)
    last = life.of("inactivity")[-1]
    assert (last.version, last.level, last.state) == (1, 3, "raised")


def test_a_silence_that_goes_on_after_its_last_level_was_closed_is_told_again_a_day_later() -> None:
    life = Life().moves(1.0).until(26.0)
    for closed in (26.0, 51.0):
        life.answers(closed, life.of("inactivity")[-1], AnswerState.CLOSED, Outcome.FALSE_SLEEP)
        life.until(closed + 23.9)
        assert life.of("inactivity")[-1].state == "closed"
        life.until(closed + 24.1)
        last = life.of("inactivity")[-1]
        assert (last.version, last.level, last.state) == (1, 3, "raised")
    assert len({alert.id for alert in life.of("inactivity")}) == 3
    life.until(200.0)
    assert life.of("inactivity")[-1].id == last.id, "an open alert is not told again"


def test_a_day_after_closing_counts_only_hours_that_were_seen_and_ends_with_activity() -> None:
    life = Life().moves(1.0).until(26.0)
    life.answers(26.0, life.of("inactivity")[-1], AnswerState.CLOSED, Outcome.TRUE)
    life.at(30.0, PauseStarted(10 * 3600.0, "family"))
    life.until(59.9)
    assert life.of("inactivity")[-1].state == "closed"
    life.until(60.1)
    assert life.of("inactivity")[-1].state == "raised"
    life = Life().moves(1.0).until(26.0)
    life.answers(26.0, life.of("inactivity")[-1], AnswerState.CLOSED, Outcome.TRUE)
    life.moves(40.0).until(47.9)
    assert life.of("inactivity")[-1].state == "closed"


def test_motion_that_ends_is_no_activity_but_a_door_that_closes_is() -> None:
    life = Life().moves(1.0).moves(5.0, on=False).until(9.5)
    assert life.told("inactivity") == [(9.0, 1, "raised")]
    life = Life().moves(1.0).moves(5.0, "fridge", on=False).until(9.5)
    assert life.told("inactivity") == []


def test_a_level_read_again_is_no_activity() -> None:
    life = Life().moves(1.0).at(5.0, Switched("hall", on=True, fresh=False)).until(9.5)
    assert life.told("inactivity") == [(9.0, 1, "raised")]


def test_a_silence_that_begins_at_the_door_is_an_absence() -> None:
    life = Life().moves(1.0).moves(1.001, "door").moves(1.002, "door", on=False).until(24.0)
    assert life.told("inactivity") == []
    assert life.told("away") == [(1.252, 0, "raised")]
    assert life.engine.watch(life.instant(24.0)).away


def test_a_long_absence_is_told_as_one_alert() -> None:
    life = Life().moves(1.0, "door").until(40.0).moves(40.5)
    assert life.told("away") == [
        (1.25, 0, "raised"),
        (25.0, 1, "escalated"),
        (37.0, 2, "escalated"),
        (40.5, 2, "cleared"),
    ]


def test_somebody_who_moves_on_after_the_door_is_at_home() -> None:
    life = Life().moves(1.0, "door").moves(1.02).until(9.5)
    assert life.told("away") == []
    assert life.told("inactivity") == [(9.02, 1, "raised")]


def test_a_visitor_who_leaves_does_not_take_the_resident_along() -> None:
    life = Life().moves(1.0).at(2.0, VisitStarted("carer")).moves(2.1, "hall")
    life.at(2.5, VisitEnded("carer")).moves(2.51, "door").until(9.5)
    assert life.told("away") == []
    assert life.told("inactivity") == [(9.0, 1, "raised")]  # motion of a visit resets no clock


def test_a_pause_stops_the_clock_and_ends_by_itself() -> None:
    life = Life(NO_DOOR).moves(1.0).at(2.0, PauseStarted(10 * 3600.0)).until(30.0)
    assert life.told("privacy") == [(2.0, 1, "raised"), (12.0, 1, "cleared")]
    assert life.told("inactivity")[0] == (20.0, 1, "raised")


def test_a_home_that_never_moved_is_told_too() -> None:
    life = Life().at(0.0, Switched("hall", on=False)).until(9.0)
    assert life.told("inactivity") == [(8.0, 1, "raised")]
    assert life.of("inactivity")[0].quiet.last_activity is None


def test_forged_motion_of_a_sensor_without_key_holds_off_no_ceiling() -> None:
    unkeyed = type(WIRED[0])("open", WIRED[0].kind, WIRED[0].room, keyed=False)
    life = Life((*WIRED, unkeyed)).moves(1.0)
    for hour in range(2, 9):
        life.moves(float(hour), "open")
    assert life.until(9.5).told("inactivity") == [(9.0, 1, "raised")]


def test_a_copy_goes_its_own_way() -> None:
    life = Life().moves(1.0)
    other = life.copy()
    other.until(30.0)
    assert life.engine.open_alerts() == []
    assert isinstance(other.engine, Engine)
    assert len(other.engine.open_alerts()) == 1


def test_a_taken_seat_holds_off_an_absence_until_it_is_left() -> None:
    life = Life().moves(1.0).moves(1.001, "door").moves(1.01, "bed").until(5.0)
    assert life.told("away") == []
    assert not life.engine.watch(life.instant(5.0)).away
    life.moves(5.0, "bed", on=False).moves(5.005, "door").until(6.0)
    assert life.told("away") == [(5.255, 0, "raised")]


def test_the_silence_of_a_bed_is_learned_as_one_although_it_ends_by_leaving_it() -> None:
    life = Life().moves(1.0).moves(1.5, "bed").moves(4.5, "bed", on=False).moves(6.0)
    assert [gap.seated for gap in life.state.habits.gaps] == [False, True, False]


def test_a_seat_that_was_taken_down_while_taken_holds_off_nothing() -> None:
    life = Life().moves(1.0).moves(2.0, "bed")
    life.household = type(life.household)(
        "hub-test", tuple(sensor for sensor in WIRED if sensor.id != "bed")
    )
    life.restart(2.1, up_until=2.1, start="start2")
    assert life.state.presence.seats == []


def test_an_absence_that_the_model_finds_too_long_is_told_before_its_limit() -> None:
    life = Life(knobs=DOOR_SOON).moves(1.0).moves(1.001, "door").until(40.0)
    first, second = (told for told in life.told("away") if told[1])
    assert first[0] < second[0] < 25.0
    assert (first[1], second[1]) == (1, 2)
    assert {alert.because for alert in life.of("away") if alert.level} == {"model"}
    assert len({alert.id for alert in life.of("away")}) == 1


def test_an_absence_that_reached_the_centre_teaches_nothing() -> None:
    told = Life().moves(1.0).moves(1.001, "door").moves(38.0, "door")
    assert told.told("away")[-2:] == [(37.001, 2, "escalated"), (38.0, 2, "cleared")]
    assert told.state.habits.gaps == []
    untold = Life().moves(1.0).moves(1.001, "door").moves(30.0, "door")
    assert len(untold.state.habits.gaps) == 1


def away_and_judged(outcome: Outcome, *, early: bool = False) -> Life:
    """An absence that the centre was told of at hour 37 and closed, before or after the return."""
    life = Life().moves(1.0).moves(1.001, "door").until(37.5)
    alert = life.of("away")[-1]
    if early:
        life.answers(37.6, alert, AnswerState.CLOSED, outcome)
    life.moves(38.0, "door")
    if not early:
        life.answers(38.1, alert, AnswerState.CLOSED, outcome)
    return life


def test_an_absence_that_the_centre_found_to_be_one_is_learned_whenever_it_says_so() -> None:
    for early in (False, True):
        habits = away_and_judged(Outcome.FALSE_AWAY, early=early).state.habits
        assert [gap.length for gap in habits.gaps] == [36 * 60 + 59]
        assert habits.told == []


def test_an_absence_that_was_judged_otherwise_is_not_learned() -> None:
    for outcome in set(Outcome) - {Outcome.FALSE_AWAY}:
        assert away_and_judged(outcome).state.habits.gaps == []


def test_a_silence_inside_is_not_learned_although_the_centre_calls_it_an_absence() -> None:
    life = Life().moves(1.0).until(13.5)
    life.answers(13.6, life.of("inactivity")[-1], AnswerState.CLOSED, Outcome.FALSE_AWAY)
    assert life.moves(14.0).state.habits.gaps == []


def test_who_is_away_each_weekend_is_no_longer_told_of_before_the_limit() -> None:
    def weekends(outcome: Outcome) -> list[float]:
        """Hours after the beginning at which the centre was told, by weekend."""
        life = Life(knobs=Knobs())
        told: list[tuple[str, float]] = []
        for week in range(10):
            for day in range(5):
                for slot in range(28):
                    life.moves(week * 168.0 + day * 24 + 8 + slot / 2)
            leaves = week * 168.0 + 5 * 24 + 10.0
            life.moves(leaves - 0.001).moves(leaves, "door").until(leaves + 30.0)
            alarms = [a for a in life.of("away") if a.level == 2 and a.cause]
            if alarms and alarms[-1].id not in [a for a, _ in told]:
                told.append((alarms[-1].id, life.told("away")[-1][0] - leaves))
            life.moves(leaves + 32.0, "door").moves(leaves + 32.1)
            if alarms:
                life.answers(leaves + 32.2, alarms[-1], AnswerState.CLOSED, outcome)
        return [after for _, after in told]

    assert len(weekends(Outcome.FALSE_AWAY)) < len(weekends(Outcome.UNKNOWN)) / 2


def watched_long_enough(outcome: Outcome, *, early: bool) -> list[int]:
    """Days of the ends that count for the knobs, after a silence that the centre was told of and
    closed before (``early``) or after it ended."""
    life = Life()
    for day in range(9):
        for hour in range(24):
            life.moves(day * 24.0 + hour)
    last = 8 * 24.0 + 23.0
    life.until(last + 12.5)
    alert = life.of("inactivity")[-1]
    if early:
        life.answers(last + 12.6, alert, AnswerState.CLOSED, outcome)
    life.moves(last + 13.0)
    if not early:
        life.answers(last + 13.1, alert, AnswerState.CLOSED, outcome)
    for day in range(10, 20):
        life.moves(day * 24.0 + 12.0).moves(day * 24.0 + 12.1)
    return [end.day for end in life.state.control.ends if end.tell > 0.0]


def test_a_true_alarm_moves_no_knob_even_if_it_was_closed_before_anybody_moved() -> None:
    true = watched_long_enough(Outcome.TRUE, early=True)
    assert true == watched_long_enough(Outcome.TRUE, early=False)
    false = watched_long_enough(Outcome.FALSE_SLEEP, early=True)
    assert false == watched_long_enough(Outcome.FALSE_SLEEP, early=False)
    assert len(false) == len(true) + 1


def test_a_reboot_whose_length_shows_late_leaves_the_beginning_before_the_answer() -> None:
    life = Life(household=type(Life().household)("hub-test", WIRED, asks=True), knobs=Knobs())
    life.moves(1.0).at(1.5, Switched("hall", on=False))
    life.synced, life.wall_error = False, -10 * 3600.0
    life.restart(12.0, up_until=2.0, kernel="other", start="start2")
    life.synced, life.wall_error = True, 0.0
    life.at(12.1, Switched("hall", on=False, fresh=False)).until(13.5)
    silence = life.state.silence
    assert silence.began == silence.since
    assert silence.is_spoilt
