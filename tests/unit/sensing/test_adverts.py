from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.domain.enrolment import Radio, Wire
from gateway.domain.observation import (
    Heard,
    Measured,
    Pressed,
    Quantity,
    SensorFault,
    Switched,
)
from gateway.domain.sensor import Kind, Sensor
from gateway.sensing.adverts import MOTION_HOLD, STUCK, UNBROKEN, Adverts, Told

KEYED, PLAIN = "A4:C1:38:00:00:01", "A4:C1:38:00:00:02"
RADIOS = (
    Radio(Sensor("hall", Kind.MOTION, source="ble"), KEYED, bytes(16)),
    Radio(Sensor("button", Kind.HELP, source="ble"), PLAIN),
)


class Bench:
    """Adverts with a decoder that says what the test wants."""

    def __init__(self) -> None:
        self.says: Sequence[Told] | None = ()
        self.decoded = 0
        self.adverts = Adverts(RADIOS, self._decode)

    def _decode(self, address: str, data: bytes) -> Sequence[Told] | None:
        self.decoded += 1
        return self.says


def test_a_stranger_is_not_even_decoded() -> None:
    bench = Bench()
    assert bench.adverts.frame("5C:00:00:00:00:01", b"x", 0.0) == []
    assert bench.decoded == 0


def test_a_repeat_from_a_keyed_sensor_is_evidence_of_nothing_however_late_it_comes() -> None:
    bench = Bench()
    bench.adverts.frame(KEYED, b"x", 0.0)
    assert bench.adverts.frame(KEYED, b"x", 10_000.0) == []
    assert bench.decoded == 1


def test_a_repeat_from_a_plain_sensor_is_a_sign_of_life_once_in_five_minutes() -> None:
    bench = Bench()
    signs = [bench.adverts.frame(PLAIN, b"x", float(at)) for at in range(0, 1200, 5)]
    assert [index * 5 for index, sign in enumerate(signs) if sign] == [0, 300, 600, 900]
    assert signs[0] == [(Heard("button"), None)]
    assert bench.decoded == 1


def test_a_plain_button_without_packet_id_that_is_pressed_again_later_is_a_new_press() -> None:
    bench = Bench()
    bench.says = [(Pressed("button"), None)]
    presses = []
    for at in (0.0, 0.5, 1.0, 1.5, 60.0, 60.5):
        told = bench.adverts.frame(PLAIN, b"press", at)
        presses += [at for what, _counter in told if isinstance(what, Pressed)]
    assert presses == [0.0, 60.0]


def test_a_refused_frame_is_no_sign_of_life() -> None:
    bench = Bench()
    bench.says = None
    assert bench.adverts.frame(KEYED, b"x", 0.0) == []
    assert bench.adverts.heard == {}


def test_a_believed_frame_without_news_is_a_sign_of_life_with_its_counter() -> None:
    bench = Bench()
    bench.says = [(Measured("hall", Quantity.BATTERY, 90.0), 5)]
    assert len(bench.adverts.frame(KEYED, b"a", 0.0)) == 1
    bench.says = [(Measured("hall", Quantity.BATTERY, 90.0), 6)]
    assert bench.adverts.frame(KEYED, b"b", 200.0) == []
    bench.says = ()
    assert bench.adverts.frame(KEYED, b"c", 301.0) == [(Heard("hall"), None)]


def test_numbers_are_told_when_they_moved_or_every_five_minutes() -> None:
    bench = Bench()
    told = []
    for minute, value in enumerate((21.0, 21.1, 21.2, 22.0, 22.1, 22.1, 22.1, 22.1, 22.1)):
        bench.says = [(Measured("hall", Quantity.TEMPERATURE, value), minute)]
        if bench.adverts.frame(KEYED, bytes([minute]), 60.0 * minute):
            told.append(minute)
    assert told == [0, 3, 8]


@pytest.mark.parametrize("cleared", [True, False])
def test_a_motion_that_nobody_ends_is_ended_once_and_is_no_sign_of_life(cleared: bool) -> None:
    bench = Bench()
    bench.says = [(Switched("hall", on=True), 1)]
    bench.adverts.frame(KEYED, b"a", 0.0)
    bench.says = [(Switched("hall", on=True), 2)]
    bench.adverts.frame(KEYED, b"b", 100.0)
    if cleared:
        bench.says = [(Switched("hall", on=False), 3)]
        bench.adverts.frame(KEYED, b"c", 130.0)
        assert bench.adverts.due() is None
        return
    assert bench.adverts.due() == 100.0 + MOTION_HOLD
    assert bench.adverts.ended(99.0 + MOTION_HOLD) == []
    ended = bench.adverts.ended(100.0 + MOTION_HOLD)
    assert ended[0] == Switched("hall", on=False, fresh=False)
    assert ended[1:] == [SensorFault("hall", "stuck", present=False)]  # the first judgement
    assert bench.adverts.ended(1000.0) == []
    assert bench.adverts.heard == {"hall": 100.0}


def test_an_enrolled_sensor_shows_neither_its_address_nor_its_key() -> None:
    text = repr(RADIOS) + str(RADIOS[0])
    assert KEYED not in text
    assert "\\x00" not in text
    assert "hall" in text


@pytest.mark.parametrize("address", ["a4:c1:38:00:00:01", "A4C138000001", "", "A4:C1:38:00:00:0G"])
def test_an_address_is_written_as_bluez_writes_it(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Radio(Sensor("hall", Kind.MOTION), address)


def test_a_key_has_sixteen_bytes_and_pins_are_two_on_the_header() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Radio(Sensor("hall", Kind.MOTION), KEYED, b"short")
    for pin, second in ((28, None), (4, 4), (-1, None)):
        with pytest.raises(ValueError, match="pins"):
            Wire(Sensor("door", Kind.ENTRANCE), pin, second_pin=second)


def test_motion_without_end_stops_being_evidence_and_is_told_as_stuck() -> None:
    bench = Bench()
    bench.says = [(Switched("hall", on=True), 1)]
    fresh, faults = [], []
    for at in range(0, int(STUCK) + 120, 60):
        for what, _counter in bench.adverts.frame(KEYED, str(at).encode(), float(at)):
            if isinstance(what, Switched) and what.fresh:
                fresh.append(at)
            elif isinstance(what, SensorFault):
                faults.append((at, what))
    assert fresh == list(range(0, int(UNBROKEN), 60))
    assert faults == [(int(STUCK), SensorFault("hall", "stuck", present=True))]
    end = at + MOTION_HOLD
    assert bench.adverts.ended(end) == [
        Switched("hall", on=False, fresh=False),
        SensorFault("hall", "stuck", present=False),
    ]
    assert bench.adverts.frame(KEYED, b"again", end + 1)[0] == (Switched("hall", on=True), 1)


def test_a_pause_makes_motion_evidence_again() -> None:
    bench = Bench()
    bench.says = [(Switched("hall", on=True), 1)]
    for at in range(0, int(2 * UNBROKEN), 60):
        bench.adverts.frame(KEYED, str(at).encode(), float(at))
    bench.adverts.ended(at + MOTION_HOLD)
    told = bench.adverts.frame(KEYED, b"later", at + MOTION_HOLD + 60)
    assert told == [(Switched("hall", on=True), 1)]
