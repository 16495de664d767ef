"""Help, hazards and the plain rules of the A-table."""

from gateway.domain.alert import Outcome
from gateway.domain.decisions import Summary
from gateway.domain.observation import (
    AnswerState,
    Heard,
    HubFault,
    Measured,
    Pressed,
    Quantity,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
)
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from tests.support.life import WIRED, Life, beacons

MORE = (
    Sensor("smoke", Kind.SMOKE, Room.KITCHEN),
    Sensor("flood", Kind.FLOOD, Room.BATH),
    Sensor("warmth", Kind.TEMPERATURE, Room.LIVING),
    Sensor("power", Kind.MAINS, Room.HALL),
    Sensor("lid", Kind.TAMPER, Room.HALL),
)


def test_a_help_press_is_level_four_at_once() -> None:
    life = Life().moves(1.0).at(2.0, Pressed("button"))
    assert life.told("help") == [(2.0, 4, "raised")]
    assert life.of("help")[0].subject == "button"


def test_pressing_again_tells_the_same_alert_again() -> None:
    life = Life().at(2.0, Pressed("button")).at(2.01, Pressed("button"))
    first, second = life.of("help")
    assert (first.id, first.presses) == (second.id, 1)
    assert (second.version, second.presses) == (2, 2)


def test_a_press_after_closing_is_a_new_call() -> None:
    life = Life().at(2.0, Pressed("button"))
    first = life.of("help")[-1]
    life.answers(2.1, first).answers(2.2, first, AnswerState.CLOSED, Outcome.TRUE)
    life.at(3.0, Pressed("button"))
    assert [alert.state for alert in life.of("help")] == ["raised", "accepted", "closed", "raised"]
    assert life.of("help")[-1].id != first.id


def test_an_answer_about_another_homes_alert_changes_nothing() -> None:
    life = Life().at(2.0, Pressed("button"))
    stranger = Life(household=type(life.household)("hub-other", WIRED)).at(2.0, Pressed("button"))
    life.answers(2.1, stranger.of("help")[0], AnswerState.CLOSED, Outcome.TRUE)
    assert len(life.engine.open_alerts()) == 1
    assert len(life.alerts) == 1


def test_smoke_is_told_at_once_and_stays_until_closed() -> None:
    life = Life((*WIRED, *MORE)).at(1.0, Switched("smoke", on=True))
    life.at(1.5, Switched("smoke", on=False))
    assert life.told("hazard") == [(1.0, 4, "raised"), (1.5, 4, "cleared")]
    assert [alert.type for alert in life.engine.open_alerts()] == ["hazard.smoke"]


def test_water_is_level_three() -> None:
    life = Life((*WIRED, *MORE)).at(1.0, Switched("flood", on=True))
    assert life.told("hazard") == [(1.0, 3, "raised")]


def test_a_cold_room_is_told_after_an_hour_and_over_when_it_is_clearly_warmer() -> None:
    life = Life((*WIRED, *MORE)).moves(0.0)
    for hour, celsius in ((1.0, 9.5), (1.5, 9.9), (2.5, 10.5), (3.0, 11.5)):
        life.at(hour, Measured("warmth", Quantity.TEMPERATURE, celsius))
    assert life.told("temp") == [(2.0, 2, "raised"), (3.0, 2, "cleared")]


def test_a_cold_moment_is_not_told() -> None:
    life = Life((*WIRED, *MORE)).moves(0.0).at(1.0, Measured("warmth", Quantity.TEMPERATURE, 5.0))
    life.at(1.9, Measured("warmth", Quantity.TEMPERATURE, 15.0)).until(7.0)
    assert life.told("temp") == []


def test_an_open_entrance_is_told_after_an_hour() -> None:
    life = Life().moves(1.0, "door").moves(1.1).until(3.0).moves(3.0, "door", on=False)
    assert life.told("door") == [(2.0, 2, "raised"), (3.0, 2, "cleared")]


def test_three_days_without_going_out_are_a_note_for_the_digest() -> None:
    life = Life().moves(0.0, "door").moves(0.001, "door", on=False)
    for hour in range(1, 80):
        life.moves(float(hour))
    assert life.told("no_exit") == [(72.001, 1, "raised")]
    assert life.moves(80.0, "door").told("no_exit")[-1] == (80.0, 1, "cleared")


def test_mains_loss_is_told_after_three_minutes_and_rises_after_an_hour() -> None:
    life = Life((*WIRED, *MORE)).moves(0.0).at(1.0, Switched("power", on=False)).until(2.5)
    life.at(2.5, Switched("power", on=True))
    assert life.told("tech.mains") == [
        (1.05, 1, "raised"),
        (2.0, 2, "escalated"),
        (2.5, 2, "cleared"),
    ]


def test_a_short_mains_loss_is_not_told() -> None:
    life = Life((*WIRED, *MORE)).at(1.0, Switched("power", on=False))
    assert life.at(1.04, Switched("power", on=True)).until(2.0).told("tech") == []


