"""The decoder beside bthome-ble on made frames, and alone on whatever bytes there are.

The long run of the same comparison is ``tests/bench/bthome_fuzz.py``.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sensing.bthome import Decoder, Flaw, Frame, Unreadable
from gateway.sensing.bthome_table import THINGS
from tests.bench.bthome_fuzz import Comparison
from tests.support.bthome_frames import ADDRESS, KEY, made, seal
from tests.support.bthome_oracle import ABSENT, tables_differ

needs_oracle = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
FRAMES = 20_000


@needs_oracle
def test_on_twenty_thousand_frames_we_and_bthome_ble_read_the_same() -> None:
    comparison = Comparison()
    for frame in made(2, FRAMES):
        comparison.take(frame)
    assert comparison.raised == []
    assert comparison.unread == []
    assert comparison.differ == []
    assert 2 * comparison.valid >= comparison.sorts.total() == FRAMES
    assert comparison.ids.keys() == THINGS.keys()
    assert comparison.holds


@needs_oracle
def test_our_table_is_bthome_ble_s() -> None:
    assert tables_differ() == []


@given(st.binary(max_size=255), st.booleans())
def test_no_bytes_make_the_decoder_raise(data: bytes, keyed: bool) -> None:
    read = Decoder(ADDRESS, KEY if keyed else None).decode(data)
    if isinstance(read, Frame):
        assert read.counter is None or keyed
        assert all(reading.id in THINGS for reading in read.readings)


@given(st.binary(min_size=2, max_size=60), st.integers(0, 2**32 - 1), st.integers(0, 2**12))
def test_what_was_sealed_is_read_and_what_was_bent_is_not(
    payload: bytes, counter: int, bit: int
) -> None:
    decoder = Decoder(ADDRESS, KEY)
    data = seal(payload, counter)
    read = decoder.decode(data)
    assert isinstance(read, Frame)
    assert (read.payload, read.counter) == (payload, counter)
    bent = bytearray(data)
    bent[1 + bit // 8 % (len(data) - 1)] ^= 1 << bit % 8
    assert decoder.decode(bytes(bent)) == Unreadable(Flaw.BAD_MIC)
