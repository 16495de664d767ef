"""Frames a second: our BTHome decoder beside bthome-ble, in one run, taking turns.

    python tests/bench/bthome_speed.py [VECTORS]

VECTORS is the folder with bthome_v2.json (default ``ANSIM_VECTORS`` or ../shared/vectors). Both get
the same bytes and read them anew each time; bthome-ble keeps its one object per sensor, as Home
Assistant does, and its counter is put back so that it does not refuse the second round. The best of
five rounds counts for both. Ends with 1 if we are not at least five times as fast, plain and keyed,
over all vectors together. Wants bthome-ble.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.enrolment import Radio
from gateway.domain.sensor import Kind, Sensor
from gateway.security.frame_store import FrameGuards
from gateway.sensing.bthome import Decoder
from gateway.sensing.bthome_sensors import BthomeSensors
from tests.support import bthome_oracle
from tests.support.bthome_frames import ADDRESS, KEY, seal

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 5.0
ROUNDS, TIMES = 5, 4000


def best(read: Callable[[bytes], object], frames: list[bytes], times: int) -> float:
    """Frames a second of one round over all frames."""
    began = time.perf_counter()
    for _ in range(times):
        for frame in frames:
            read(frame)
    return times * len(frames) / (time.perf_counter() - began)


def beside(key: bytes | None, frames: list[bytes]) -> tuple[float, float]:
    """Ours and bthome-ble's."""
    decoder = Decoder(ADDRESS, key)
    oracle = bthome_oracle.reader(key)
    infos = {frame: bthome_oracle.info(frame, ADDRESS) for frame in frames}
    ours = theirs = 0.0
    for _ in range(ROUNDS):
        ours = max(ours, best(decoder.decode, frames, TIMES))
        theirs = max(theirs, best(lambda frame: oracle(infos[frame]), frames, TIMES // 20))
    return ours, theirs


def whole_way(key: bytes | None) -> float:
    """The same with replay guard and meaning: what a hub does for each new frame."""
    radio = Radio(Sensor("hall", Kind.MOTION, source="ble", keyed=key is not None), ADDRESS, key)
    guards = FrameGuards([("hall", key is not None)], lambda _name: None)
    sensors = BthomeSensors([radio], guards, lambda: 0.0, lambda _what, _counter: None)
    payload = bytes.fromhex("015f05204e002101")
    frames = [
        seal(payload, n) if key else b"\x44\x00" + bytes([n & 0xFF]) + payload
        for n in range(1, 20_001)
    ]
    guards.marks(0.0)
    guards.stored()
    began = time.perf_counter()
    for n, frame in enumerate(frames):
        sensors(ADDRESS, frame)
        if n % 100 == 0:
            guards.marks(0.0)
            sensors.stored()
    return len(frames) / (time.perf_counter() - began)


def main() -> int:
    if bthome_oracle.ABSENT:
        print(bthome_oracle.ABSENT)
        return 1
    default = os.environ.get("ANSIM_VECTORS", str(ROOT.parent / "shared" / "vectors"))
    file = Path(sys.argv[1] if len(sys.argv) > 1 else default) / "bthome_v2.json"
    if not file.exists():
        print(f"{file} is missing; name its folder, or set ANSIM_VECTORS to it.")
        return 1
    vectors = json.loads(file.read_text())
    slow = False
    for name, key in (("plain", None), ("encrypted", KEY)):
        frames = [bytes.fromhex(vector["service_data"]) for vector in vectors[name]]
        ours, theirs = beside(key, frames)
        slow = slow or ours < LIMIT * theirs
        print(
            f"{name:>9}: {len(frames)} vectors, ours {ours:>9,.0f}/s, bthome-ble "
            f"{bthome_oracle.version()} {theirs:>7,.0f}/s, ratio {ours / theirs:.1f}"
        )
        print(f"           with guard and meaning (motion frames): {whole_way(key):,.0f}/s")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
