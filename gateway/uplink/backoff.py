"""When to try the broker again. Pure: time and chance come in as arguments.

Requirements, "Settled", resending and backoff; the rule "reset only after a stable time" is that
of thin-edge.io's backoff.rs: a broker that accepts and at once drops us must not be hammered.
"""

from __future__ import annotations

from random import Random

SHORTEST = 1.0
"""Seconds. Below that a broker that restarts sees the same hub twice before it can answer."""

LONGEST_WITH_ALERT = 60.0
"""Seconds between two attempts while an alert waits (R44)."""

LONGEST_WHEN_EMPTY = 600.0
"""Seconds between two attempts while no alert waits: spares the data plan of a dead link."""

STABLE = 60.0
"""Seconds that a connection must last before its loss counts as new and not as one more failure."""

FRESH_BOOT = 600.0
"""Seconds of uptime of the machine below which a start counts as return of the mains power."""


class Backoff:
    """Decides the moment of the next attempt to connect.

    The chance of each wait is drawn once, when the connection failed; whether an alert waits is
    asked later, so that an alert that arrives in the middle of a long wait shortens that wait.
    """

    def __init__(self, random: Random, spread: float = 60.0) -> None:
        """``spread``: seconds over which a city's hubs return after a common cut (R44)."""
        self._random = random
        self._spread = spread
        self._failures = 0
        self._since = 0.0
        self._chance = 0.0
        self._spreading = False
        self._now = True

    @property
    def failures(self) -> int:
        """Attempts in a row that brought no stable connection."""
        return self._failures

    def started(self, boottime: float) -> None:
        """The program starts. Only after a fresh boot of the machine, which is what a power cut
        looks like, the first attempt is spread; a restarted service connects at once."""
        self._now = boottime >= FRESH_BOOT
        self._draw(boottime, spreading=True)

    def failed(self, now: float) -> None:
        """An attempt brought no session."""
        self._failures += 1
        self._now = False
        self._draw(now, spreading=False)

    def lost(self, now: float, up_since: float, *, taken: bool = False) -> None:
        """A session that began at ``up_since`` ended. A stable one was most likely ended for
        everybody at once, so the return is spread. ``taken``: another hub with our identity ended
        it; however long it lasted, that is one more failure, or the two would chase each other."""
        stable = now - up_since >= STABLE and not taken
        self._failures = 0 if stable else self._failures + 1
        self._now = False
        self._draw(now, spreading=stable)

    def hurry(self) -> None:
        """A level-4 alert came: whatever wait there is ends now."""
        self._now = True

    def due(self, alert_waits: bool) -> float:
        """Boottime (seconds) of the next attempt."""
        if self._now:
            return self._since
        if self._spreading:
            return self._since + self._chance * self._spread
        longest = LONGEST_WITH_ALERT if alert_waits else LONGEST_WHEN_EMPTY
        ceiling = min(longest, 2.0 ** min(self._failures, 16))
        return self._since + SHORTEST + self._chance * (ceiling - SHORTEST)

    def _draw(self, now: float, *, spreading: bool) -> None:
        self._since = now
        self._chance = self._random.random()
        self._spreading = spreading
