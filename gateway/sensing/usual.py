"""How long this home's air is usually silent: what is alarming in a block of flats is a normal
night in a farmhouse. Pure; memory is one number for each of the last 24 hours."""

from __future__ import annotations

from collections import deque
from typing import Final

FLOOR: Final = 90.0
"""Seconds. Even among hundreds of phones a silence shorter than this starts nothing: habluetooth
restarts its scanner at 90 s, and R16 asks for a reset by 120 s."""

CAP: Final = 600.0
"""Seconds. However quiet the home is: R15 tells blindness within 15 minutes, and an enrolled beacon
(every home has one that speaks at least each minute) is heard ten times in these ten."""

TIMES_USUAL: Final = 2.0
"""A silence is longer than usual at twice the longest of the last day: one missed advertisement
doubles a gap, and that alone shall not restart a radio [D]."""

TIMES_BEACON: Final = 3.0
"""Before a day was heard, three intervals of the quickest enrolled beacon stand for the usual: the
same three missed signs that make a sensor stale (R13)."""

SLOT: Final = 3600.0
SLOTS: Final = 24
"""A day in hours, so that quiet nights are not news every night."""

QUIET: Final = CAP / 2
"""A home whose usual silence is longer than this gives no proof by silence alone: there only the
scanner is restarted, the machine is left in peace."""


class Usual:
    """Learns from the gaps between any two advertisements, whoever sent them.

    What a jammer can teach it is bounded by ``CAP``, and is forgotten within a day.
    """

    def __init__(self, beacon: float | None = None) -> None:
        """``beacon``: seconds between two signs of life of the quickest enrolled beacon."""
        self._slots: deque[float] = deque(maxlen=SLOTS)
        self._slot = 0
        self._longest = 0.0
        self._first = CAP if beacon is None else TIMES_BEACON * beacon

    def gap(self, seconds: float, now: float) -> None:
        """So long was nothing heard until ``now``."""
        slot = int(now // SLOT)
        if slot != self._slot:
            if self._longest > 0.0:
                self._slots.append(self._longest)
            self._slot, self._longest = slot, 0.0
        self._longest = max(self._longest, min(seconds, CAP))

    @property
    def longest(self) -> float:
        """The longest gap that is remembered, at most ``CAP``; 0 if none is."""
        return max(self._longest, max(self._slots, default=0.0))

    @property
    def limit(self) -> float:
        """Seconds after which silence is longer than usual, from ``FLOOR`` to ``CAP``."""
        usual = TIMES_USUAL * self.longest
        if not self._slots:  # the first hour may be the loudest of the day
            usual = max(usual, self._first)
        return min(CAP, max(FLOOR, usual))

    @property
    def quiet_home(self) -> bool:
        """Whether silence up to ``CAP`` is so usual here that it proves no fault."""
        return self.longest > QUIET
