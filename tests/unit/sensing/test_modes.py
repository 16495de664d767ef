from __future__ import annotations

from gateway.domain.instant import DAY
from gateway.sensing.modes import HOLD, Mode, Modes

BEACONS = {"hall": 60.0, "stove": 20.0}


def test_active_is_the_rule_and_passive_is_what_was_asked_for() -> None:
    assert Modes(Mode.ACTIVE, BEACONS).current(0.0) is Mode.ACTIVE
    assert Modes(Mode.PASSIVE, BEACONS).current(0.0) is Mode.PASSIVE


def test_one_late_answer_is_no_flood_two_are_and_it_is_over_after_ten_minutes() -> None:
    modes = Modes(Mode.ACTIVE, BEACONS)
    assert modes.lag(2.0, 0.0) is False
    assert modes.lag(0.01, 15.0) is False
    assert modes.lag(2.0, 30.0) is False
    assert modes.lag(2.0, 45.0) is True
    assert modes.flooded(45.0)
    assert modes.current(46.0) is Mode.PASSIVE
    assert modes.current(45.0 + HOLD) is Mode.ACTIVE


def test_a_bluez_without_passive_scanning_stays_active_even_in_a_flood() -> None:
    modes = Modes(Mode.PASSIVE, BEACONS)
    modes.refused(0.0)
    modes.lag(2.0, 1.0)
    modes.lag(2.0, 2.0)
    assert modes.flooded(3.0)
    assert modes.current(3.0) is Mode.ACTIVE
    assert modes.current(DAY + 1.0) is Mode.PASSIVE


def test_passive_scanning_must_prove_every_beacon_or_is_given_up_for_a_day() -> None:
    modes = Modes(Mode.PASSIVE, BEACONS)
    heard = {"hall": 100.0, "stove": 100.0}
    assert modes.check(heard, since=0.0, now=150.0) is None
    heard["stove"] = 250.0
    assert modes.check(heard, since=0.0, now=279.0) is None
    assert modes.check(heard, since=0.0, now=281.0) == "hall"
    assert modes.current(282.0) is Mode.ACTIVE
    assert modes.current(281.0 + DAY) is Mode.PASSIVE


def test_a_beacon_that_was_heard_before_passive_scanning_began_has_to_be_heard_again() -> None:
    modes = Modes(Mode.PASSIVE, {"hall": 60.0})
    assert modes.check({"hall": 999.0}, since=1000.0, now=1179.0) is None
    assert modes.check({"hall": 999.0}, since=1000.0, now=1181.0) == "hall"


def test_in_active_mode_a_missing_beacon_is_the_sensors_fault_and_not_the_modes() -> None:
    assert Modes(Mode.ACTIVE, BEACONS).check({}, since=0.0, now=10_000.0) is None
