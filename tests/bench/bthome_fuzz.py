"""Feeds made frames to our BTHome decoder and to bthome-ble and compares what they read.

    python tests/bench/bthome_fuzz.py [--frames 1000000] [--seed 1]

Six frames in ten are structurally valid, each object id comes round in turn. Compared is every
frame, the damaged ones too. Ends with 1 if anything was raised by us, if the two disagree, or if
fewer than half of the frames were valid. Wants bthome-ble.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.sensing.bthome import Decoder, Ending, Frame, Unreadable
from gateway.sensing.bthome_table import THINGS
from tests.support.bthome_frames import ADDRESS, KEY, VALID, Made, Sort, made
from tests.support.bthome_oracle import ABSENT, Oracle, ours, tables_differ

SHOWN = 5


class Comparison:
    """What came of it."""

    def __init__(self) -> None:
        self.sorts: Counter[Sort] = Counter()
        self.ids: Counter[int] = Counter()
        self.endings: Counter[str] = Counter()
        self.raised: list[str] = []
        self.oracle_raised: Counter[str] = Counter()
        self.unread: list[str] = []
        self.differ: list[str] = []
        self._ours = {True: Decoder(ADDRESS, KEY), False: Decoder(ADDRESS)}
        self._theirs = {True: Oracle(ADDRESS, KEY), False: Oracle(ADDRESS)}

    @property
    def valid(self) -> int:
        return sum(self.sorts[sort] for sort in VALID)

    @property
    def holds(self) -> bool:
        """No exception of ours, no valid frame unread, no disagreement, enough valid ones."""
        wrong = self.raised or self.unread or self.differ
        return not wrong and 2 * self.valid >= self.sorts.total()

    def take(self, frame: Made) -> None:
        self.sorts[frame.sort] += 1
        try:
            read = self._ours[frame.keyed].decode(frame.data)
        except Exception as error:  # noqa: BLE001 - that there is none at all is what is tested
            self.raised.append(f"{frame.data.hex()}: {error!r}")
            return
        ending = read.flaw.value if isinstance(read, Unreadable) else read.ending.value
        self.endings[ending] += 1
        if frame.sort in VALID:
            self.ids.update(frame.ids)
            if not isinstance(read, Frame) or read.ending is not Ending.COMPLETE:
                self.unread.append(f"{frame.data.hex()}: {ending}")
        if ending == "address":  # bthome-ble believes any address that a frame gives itself
            return
        try:
            theirs = self._theirs[frame.keyed].says(frame.data)
        except Exception as error:  # noqa: BLE001 - theirs, counted
            self.oracle_raised[type(error).__name__] += 1
            if frame.sort in VALID:
                self.differ.append(f"{frame.data.hex()}: bthome-ble raised {error!r}")
            return
        if ours(read) != theirs:
            self.differ.append(f"{frame.data.hex()}: we {ours(read)}, bthome-ble {theirs}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if ABSENT:
        print(ABSENT)
        return 1
    comparison = Comparison()
    began = time.perf_counter()
    for frame in made(options.seed, options.frames):
        comparison.take(frame)
    seconds = time.perf_counter() - began
    total = comparison.sorts.total()
    print(f"{total} frames, seed {options.seed}, {seconds:.0f} s")
    for sort in Sort:
        print(f"  {comparison.sorts[sort]:>8}  {sort.value}")
    print(f"structurally valid: {comparison.valid} ({comparison.valid / max(1, total):.1%})")
    hits = [comparison.ids[id] for id in THINGS]
    print(
        f"object ids hit in valid frames: {sum(map(bool, hits))} of {len(hits)}, each >= {min(hits)}"
    )
    print("endings: " + ", ".join(f"{n} {name}" for name, n in comparison.endings.most_common()))
    print(f"our exceptions: {len(comparison.raised)}")
    print(f"bthome-ble's exceptions: {dict(comparison.oracle_raised) or 0}")
    print(f"valid frames not read to their end: {len(comparison.unread)}")
    print(f"disagreements: {len(comparison.differ)}")
    differences = tables_differ()
    print(f"differences of the tables: {len(differences)}")
    for line in [*comparison.raised, *comparison.unread, *comparison.differ, *differences][:SHOWN]:
        print("  " + line)
    return 0 if comparison.holds and all(hits) and not differences else 1


if __name__ == "__main__":
    sys.exit(main())
