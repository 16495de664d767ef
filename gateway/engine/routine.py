"""What each day was like: which half hours were lived in, and how much each sensor saw.

Drift is judged by these rows (``drift.py``). All is local time in seconds (wall + the home's
offset). A day is closed by the first activity of a later one, so nothing here needs a deadline.
Hours of which nothing is known (away, not seen, paused, visited) are not quiet hours: each row
says which half hours it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct

from gateway.domain.instant import DAY

HALVES = 48
HALF_HOUR = 1_800
SLOT = 60
"""Seconds in which a sensor counts once: one that fires every second is no livelier than one that
waits a minute between two."""
KEEP = 42
"""Days of rows: four weeks to compare with, and two that are judged."""
ALL = (1 << HALVES) - 1
UNKNOWN = -1
"""Count of a sensor that was lost, suspect or not there yet: it says nothing about that day."""
KNOWN_LEAST = 16
"""Half hours of a day that must be known [D]: a journey and a day of blindness say nothing."""
DOUBTFUL_MOST = 3
"""One in this many sensors may be lost or suspect on a day that counts [D]."""
JUMP = 3
"""Days between two activities; a greater step, or one back, is the clock's (R17) or an outage."""


class Row(Struct, array_like=True):
    """One day. ``active`` and ``known`` are bits by half hour, the first one lowest."""

    number: int
    active: int = 0
    known: int = ALL

    @property
    def hours(self) -> float:
        """Hours that are known."""
        return self.known.bit_count() / 2

    @property
    def lived(self) -> float:
        """Hours known to be lived in."""
        return (self.active & self.known).bit_count() / 2


class Routine(Struct):
    """``today`` is the row in the making, ``seen`` its minutes with activity by sensor; ``slot``
    and ``fired`` are the minute at hand. ``counts`` holds one number for each of ``rows``, by
    sensor. Bounded by ``KEEP`` times the number of sensors."""

    today: Row | None = None
    seen: dict[str, int] = {}
    slot: int = -1
    fired: list[str] = []
    rows: list[Row] = []
    counts: dict[str, list[int]] = {}

    def begin(self, local: float) -> None:
        """The watch begins, or the clock jumped: what was before on this day is not known."""
        self.today = Row(int(local // DAY))
        self.seen = {}
        self.today.known &= ~_bits(0, int(local % DAY) // HALF_HOUR)

    def forget(self, sensor: str) -> None:
        """A sensor was taken away."""
        self.counts.pop(sensor, None)
        self.seen.pop(sensor, None)

    def knows(self, local: float, sensor: str) -> bool:
        """Whether ``event`` would change nothing: most activity comes again within its minute."""
        return int(local) // SLOT == self.slot and sensor in self.fired

    def event(
        self,
        local: float,
        sensor: str,
        *,
        counts: bool,
        unknown_since: float | None,
        doubtful: Callable[[], Collection[str]],
    ) -> bool:
        """Somebody was active in view of ``sensor``. ``counts``: the home is seen and not paused.
        From ``unknown_since`` until now nobody could know. ``doubtful`` are sensors whose silence
        says nothing. Returns whether this ended a day that counts: then there is more to judge."""
        if unknown_since is not None:
            self._blank(unknown_since, local)
        slot = int(local) // SLOT
        closed = False
        if slot != self.slot:
            self.slot = slot
            self.fired = []
            number = slot * SLOT // int(DAY)
            if self.today is None or not 0 <= number - self.today.number <= JUMP:
                self.begin(local)
            elif number != self.today.number:
                closed = self._close(self.today, doubtful())
                self.today = Row(number)
                self.seen = {}
                if unknown_since is not None:
                    self._blank(unknown_since, local)
        half = 1 << int(local % DAY) // HALF_HOUR
        if self.today is not None and not counts:
            self.today.known &= ~half
        elif self.today is not None and sensor not in self.fired:
            self.today.active |= half
            self.fired.append(sensor)
            self.seen[sensor] = self.seen.get(sensor, 0) + 1
        return closed

    def _blank(self, start: float, end: float) -> None:
        """Half hours that are only touched stay known."""
        if self.today is not None:
            begin = self.today.number * HALVES
            first, last = -int(-start // HALF_HOUR) - begin, int(end // HALF_HOUR) - begin
            self.today.known &= ~_bits(max(0, first), min(HALVES, last))

    def _close(self, day: Row, doubtful: Collection[str]) -> bool:
        known = set(self.seen).union(self.counts)
        if day.known.bit_count() < KNOWN_LEAST:
            return False
        if len(known.intersection(doubtful)) * DOUBTFUL_MOST > len(known):
            return False
        before = len(self.rows)
        self.rows.append(day)
        for sensor in sorted(known):
            counts = self.counts.setdefault(sensor, [UNKNOWN] * before)
            counts.append(UNKNOWN if sensor in doubtful else self.seen.get(sensor, 0))
            del counts[:-KEEP]
        del self.rows[:-KEEP]
        return True


def _bits(first: int, last: int) -> int:
    """Half hours from ``first`` up to ``last``, that one not."""
    return (1 << last) - (1 << first) if last > first else 0
