"""Faults that a source finds, batteries, and sensors that drop out of the home's life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.health import SensorState
from gateway.domain.instant import DAY
from gateway.domain.observation import Measured, Quantity, SensorFault, SourceChanged
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.engine.batteries import Battery
from tests.support.life import WIRED, Life, beacons


def fault(sensor: str, name: str, *, present: bool = True) -> SensorFault:
    return SensorFault(sensor, name, present)


@pytest.mark.parametrize("name", ["wire", "stuck", "replay", "downgrade", "bad-key"])
def test_a_fault_is_one_alert_that_names_it_ages_and_ends(name: str) -> None:
    life = Life().moves(0.0).at(1.0, fault("hall", name)).at(1.5, fault("hall", name))
    for hour in range(2, 80, 4):
        life.moves(float(hour), "fridge")
    life.at(80.0, fault("hall", name, present=False))
    told = life.of("tech.sensor_suspect")
    assert life.told("tech.sensor_suspect") == [
        (1.0, 1, "raised"),
        (25.0, 2, "escalated"),
        (73.0, 3, "escalated"),
        (80.0, 3, "cleared"),
    ]
    assert {(a.subject, a.because) for a in told} == {("hall", name)}
    assert len({a.id for a in told}) == 1


def test_an_opened_housing_is_tampering_and_begins_at_level_two() -> None:
    life = Life().at(1.0, fault("hall", "tamper-evidence"))
    assert life.told("tech.tamper") == [(1.0, 2, "raised")]


def test_a_help_button_that_does_not_call_begins_at_level_two() -> None:
    life = Life().at(1.0, fault("button", "replay"))
    assert [(int(a.level), a.because) for a in life.of("tech.sensor_suspect")] == [(2, "replay")]


def test_a_fault_is_no_sign_of_life_and_no_activity() -> None:
    quiet, faulty = Life().moves(0.0), Life().moves(0.0)
    for hour in range(1, 24):
        faulty.at(float(hour), fault("hall", "bad-key", present=bool(hour % 2)))
    assert faulty.until(25.0).told("inactivity") == quiet.until(25.0).told("inactivity")


@pytest.mark.parametrize("name", ["wire", "stuck", "replay"])
def test_sensors_whose_words_may_be_nobodys_do_not_prove_that_the_home_is_seen(name: str) -> None:
    life = Life(beacons(1)).moves(0.0, "pir0").at(0.01, fault("pir0", name))
    life.moves(0.09, "pir0").until(0.1)
    assert not life.engine.watch(life.instant(0.1)).watching
    assert life.engine.watch(life.instant(0.1)).sensors["pir0"] is SensorState.UNPROVEN
    life.moves(0.2, "pir0").at(0.21, fault("pir0", name, present=False)).until(0.22)
    assert life.engine.watch(life.instant(0.22)).watching


def test_somebody_who_tries_does_not_blind_the_home() -> None:
    life = Life(beacons(1)).moves(0.0, "pir0")
    life.at(0.01, fault("pir0", "bad-key")).at(0.02, fault("pir0", "downgrade")).until(0.1)
    assert life.engine.watch(life.instant(0.1)).watching


def test_a_sensor_without_a_key_never_proves_that_the_home_is_seen() -> None:
    plain = Sensor("p", Kind.MOTION, Room.HALL, Supervision.BEACON, 60.0, "ble", keyed=False)
    life = Life((plain,)).moves(0.0, "p").until(0.5)
    assert not life.engine.watch(life.instant(0.5)).watching


def test_faults_outlast_a_restart_and_end_when_the_source_says_so() -> None:
    life = Life(beacons(1)).moves(0.0, "pir0").at(0.01, fault("pir0", "replay"))
    life.restart(0.1, up_until=0.05, start="start2").at(0.11, SourceChanged("ble", alive=True))
    assert not life.moves(0.12, "pir0").engine.watch(life.instant(0.12)).watching
    life.at(0.2, fault("pir0", "replay", present=False)).moves(0.21, "pir0")
    assert life.engine.watch(life.instant(0.21)).watching
    assert life.rebuilt().snapshot() == life.engine.snapshot()


# -- batteries ------------------------------------------------------------------------------------


def test_a_low_battery_is_told_daily_as_one_alert_until_it_is_renewed() -> None:
    life = Life().at(1.0, Measured("hall", Quantity.BATTERY, 12.0)).until(50.0)
    life.at(50.0, Measured("hall", Quantity.BATTERY, 100.0)).until(100.0)
    told = life.of("tech.sensor_battery")
    assert [round((a.at.wall - told[0].at.wall) / DAY, 2) for a in told[:-1]] == [0.0, 1.0, 2.0]
    assert str(told[-1].state) == "cleared"
    assert len({a.id for a in told}) == 1


def test_a_battery_that_falls_is_told_while_two_weeks_are_left() -> None:
    life = Life()
    percent = 100.0
    for day in range(200):
        if percent <= 0:
            break
        life.at(24.0 * day + 1, Measured("hall", Quantity.BATTERY, float(round(percent))))
        percent -= 1.0
    first = life.of("tech.sensor_battery")[0]
    emptied = 24.0 * 100 + 1
    left = emptied - (first.at.wall - life.instant(0).wall) / 3600
    assert 14 * 24 <= left <= 26 * 24
    assert first.days_left is not None
    assert 0 <= left / 24 - first.days_left < 7  # a radio falls silent before 0 %


def test_warmth_and_rounding_are_no_fall_and_no_new_battery() -> None:
    battery = Battery()
    for day in range(60):
        assert not battery.told(80.0 + (day % 3), day * DAY)
        assert not battery.is_low(80.0, day * DAY)
    assert battery.days_left(60 * DAY) is None


@given(st.lists(st.tuples(st.floats(0, 3 * DAY), st.floats(0, 100)), max_size=200))
def test_whatever_a_battery_says_memory_is_bounded_and_days_are_not_negative(
    told: list[tuple[float, float]],
) -> None:
    battery, now = Battery(), 0.0
    for passed, percent in told:
        now += passed
        battery.told(percent, now)
        left = battery.days_left(now)
        assert left is None or left >= 0
        assert battery.is_low(percent, now) or percent > 15
    assert len(battery.lows) <= 8


# -- by comparison --------------------------------------------------------------------------------


def lived(days: int, *, without: tuple[str, int] | None = None, alone: str = "") -> Life:
    """Plain days: hall, fridge and bed from eight to ten at night; one sensor may fall out of them
    on a day."""
    life = Life(WIRED)
    for day in range(days):
        for hour in range(8, 22):
            for minute, sensor in ((5, "hall"), (10, "fridge"), (15, "bed")):
                if without is not None and sensor == without[0] and day >= without[1]:
                    continue
                if alone and sensor != alone and day >= days - 1:
                    continue
                life.moves(24 * day + hour + minute / 60, sensor)
    return life.until(24.0 * days)


def test_a_covered_sensor_is_told_within_a_day_of_the_others_going_on() -> None:
    life = lived(16, without=("fridge", 12))
    (told,) = life.of("tech.sensor_suspect")[:1]
    assert (told.subject, told.because) == ("fridge", "silent")
    last = 24 * 11 + 21 + 10 / 60
    assert (told.at.wall - life.instant(last).wall) / 3600 <= 24.0


def test_it_is_over_with_the_next_thing_that_it_sees() -> None:
    life = lived(16, without=("fridge", 12)).moves(24 * 16 + 1.0, "fridge")
    assert str(life.of("tech.sensor_suspect")[-1].state) == "cleared"


def test_a_home_that_goes_quiet_as_a_whole_makes_no_sensor_suspect() -> None:
    life = lived(14)
    life.until(24.0 * 20)
    assert life.of("tech.sensor_suspect") == []
    assert life.told("inactivity")


def test_no_sensor_is_suspect_in_its_first_week() -> None:
    assert lived(6, without=("fridge", 3)).of("tech.sensor_suspect") == []


def test_one_that_sees_something_without_end_is_told() -> None:
    life = lived(10)
    for minute in range(0, 26 * 60, 8):
        life.moves(240.0 + minute / 60, "hall")
    assert ("hall", "busy") in {(a.subject, a.because) for a in life.of("tech.sensor_suspect")}
