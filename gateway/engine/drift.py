"""Drift: over days to weeks clearly less is done, or night becomes day (``routine.drift``).

Judged once a day, when the first activity of a later day has closed one (``routine.py``). Both
findings compare the home with itself:

- **Decline.** More than half of the sensors see clearly less than they used to, and less of the
  time at home is lived in. The middle one of all sensors is looked at, so that a dead sensor, or
  one too many, is no decline. What they used to see is an anchor that moves by a fiftieth a week
  at most, and not at all while a decline is told: quiet must not be taught as normal (T15).
- **Turn.** The home's own night is when it is quietest, at whatever time. On most of the last days
  that night was as much lived in as the day. How much a home's nights vary counts, so that an
  irregular life is no drift.

Reasons and figures: docs/decisions/0014-routine-drift.md and tests/bench/drift.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from statistics import median, median_high, pstdev

from msgspec import Struct

from gateway.engine.routine import HALVES, KEEP, Routine, Row

DECLINE, TURN = "drift.decline", "drift.turn"
"""The families of conditions that are found here."""

REFERENCE_LEAST = 14
"""Ordinary days to compare with before anything is said [D]: two weeks have two weekends."""

WINDOW = 14
"""Days that a decline is judged by: two weeks, so that weekdays and weekends weigh the same."""
WINDOW_LASTS = 28
"""Days within which those must lie; else most of the time is not known."""
LESS = 0.82
"""Share of the usual that is a decline. Chosen on generated homes (seeds 0-5): 0.84 brings nearly
twice the false ones, 0.78 finds a decline of two thirds over 60 days a week later."""
LIVED_LESS = 0.96
"""Share of the usual hours lived in that there must be at most."""
BACK = 0.88
"""Share of the usual at which a decline is over [D]: half way back."""
SPREADS_WEEKS, SPREADS_DAYS = 2.0, 2.5
"""Standard deviations of the home's own weeks that a decline must exceed, and of its own days that
a turn must."""
SPREAD_ANYWHERE, SPREAD_WORTH = 0.10, 3
"""What weeks deviate by anywhere (of log activity), and how many weeks of own history it is worth."""
STEP = 0.02
"""The anchor moves by at most this share in a week [D]; T15 allows a tenth."""
SEEN_LEAST = 1.0 / 24.0
"""Minutes an hour that a sensor must see to have a say: once a day."""
SENSORS_LEAST = 3

TURN_WINDOW, TURN_LASTS = 4, 8
"""Days that a turn is judged by, and within which they must lie."""
TURN_GAP = 7
"""Last days that are not compared with: a turn must not be its own reference."""
NIGHT, SHOULDER = 14, 4
"""Half hours of the own night, and on either side of it those that are neither night nor day."""
KNOWN_PARTS = 5
"""Half hours of night and of day that must be known for a day to have a say."""
RHYTHM = -0.2
"""Contrast (share of night half hours lived in less that of day half hours) above which a home has
no night that could be turned."""


class Drift(Struct):
    """``days`` that counted, ever; ``usual`` minutes with activity an hour at home, by sensor, and
    ``lived`` the share of the time: the anchor. ``spread`` of the home's weeks. ``night`` is the
    first half hour of the own night, ``base`` its contrast, ``limit`` the one that is a turn; they
    stay until ``days`` reaches ``settled``."""

    days: int = 0
    usual: dict[str, float] = {}
    lived: float = 0.0
    spread: float = SPREAD_ANYWHERE
    declined: bool = False
    night: int = -1
    base: float = 0.0
    limit: float = 0.0
    turned: bool = False
    settled: int = 0

    def forget(self, sensor: str) -> None:
        """A sensor was taken away."""
        self.usual.pop(sensor, None)

    def judge(self, routine: Routine) -> Iterator[tuple[str, bool]]:
        """Another day has been closed. Yields what begins to hold and what no longer does."""
        self.days += 1
        declined, turned = self.declined, self.turned
        self._anchor(routine)
        self._judge_decline(routine)
        self._settle(routine.rows)
        self._judge_turn(routine.rows)
        if declined != self.declined:
            yield DECLINE, self.declined
        if turned != self.turned:
            yield TURN, self.turned

    # -- decline ---------------------------------------------------------------------------------

    def _anchor(self, routine: Routine) -> None:
        """Bring what is usual up to date: freely while the first rows fill, then step by step."""
        rows = len(routine.rows)
        end = rows - WINDOW
        if self.declined or end < REFERENCE_LEAST:
            return
        young = self.days <= KEEP
        if not young and self.days % 7:
            return
        for sensor in routine.counts:
            rate = _rate(routine, sensor, 0, end, REFERENCE_LEAST)
            if rate is not None:
                usual = rate if young else self.usual.get(sensor, rate)
                self.usual[sensor] = _towards(usual, rate)
        lived = _lived(routine.rows[:end])
        self.lived = _towards(lived if young else self.lived, lived)
        weeks = (self._level(routine, stop - 7, stop) for stop in range(end, 6, -7))
        known = [log(level) ** 2 for level in weeks if level]
        prior = SPREAD_WORTH * SPREAD_ANYWHERE**2
        self.spread = sqrt((prior + sum(known)) / (SPREAD_WORTH + len(known)))

    def _judge_decline(self, routine: Routine) -> None:
        recent = routine.rows[-WINDOW:]
        if not self.usual or recent[-1].number - recent[0].number >= WINDOW_LASTS:
            return
        count = len(routine.rows)
        level = self._level(routine, count - WINDOW, count)
        if level is None:
            return
        if self.declined:
            self.declined = level < BACK
        else:
            limit = min(LESS, exp(-SPREADS_WEEKS * self.spread))
            self.declined = level < limit and _lived(recent) < LIVED_LESS * self.lived

    def _level(self, routine: Routine, start: int, end: int) -> float | None:
        """Activity from row ``start`` up to row ``end`` as a share of the usual: that of the
        middle sensor, of an even number the livelier one of the middle two."""
        shares = []
        for sensor, usual in self.usual.items():
            if usual >= SEEN_LEAST:
                rate = _rate(routine, sensor, start, end, (end - start) // 2)
                if rate is not None:
                    shares.append(rate / usual)
        return median_high(shares) if len(shares) >= SENSORS_LEAST else None

    # -- turn ------------------------------------------------------------------------------------

    def _settle(self, rows: Sequence[Row]) -> None:
        """Find the own night in the days before the last week."""
        before = rows[:-TURN_GAP]
        if self.turned or self.days < self.settled or len(before) < REFERENCE_LEAST:
            return
        shares = []
        for half in range(HALVES):
            known = [row.active >> half & 1 for row in before if row.known >> half & 1]
            shares.append((sum(known) + 1) / (len(known) + 2))
        around = shares + shares
        night = min(range(HALVES), key=lambda first: sum(around[first : first + NIGHT]))
        contrasts = [c for row in before if (c := _contrast(row, night)) is not None]
        if len(contrasts) < REFERENCE_LEAST:
            self.night = -1
            return
        self.night = night
        self.base = sum(contrasts) / len(contrasts)
        self.limit = max(0.0, self.base + SPREADS_DAYS * pstdev(contrasts))

    def _judge_turn(self, rows: Sequence[Row]) -> None:
        if self.night < 0 or (self.base > RHYTHM and not self.turned):
            return
        newest = rows[-1].number
        recent = [row for row in rows[-TURN_LASTS:] if newest - row.number < TURN_LASTS]
        contrasts = [c for row in recent if (c := _contrast(row, self.night)) is not None]
        if len(contrasts) < TURN_WINDOW:
            return
        contrast = median(contrasts[-TURN_WINDOW:])
        if not self.turned:
            self.turned = contrast > self.limit
        elif contrast < self.base / 2:
            self.turned = False
            self.settled = self.days + KEEP  # until no turned day is among those compared with


def _towards(usual: float, wanted: float) -> float:
    return round(min(max(wanted, usual * (1 - STEP)), usual * (1 + STEP)), 6)


def _rate(routine: Routine, sensor: str, start: int, end: int, least: int) -> float | None:
    """Minutes with activity an hour at home, from row ``start`` up to row ``end``; None if the
    sensor says something about fewer than ``least`` of those days."""
    known = [
        (count, row.hours)
        for count, row in zip(
            routine.counts[sensor][start:end], routine.rows[start:end], strict=True
        )
        if count >= 0
    ]
    if len(known) < least:
        return None
    return sum(count for count, _ in known) / sum(hours for _, hours in known)


def _lived(rows: Sequence[Row]) -> float:
    """Share of the known time that was lived in."""
    return sum(row.lived for row in rows) / sum(row.hours for row in rows)


def _contrast(row: Row, night: int) -> float | None:
    """Share of the night's half hours lived in, less that of the day's; None if too few of either
    are known."""
    shares = []
    for first, length in (
        (night, NIGHT),
        (night + NIGHT + SHOULDER, HALVES - NIGHT - 2 * SHOULDER),
    ):
        halves = _ring(first, length) & row.known
        if halves.bit_count() < KNOWN_PARTS:
            return None
        shares.append((row.active & halves).bit_count() / halves.bit_count())
    return shares[0] - shares[1]


def _ring(first: int, length: int) -> int:
    """Bits of so many half hours from one on, around midnight."""
    bits = ((1 << length) - 1) << first % HALVES
    return (bits | bits >> HALVES) & ((1 << HALVES) - 1)
