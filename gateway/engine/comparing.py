"""Sensors that no longer take part in the home's life, by comparison with the others (R13).

A covered, unplugged or moved sensor says nothing that is wrong. But the home lives in ten-minute
slots, and each sensor has its companions: with the others that fire in a slot, and at that time of
the day, it used to fire in so many of them. Every slot without it is that share of a firing missed;
a sensor is silent when it missed more than it ever did before and by a clear measure. One that
fires without end is the opposite: beside a curtain that moves, moved above a heater, stuck.

Time here is the engine's own (slots and days since the watch began), so no wall clock can mislead
it (R17). Nothing is learned from slots that were blind, paused or visited, and nothing happens in
an absence. Reasons: docs/decisions/0011-suspect-sensors.md; figures: tests/bench/suspects.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from msgspec import Struct

from gateway.domain.instant import DAY, HOUR

SLOT = 600.0
"""Seconds: long enough for one way through the home, the network's grid too."""

SLOTS_A_DAY = int(DAY // SLOT)
BLOCK = 3 * HOUR
"""Seconds of the day that count as the same time [D]: the bathroom of the morning is no companion
of the evening's television."""

LEARNING = 7
"""Days of life with a sensor before it can be suspect [D]: less than a week has seen no
weekend."""

WINDOW = 14
"""Days over which a sensor must have been a daily one."""
DAILY = 12
"""Days of those on which it fired, or the same share of fewer. A corridor that is used every other
day is silent for a week without any fault (recorded: six days), and is left to supervision."""

DOUBT = 5.0
"""Firings that a companion is held to have been alone before it was ever seen."""
KEEP = 512
"""Slots with one companion after which its counts are halved: habits of years ago fade."""

MISSED_LEAST = 5.0
"""Firings that must be missed in any case [D]."""
MISSED_MORE = 1.85
"""Times the most that it ever missed, once it is well known. Measured on six recorded and thirty
generated homes: 1.75 gives twice the false suspects in the generated ones, 2.0 as few as this."""
MISSED_YOUNG = 5.0
"""Divided by the days of life: how much more is allowed while little is known."""
FORGET = 0.998
"""What is left of "the most that it ever missed" after a day: one odd week a year ago is no
excuse any more."""
SILENT_LEAST = int(16 * HOUR // SLOT)
"""Slots since its last firing: a lively sensor misses many firings in one long nap elsewhere. That
leaves eight of R13's 24 hours."""

PAUSE = int(HOUR / 2 // SLOT)
"""Slots without a firing that end a stretch of firing."""
BUSY_LEAST = int(12 * HOUR // SLOT)
BUSY_MORE = 2
"""Times the longest stretch ever seen."""
BUSY_MOST = int(24 * HOUR // SLOT)
"""Slots of firing without a pause that are suspect in any case (R13: always on)."""

SILENT, BUSY = "silent", "busy"
"""The families of conditions that are found here, and their machine-readable cause."""


class Part(Struct):
    """One sensor's part in the home's life. Slots are numbers since the watch began.

    ``days``     days of life that it took part in, ``recent`` the last ones as bits
    ``today``    whether it fired today
    ``missed``   firings missed since its last one, ``most`` the most that it missed before
    ``last``     slot of its last firing, ``since`` the slot in which the present stretch began
    ``longest``  slots of the longest stretch of firing before
    """

    days: int = 0
    recent: int = 0
    today: bool = False
    missed: float = 0.0
    most: float = 0.0
    last: int = -1
    since: int = -1
    longest: int = 0
    silent: bool = False


class Beside(Struct):
    """How many slots a companion (a sensor, or a time of day) had, and who fired in them."""

    slots: int = 0
    fired: dict[str, int] = {}


class Comparison(Struct):
    """``slot`` is the one in the making, ``fired`` who fired in it, ``counts`` whether it is an
    ordinary one; ``day`` the last day of life; ``busy`` are those that fire without end. Bounded by
    the square of the number of sensors."""

    slot: int = -1
    day: int = -1
    fired: list[str] = []
    counts: bool = True
    busy: list[str] = []
    parts: dict[str, Part] = {}
    beside: dict[str, Beside] = {}

    def silent(self) -> list[str]:
        """Sensors that no longer take part in the home's life."""
        return [sensor for sensor, part in self.parts.items() if part.silent]

    def forget(self, sensor: str) -> None:
        """A sensor was taken away."""
        self.parts.pop(sensor, None)
        self.beside.pop(sensor, None)
        for beside in self.beside.values():
            beside.fired.pop(sensor, None)
        for noted in (self.fired, self.busy):
            if sensor in noted:
                noted.remove(sensor)


class Change(NamedTuple):
    """A sensor became suspect, or is so no longer."""

    family: str
    sensor: str
    holds: bool


class Comparer:
    """Takes every activity; a slot is judged when the first one of a later slot comes, so that
    nothing here needs a deadline: without activity of others there is nothing to compare."""

    def __init__(self, comparison: Comparison, doubtful: Callable[[], Collection[str]]) -> None:
        self._state = comparison
        self._doubtful = doubtful

    def knows(self, sensor: str, now: float) -> bool:
        """Whether ``fired`` would have no effect: most activity comes again within its slot."""
        state = self._state
        return now // SLOT == state.slot and state.counts and sensor in state.fired

    def fired(self, sensor: str, now: float, counts: bool) -> list[Change]:
        """A sensor saw activity. ``counts``: the home is seen, not paused, and nobody visits."""
        state = self._state
        changes: list[Change] = []
        slot = int(now // SLOT)
        if slot != state.slot:
            if state.slot >= 0:
                changes = self._judge()
            state.slot = slot
            state.fired = []
            state.counts = True
        if not counts:
            state.counts = False
        if sensor not in state.fired:
            state.fired.append(sensor)
            part = state.parts.get(sensor)
            if part is None:
                state.parts[sensor] = Part(last=slot, since=slot)
            elif part.silent:
                part.silent = False
                changes.append(Change(SILENT, sensor, holds=False))
        return changes

    def _judge(self) -> list[Change]:
        """The slot in the making is over."""
        state = self._state
        doubtful = self._doubtful()
        changes = self._stretches(state.counts)
        if state.counts:
            day = state.slot // SLOTS_A_DAY
            if day != state.day:
                self._turn(day, doubtful)
            beside = [*state.fired, f"@{int(state.slot * SLOT % DAY // BLOCK)}"]
            changes += self._missing(beside, doubtful)
            self._learn(beside)
        for sensor in state.fired:
            part = state.parts[sensor]
            if state.counts:
                known = part.days >= LEARNING
                part.today = True
                if part.missed > part.most:
                    part.most = min(part.missed, _limit(part)) if known else part.missed
            part.missed = 0.0
            part.last = state.slot
        return changes

    def _turn(self, day: int, doubtful: Collection[str]) -> None:
        """Another day of life begins: what was the last one like?"""
        state = self._state
        if state.day >= 0:
            for sensor, part in state.parts.items():
                if not part.silent and sensor not in doubtful:
                    part.days += 1
                    part.recent = (part.recent << 1 | part.today) & (1 << WINDOW) - 1
                    part.most *= FORGET
                part.today = False
        state.day = day

    def _missing(self, beside: Iterable[str], doubtful: Collection[str]) -> list[Change]:
        """Add up what the others' sensors would have fired in this slot."""
        state = self._state
        shares: dict[str, float] = {}
        highest = shares.get
        for name in beside:
            known = state.beside.get(name)
            if known is not None:
                slots = known.slots + DOUBT
                for sensor, times in known.fired.items():
                    share = times / slots
                    if share > highest(sensor, 0.0):
                        shares[sensor] = share
        changes: list[Change] = []
        for sensor, share in shares.items():
            part = state.parts[sensor]
            if part.silent or sensor in state.fired or sensor in doubtful:
                continue
            part.missed += 2.0 * share / (2.0 - share)  # near -log(1 - share), and never over two
            if (
                part.missed > MISSED_LEAST
                and part.days >= LEARNING
                and state.slot - part.last >= SILENT_LEAST
                and part.recent.bit_count() * WINDOW >= DAILY * min(part.days, WINDOW)
                and part.missed > _limit(part)
            ):
                part.silent = True
                changes.append(Change(SILENT, sensor, holds=True))
        return changes

    def _learn(self, beside: Iterable[str]) -> None:
        state = self._state
        for name in beside:
            known = state.beside.setdefault(name, Beside())
            known.slots += 1
            for sensor in state.fired:
                if sensor != name:
                    known.fired[sensor] = known.fired.get(sensor, 0) + 1
            if known.slots >= KEEP:
                known.slots //= 2
                known.fired = {s: half for s, n in known.fired.items() if (half := n // 2)}

    def _stretches(self, counts: bool) -> list[Change]:
        """How long sensors have fired without a pause. A visit or a blind time ends a stretch."""
        state = self._state
        slot = state.slot
        changes: list[Change] = []
        for sensor in list(state.busy):
            if slot - state.parts[sensor].last > PAUSE or not counts:
                state.busy.remove(sensor)
                changes.append(Change(BUSY, sensor, holds=False))
        for sensor in state.fired:
            part = state.parts[sensor]
            if slot - part.last > PAUSE or not counts:
                if counts:
                    part.longest = max(part.longest, part.last - part.since + 1)
                part.since = slot
            elif slot - part.since + 1 >= _longest(part) and sensor not in state.busy:
                state.busy.append(sensor)
                changes.append(Change(BUSY, sensor, holds=True))
        return changes


def _longest(part: Part) -> int:
    """Slots of one stretch of firing that are still ordinary."""
    usual = BUSY_MOST if part.days < LEARNING else max(BUSY_LEAST, BUSY_MORE * part.longest)
    return min(usual, BUSY_MOST)


def _limit(part: Part) -> float:
    """How much a sensor may miss before it is suspect. What it missed beyond teaches nothing: one
    that was covered for a week must not be found a week later the next time for that."""
    return max(MISSED_LEAST, (MISSED_MORE + MISSED_YOUNG / max(part.days, 1)) * part.most)
