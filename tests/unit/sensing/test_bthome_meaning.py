"""What a frame means for a sensor of each kind."""

from __future__ import annotations

import pytest

from gateway.domain.observation import Measured, Pressed, Quantity, SensorFault, Switched, What
from gateway.domain.sensor import HAZARD_KINDS, Kind, Sensor
from gateway.sensing.bthome import Decoder, Frame
from gateway.sensing.bthome_meaning import LOW, ONE_PRESS, STATES, Meaning
from tests.support.bthome_frames import ADDRESS, KEY, seal

ON, OFF = Switched("s", on=True), Switched("s", on=False)
READ_ON = Switched("s", on=True, fresh=False)
READ_OFF = Switched("s", on=False, fresh=False)


class Said:
    """One sensor's meaning, fed with objects as hex."""

    def __init__(self, kind: Kind) -> None:
        self.meaning = Meaning(Sensor("s", kind, source="ble"))
        self.counter = 0

    def __call__(self, objects: str, now: float = 0.0, *, fresh: bool = True) -> list[What]:
        return self.meaning.of(self.frame(objects), now, fresh=fresh)

    def warned(self, objects: str, *, presses: bool) -> list[What]:
        return self.meaning.warnings(self.frame(objects), 0.0, presses=presses)

    def frame(self, objects: str) -> Frame:
        self.counter += 1
        data = seal(bytes.fromhex(objects) or b"\x00\x00", self.counter)
        frame = Decoder(ADDRESS, KEY).decode(data)
        assert isinstance(frame, Frame)
        return frame


def test_each_motion_is_an_event_of_its_own() -> None:
    said = Said(Kind.MOTION)
    assert [said("2101"), said("2101"), said("2100"), said("2100"), said("2101")] == [
        [ON],
        [ON],
        [OFF],
        [],
        [ON],
    ]


@pytest.mark.parametrize(
    ("kind", "id"),
    [(kind, id) for kind, ids in STATES.items() if kind is not Kind.MOTION for id in sorted(ids)],
)
def test_a_state_counts_when_it_changes_and_the_first_is_only_read(kind: Kind, id: int) -> None:
    said = Said(kind)
    on, off = f"{id:02x}01", f"{id:02x}00"
    assert [said(off), said(off), said(on), said(on), said(off)] == [
        [READ_OFF],
        [],
        [ON],
        [],
        [OFF],
    ]
    assert Said(kind)(on) == [READ_ON]


def test_two_windows_in_one_frame_are_open_if_one_of_them_is() -> None:
    said = Said(Kind.CONTACT)
    assert said("2d002d00") == [READ_OFF]
    assert said("2d012d00") == [ON]
    assert said("2d002d01") == []
    assert said("2d002d00") == [OFF]


def test_a_sensor_s_other_objects_are_left_alone() -> None:
    for kind in (Kind.MOTION, Kind.CONTACT, Kind.SMOKE, Kind.HELP, Kind.TEMPERATURE):
        said = Said(kind)
        assert said("000105204e000c0a0b3f000016015003020100") == [], kind
    assert Said(Kind.CONTACT)("2101") == []
    assert Said(Kind.MOTION)("3a01") == []


@pytest.mark.parametrize("event", ["fe", "01", "02", "03", "04", "05", "06", "80"])
def test_any_press_of_any_button_calls_for_help_once_a_frame(event: str) -> None:
    assert Said(Kind.HELP)(f"3a{event}") == [Pressed("s")]
    assert Said(Kind.HELP)(f"3a003a{event}") == [Pressed("s")]
    assert Said(Kind.HELP)(f"3a013a{event}") == [Pressed("s")]


@pytest.mark.parametrize("event", ["00", "81", "7f"])
def test_what_is_no_press_calls_for_nothing(event: str) -> None:
    assert Said(Kind.HELP)(f"3a{event}") == []


def test_a_press_that_is_sent_again_under_another_counter_is_one_press() -> None:
    said = Said(Kind.HELP)
    assert said("00073a01", 0.0) == [Pressed("s")]
    assert said("00073a01", ONE_PRESS - 0.1) == []
    assert said("00083a01", ONE_PRESS) == [Pressed("s")]
    # A device whose packet id stands still is heard all the same.
    assert said("00083a01", 3 * ONE_PRESS) == [Pressed("s")]


def test_a_second_frame_under_one_counter_is_no_press_and_no_event() -> None:
    assert Said(Kind.HELP)("3a01", fresh=False) == []
    said = Said(Kind.CONTACT)
    said("1a00")
    assert said("1a01", fresh=False) == [READ_ON]
    assert Said(Kind.MOTION)("2101", fresh=False) == [READ_ON]


@pytest.mark.parametrize(
    ("objects", "quantity", "value"),
    [
        ("02ca09", Quantity.TEMPERATURE, 25.06),
        ("450a01", Quantity.TEMPERATURE, 26.6),
        ("57ea", Quantity.TEMPERATURE, -22.0),
        ("58ea", Quantity.TEMPERATURE, -7.7),
        ("03bf13", Quantity.HUMIDITY, 50.55),
        ("2e23", Quantity.HUMIDITY, 35.0),
    ],
)
def test_a_thermometer_tells_numbers(objects: str, quantity: Quantity, value: float) -> None:
    assert Said(Kind.TEMPERATURE)(objects) == [Measured("s", quantity, value)]
    assert Said(Kind.MOTION)(objects) == []


@pytest.mark.parametrize("kind", [Kind.MOTION, Kind.HELP, Kind.SMOKE, Kind.TEMPERATURE])
def test_every_sensor_tells_its_battery(kind: Kind) -> None:
    said = Said(kind)
    assert said("0161") == [Measured("s", Quantity.BATTERY, 97.0)]
    assert said("1501") == [Measured("s", Quantity.BATTERY, LOW)]
    assert said("1500") == []


def test_an_opened_case_is_a_fault_of_the_sensor_and_the_matter_of_a_tamper_contact() -> None:
    said = Said(Kind.CONTACT)
    assert said("2b01") == [SensorFault("s", "tamper-evidence", present=True)]
    assert said("2b01") == []
    assert said("2b00") == [SensorFault("s", "tamper-evidence", present=False)]
    tamper = Said(Kind.TAMPER)
    assert tamper("2b00") == [READ_OFF]
    assert tamper("2b01") == [ON]


@pytest.mark.parametrize("kind", sorted(HAZARD_KINDS))
def test_danger_is_told_even_of_a_frame_that_may_be_old_but_never_its_end(kind: Kind) -> None:
    [id] = STATES[kind]
    said = Said(kind)
    for presses in (True, False):
        assert said.warned(f"{id:02x}00", presses=presses) == []
    assert said.warned(f"{id:02x}01", presses=False) == [READ_ON]
    assert said.warned(f"{id:02x}01", presses=True) == [], "told already"
    assert said.warned(f"{id:02x}00", presses=True) == []
    assert said(f"{id:02x}00") == [OFF], "its end, from a frame that is surely new"


def test_a_call_for_help_is_told_of_a_frame_in_doubt_and_not_of_a_refused_one() -> None:
    said = Said(Kind.HELP)
    assert said.warned("3a01", presses=False) == []
    assert said.warned("3a01", presses=True) == [Pressed("s")]
    assert said.warned("3a00", presses=True) == []


def test_a_movement_in_doubt_is_not_told() -> None:
    for kind, ids in STATES.items():
        if kind not in HAZARD_KINDS:
            for id in ids:
                assert Said(kind).warned(f"{id:02x}01", presses=True) == []
