"""Bytes become readings; what a radio can send never raises."""

from __future__ import annotations

import pytest

from gateway.sensing.bthome import Decoder, Ending, Flaw, Frame, Unreadable, Value
from gateway.sensing.bthome_table import THINGS
from tests.support.bthome_frames import ADDRESS, KEY, seal

OWN = bytes.fromhex(ADDRESS.replace(":", ""))[::-1]


def read(objects: str, info: int = 0x40) -> Frame:
    frame = Decoder(ADDRESS).decode(bytes([info]) + bytes.fromhex(objects))
    assert isinstance(frame, Frame)
    return frame


def values(objects: str) -> list[tuple[int, Value]]:
    return [(reading.id, reading.value) for reading in read(objects).readings]


def flaw(data: str, key: bytes | None = None) -> Flaw:
    unread = Decoder(ADDRESS, key).decode(bytes.fromhex(data))
    assert isinstance(unread, Unreadable)
    return unread.flaw


@pytest.mark.parametrize(
    ("objects", "value"),
    [
        ("02ca09", 25.06),
        ("02f0d8", -100.0),
        ("03bf13", 50.55),
        ("04138a01", 1008.83),
        ("0a138a14", 1346.067),
        ("0161", 97),
        ("2101", True),
        ("2100", False),
        ("21ff", True),
        ("57ea", -22),
        ("58ea", -7.7),
        ("5902", 2),
        ("59ff", -1),
        ("5afeff", -2),
        ("3ffeff", -0.2),
        ("4632", 5.0),
        ("62ffffffff", -0.000001),
        ("5d02ea", -5.63),
        ("50000000ff", 0xFF000000),
        ("3a00", None),
        ("3a01", "press"),
        ("3a04", "long_press"),
        ("3a7f", None),
        ("3c0103", ("rotate_left", 3)),
        ("3c0003", None),
        ("3b0001", ("on", b"")),
        ("3b0203aabb", ("step_up", b"\xaa\xbb")),
        ("3be203aabb", ("step_up", b"\xaa\xbb")),  # the three upper bits of the length are reserved
        ("3b0099", None),
        ("530568656c6c6f", "hello"),
        ("5301ff", None),
        ("5402dead", b"\xde\xad"),
        ("f001ff", 0xFF01),
        ("f103020100", "0.1.2.3"),
        ("f2030201", "1.2.3"),
    ],
)
def test_an_object_is_read_by_its_row_of_the_table(objects: str, value: Value) -> None:
    [(id, found)] = values(objects)
    assert (id, found) == (int(objects[:2], 16), value)
    assert type(found) is type(value)


def test_objects_stand_in_any_order_and_several_times() -> None:
    assert values("210101612100") == [(0x21, True), (0x01, 97), (0x21, False)]


def test_an_empty_text_says_nothing_and_ends_nothing() -> None:
    assert values("530054002101") == [(0x21, True)]
    assert read("5300").ending is Ending.COMPLETE


def test_an_unknown_id_ends_the_reading_and_what_was_read_counts() -> None:
    frame = read("00052101ee0123452100")
    assert frame.ending is Ending.UNKNOWN
    assert [reading.id for reading in frame.readings] == [0x00, 0x21]
    assert frame.packet_id == 5


@pytest.mark.parametrize("id", sorted(THINGS))
def test_an_object_that_is_cut_off_is_not_read(id: int) -> None:
    whole = bytes([id]) + {0x53: b"\x02ab", 0x54: b"\x02ab", 0x3B: b"\x02\x01ab"}.get(
        id, bytes(THINGS[id].size)
    )
    assert read("2101" + whole.hex()).ending is Ending.COMPLETE
    for length in range(1, len(whole)):
        frame = read("2101" + whole[:length].hex())
        assert frame.ending is Ending.TRUNCATED
        assert [reading.id for reading in frame.readings] == [0x21]


def test_the_first_packet_id_is_the_frame_s() -> None:
    assert read("00050006").packet_id == 5
    assert read("2101").packet_id is None


def test_a_device_says_whether_it_speaks_only_when_something_happens() -> None:
    assert read("2101", info=0x44).trigger_based
    assert not read("2101", info=0x40).trigger_based


def test_a_frame_without_objects_is_a_sign_of_life_and_no_more() -> None:
    assert read("") == Frame(0x40, None, None, [], Ending.COMPLETE, b"")


def test_the_info_byte_is_part_of_the_nonce_as_it_was_sent() -> None:
    """home-assistant/bthome.io#63: 0x45 is not 0x41."""
    decoder = Decoder(ADDRESS, KEY)
    for info in (0x41, 0x45):
        frame = seal(b"\x21\x01", 7, info=info)
        assert isinstance(decoder.decode(frame), Frame)
        other = bytes([info ^ 0x04]) + frame[1:]
        assert decoder.decode(other) == Unreadable(Flaw.BAD_MIC)


@pytest.mark.parametrize("counter", [0, 1, 0xFFFF, 0x10000, 0xFFFFFFFF])
def test_the_counter_has_32_bits(counter: int) -> None:
    frame = Decoder(ADDRESS, KEY).decode(seal(b"\x21\x01", counter))
    assert isinstance(frame, Frame)
    assert frame.counter == counter
    assert frame.payload == b"\x21\x01"


def test_a_frame_may_say_its_own_address_but_no_other() -> None:
    decoder = Decoder(ADDRESS, KEY)
    assert isinstance(decoder.decode(seal(b"\x21\x01", 7, info=0x47, included=OWN)), Frame)
    other = seal(b"\x21\x01", 7, info=0x47, included=OWN[::-1])
    assert decoder.decode(other) == Unreadable(Flaw.ADDRESS)
    assert read(OWN.hex() + "2101", info=0x42).readings[0].value is True


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", Flaw.EMPTY),
        ("202101", Flaw.VERSION),
        ("602101", Flaw.VERSION),
        ("42", Flaw.TOO_SHORT),
        ("42a5808fe648", Flaw.TOO_SHORT),
        ("42a5808fe648552101", Flaw.ADDRESS),
        ("41a47266c95f730011223378237214", Flaw.NO_KEY),
    ],
)
def test_what_cannot_be_read_says_why(data: str, expected: Flaw) -> None:
    assert flaw(data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("41", Flaw.TOO_SHORT),
        ("41" + "00" * 9, Flaw.TOO_SHORT),
        ("41" + "00" * 10, Flaw.BAD_MIC),
        ("402101", Flaw.PLAIN),
        ("40", Flaw.PLAIN),
    ],
)
def test_what_cannot_be_read_with_a_key_says_why(data: str, expected: Flaw) -> None:
    assert flaw(data, KEY) is expected