def test_a_beacon_that_dies_is_lost_within_two_hours_and_ages() -> None:
    life = Life(beacons(3)).moves(0.0, "pir0")
    hour = 0.0
    while hour < 75.5:
        life.at(hour, Heard("pir0")).at(hour, Heard("pir1"))
        hour += 0.2
    assert life.told("tech.sensor_lost") == [
        (2.0, 1, "raised"),
        (26.0, 2, "escalated"),
        (74.0, 3, "escalated"),
    ]
    assert life.engine.watch(life.instant(75.4)).sensors["pir2"] == "lost"
    assert life.engine.watch(life.instant(75.4)).watching
    life.at(76.0, Heard("pir2"))
    assert life.told("tech.sensor_lost")[-1] == (76.0, 3, "cleared")


def test_all_beacons_but_one_silent_is_blindness() -> None:
    life = Life(beacons(4)).moves(0.0, "pir0")
    hour = 0.0
    while hour < 2.0:
        life.at(hour, Heard("pir0"))
        hour += 0.1
    assert life.told("monitoring")[0] == (round(14 / 60, 3), 2, "raised")


def test_event_only_sensors_alone_never_prove_that_the_home_is_seen() -> None:
    sensors = tuple(
        Sensor(f"s{n}", Kind.MOTION, Room.HALL, Supervision.EVENT_ONLY) for n in range(3)
    )
    life = Life(sensors).moves(0.0, "s0").until(9.0)
    assert life.told("inactivity") == []
    assert not life.engine.watch(life.instant(9.0)).watching


def test_deaf_wires_are_told_after_two_minutes_and_seen_again_at_once() -> None:
    life = Life().moves(0.0).at(1.0, SourceChanged("recording", alive=False)).until(1.5)
    life.at(1.5, SourceChanged("recording", alive=True))
    assert life.told("monitoring") == [(1.033, 2, "raised"), (1.5, 2, "cleared")]


def test_a_short_restart_of_the_radio_is_not_told() -> None:
    life = Life(beacons()).moves(0.0, "pir0").at(0.1, SourceChanged("ble", alive=False))
    life.at(0.12, SourceChanged("ble", alive=True)).until(0.2)
    assert life.told("monitoring") == []


def test_a_low_battery_is_told_until_it_is_renewed() -> None:
    life = Life().at(1.0, Measured("hall", Quantity.BATTERY, 12.0)).until(26.0)
    life.at(26.0, Measured("hall", Quantity.BATTERY, 100.0))
    assert life.told("tech.sensor_battery") == [
        (1.0, 1, "raised"),
        (25.0, 2, "escalated"),
        (26.0, 2, "cleared"),
    ]


def test_damaged_settings_are_a_technical_alert() -> None:
    life = (
        Life().at(1.0, HubFault("config", present=True)).at(2.0, HubFault("config", present=False))
    )
    assert life.told("tech.config") == [(1.0, 1, "raised"), (2.0, 1, "cleared")]


def test_a_visit_is_a_note_with_begin_and_end() -> None:
    life = Life().moves(0.0).at(1.0, VisitStarted("carer")).at(1.5, VisitEnded("carer"))
    assert life.told("visit") == [(1.0, 0, "raised"), (1.5, 0, "cleared")]
    life.at(3.0, VisitStarted("yogurt")).until(5.0)
    assert life.told("visit")[-1] == (4.0, 0, "cleared")


def test_readings_of_unknown_sensors_are_counted_and_change_nothing() -> None:
    life = Life().moves(1.0).moves(5.0, "stranger").at(6.0, Pressed("stranger")).until(9.5)
    assert life.engine.ignored == 2
    assert [alert.type for alert in life.alerts] == ["inactivity.watch"]


def test_ten_minutes_become_one_summary_of_counts() -> None:
    life = Life()
    summaries: list[Summary] = []
    for minute in (0, 1, 2, 11):
        life.moves(minute / 60)
        decisions = life.engine.tick(life.instant(minute / 60))
        summaries += decisions.summaries
    summaries += life.engine.tick(life.instant(0.5)).summaries
    assert summaries[-1].events == {"hall": 1}


def test_an_entrance_read_the_wrong_way_round_is_a_suspect_sensor_and_no_open_door() -> None:
    life = Life()
    for day in range(4):
        life.moves(24.0 * day, "door").moves(24.0 * day + 20.0, "door", on=False)
    assert life.told("door") == [(1.0, 2, "raised"), (20.0, 2, "cleared")]
    assert life.told("tech.sensor_suspect") == [(24.0, 1, "raised"), (48.0, 2, "escalated")]


def test_a_hammered_button_is_counted_and_told_once_in_ten_seconds() -> None:
    life = Life().at(2.0, Pressed("button"))
    for n in range(1, 31):
        life.at(2.0 + n / 3600.0, Pressed("button"))
    assert [alert.presses for alert in life.of("help")] == [1, 11, 21, 31]
