"""How long a battery will last, from the percentages that its sensor tells (R14).

Percentages are coarse (steps of 1, 5, 10 or 25), they rise and fall by some points with the warmth
of the room, jump up with a new battery, and fall faster towards the end of a coin cell. So each day
counts with its highest value, only new lows are kept, and a pace needs two steps down over a week;
of the long pace and the late one the faster counts. Less than that is no prediction: then the
percentage alone speaks.
"""

from __future__ import annotations

from math import floor

from msgspec import Struct

from gateway.domain.instant import DAY

LOW = 15.0
"""Percent: about two weeks left of a coin cell in a sensor that lasts a year (R14)."""

EMPTY = 5.0
"""Percent at which a sensor is held to fall silent [D]: radios need their voltage to the end."""

SOON = 21
"""Days left at which it is told (R14 asks for 14 that are still left: one week for a pace that was
judged too kindly)."""

RENEWED = 30.0
"""Percent that a renewed battery has at least."""
RISE = 15.0
"""Points by which it must lie above the last low: a warm afternoon gives some ten [D]."""

KEPT = 8
"""Lows that are remembered: what a battery did before is of no use for its end."""
PACE_STEPS = 2
PACE_DAYS = 7
PACE_FALL = 5.0
"""Steps down, days and points that a pace needs: one step of ten points says nothing about when the
next will come, and a week of frost costs that once [D]."""


class Battery(Struct):
    """``day`` is the day that is going on (since the watch began) and ``high`` its highest value;
    ``lows`` are (day, percent), each lower than the one before."""

    day: int = -1
    high: float = 0.0
    lows: list[tuple[int, float]] = []

    def told(self, percent: float, now: float) -> bool:
        """A sensor told its percentage. Returns True if the battery is a new one."""
        day = int(now // DAY)
        last = self.lows[-1][1] if self.lows else min(self.high, percent)
        renewed = self.day >= 0 and percent >= max(RENEWED, last + RISE)
        if renewed:
            self.lows.clear()
        elif day == self.day:
            self.high = max(self.high, percent)
            return False
        elif self.day >= 0 and (not self.lows or self.high < last):
            self.lows.append((self.day, self.high))
            del self.lows[:-KEPT]
        self.day, self.high = day, percent
        return renewed

    def is_low(self, percent: float, now: float) -> bool:
        """Whether a battery that just told ``percent`` must be renewed soon."""
        left = self.days_left(now)
        return percent <= LOW or (left is not None and left < SOON)

    def days_left(self, now: float) -> int | None:
        """Whole days until it is empty at the pace of its falls; None where there is no pace yet."""
        day = int(now // DAY)
        lows = self.lows
        if self.day >= 0 and self.day < day and (not lows or self.high < lows[-1][1]):
            lows = [*lows, (self.day, self.high)]
        found = [_left(lows, start, day) for start in range(len(lows) - PACE_STEPS)]
        known = [left for left in found if left is not None]
        return floor(min(known)) if known else None


def _left(lows: list[tuple[int, float]], start: int, today: int) -> float | None:
    """Days left at the pace since one of the lows. While no news comes, the time since the last
    low is used up too, but at most one step of it: a lower value would have been told."""
    (first, high), (last, low) = lows[start], lows[-1]
    days, fall = last - first, high - low
    if days < PACE_DAYS or fall < PACE_FALL:
        return None
    pace = fall / days
    step = lows[-2][1] - low
    return max(0.0, (low - EMPTY) / pace - min(today - last, step / pace))
