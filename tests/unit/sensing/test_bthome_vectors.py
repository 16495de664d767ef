"""All test vectors, which bthome-ble 3.25.0 decoded when they were written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.sensing.bthome import Decoder, Ending, Flaw, Frame, Unreadable
from tests.support.bthome_frames import OTHER_KEY
from tests.support.bthome_oracle import ours

ROOT = Path(__file__).resolve().parents[3]
FILE = Path(os.environ.get("ANSIM_VECTORS", ROOT.parent / "shared" / "vectors")) / "bthome_v2.json"
SET: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
PLAIN = [pytest.param(vector, id=vector["name"]) for vector in SET.get("plain", [])]
KEYED = [pytest.param(vector, id=vector["name"]) for vector in SET.get("encrypted", [])]
WHOLE = {vector["name"] for sort in ("plain", "encrypted") for vector in SET.get(sort, [])}
CUT = {"malformed_truncated_tail"}

pytestmark = pytest.mark.skipif(
    not SET, reason="bthome_v2.json is not here; ANSIM_VECTORS names its folder"
)


def named(frame: Frame | Unreadable) -> dict[str, Any]:
    """What was read, as the vectors write it."""
    found: dict[str, Any] = {}
    for (sort, name), value in ours(frame).items():
        found[f"event:{name}" if sort == "event" else name] = value[0] if sort == "event" else value
    return found


def test_there_are_as_many_vectors_as_the_page_tells() -> None:
    assert (len(PLAIN), len(KEYED)) == (17, 5)
    assert CUT <= WHOLE


@pytest.mark.parametrize("vector", PLAIN)
def test_a_plain_frame_says_what_bthome_ble_reads(vector: dict[str, Any]) -> None:
    frame = Decoder(SET["mac"]).decode(bytes.fromhex(vector["service_data"]))
    assert isinstance(frame, Frame)
    assert named(frame) == vector["decoded"]
    assert frame.counter is None
    assert frame.packet_id == vector["decoded"].get("packet_id")
    cut = vector["name"] in CUT
    assert frame.ending is (Ending.TRUNCATED if cut else Ending.COMPLETE)


@pytest.mark.parametrize("vector", KEYED)
def test_an_encrypted_frame_says_what_bthome_ble_reads(vector: dict[str, Any]) -> None:
    decoder = Decoder(SET["mac"], bytes.fromhex(SET["bindkey"]))
    frame = decoder.decode(bytes.fromhex(vector["service_data"]))
    assert isinstance(frame, Frame)
    assert named(frame) == vector["decoded"]
    assert frame.counter == vector["counter"]
    assert frame.packet_id == vector["decoded"].get("packet_id")
    assert frame.ending is Ending.COMPLETE


@pytest.mark.parametrize("vector", KEYED)
def test_no_bit_of_an_encrypted_frame_can_be_flipped(vector: dict[str, Any]) -> None:
    decoder = Decoder(SET["mac"], bytes.fromhex(SET["bindkey"]))
    data = bytes.fromhex(vector["service_data"])
    for bit in range(8 * len(data)):
        bent = bytearray(data)
        bent[bit // 8] ^= 1 << bit % 8
        read = decoder.decode(bytes(bent))
        assert isinstance(read, Unreadable), bit
        if bit >= 8:
            assert read.flaw is Flaw.BAD_MIC, bit


@pytest.mark.parametrize("vector", KEYED)
def test_an_encrypted_frame_opens_with_its_own_key_and_address_only(vector: dict[str, Any]) -> None:
    data, key = bytes.fromhex(vector["service_data"]), bytes.fromhex(SET["bindkey"])
    assert Decoder(SET["mac"], OTHER_KEY).decode(data) == Unreadable(Flaw.BAD_MIC)
    assert Decoder("54:48:E6:8F:80:A6", key).decode(data) == Unreadable(Flaw.BAD_MIC)
    assert Decoder(SET["mac"]).decode(data) == Unreadable(Flaw.NO_KEY)


@pytest.mark.parametrize("vector", PLAIN)
def test_a_plain_frame_is_not_read_for_a_sensor_with_a_key(vector: dict[str, Any]) -> None:
    decoder = Decoder(SET["mac"], bytes.fromhex(SET["bindkey"]))
    assert decoder.decode(bytes.fromhex(vector["service_data"])) == Unreadable(Flaw.PLAIN)
