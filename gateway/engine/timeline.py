"""The engine's own time: seconds that never go back and go on over reboots.

Engine seconds follow the monotonic clock, so that a wall clock that jumps by ten years moves no
timer (R17). The wall clock only says which hour of the day it is. Both mappings change only with
observations, never with ticks: an engine rebuilt from its journal then has the same time line.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.instant import Instant

WALL_TOLERANCE = 1.0
"""Seconds that wall and monotonic clock may drift apart before the mapping follows: below it the
difference is rounding or slewing, and following it would only make noise."""


def kernel_boot(boot: str) -> str:
    """The part of a boot id that names the machine's boot (before the dash); behind it stands the
    start of the program. CLOCK_BOOTTIME goes on as long as this part stays."""
    return boot.partition("-")[0]


class Timeline(Struct):
    """``offset`` maps boottime to engine seconds, ``wall_offset`` engine seconds to wall."""

    boot: str = ""
    offset: float = 0.0
    wall_offset: float = 0.0
    synced: bool = False
    owed: bool = False
    """True after a reboot without a known wall clock: how long it lasted is not known yet."""

    def at(self, instant: Instant) -> float:
        """Engine seconds of a moment in the present boot."""
        return instant.boottime + self.offset

    def instant(self, t: float) -> Instant:
        """The moment of engine second ``t``."""
        return Instant(self.boot, t - self.offset, t + self.wall_offset, self.synced)

    def observe(self, instant: Instant) -> float:
        """Let the mappings follow an observation of the present boot.

        Returns the seconds of an earlier reboot that only now became known (else 0.0). Engine time
        does not jump for them: what was seen since the reboot would look that much older.
        """
        t = instant.boottime + self.offset
        drift = instant.wall - (t + self.wall_offset)
        if -WALL_TOLERANCE < drift < WALL_TOLERANCE and instant.synced is self.synced:
            return 0.0
        if not instant.synced and self.synced:
            return 0.0  # an unsure wall clock never overrules one that was sure
        missing = 0.0
        if self.owed and instant.synced:
            self.owed = False
            missing = max(0.0, drift)
        self.wall_offset = instant.wall - t
        self.synced = instant.synced
        return missing

    def begin(self, instant: Instant) -> float:
        """The very first moment: engine second zero."""
        self.boot = instant.boot
        self.offset = -instant.boottime
        self.wall_offset = instant.wall
        self.synced = instant.synced
        return 0.0

    def reboot(self, instant: Instant, before: float) -> float:
        """Go on in another boot; ``before`` is the last engine second known of the former one.

        Returns the engine second of ``instant``. The downtime is taken from the monotonic clock
        where the machine stayed up, from the wall clock where both are sure, else it is owed.
        """
        if kernel_boot(instant.boot) == kernel_boot(self.boot):
            self.boot = instant.boot
            return max(before, self.at(instant))
        self.boot = instant.boot
        if instant.synced and self.synced:
            t = max(before, instant.wall - self.wall_offset)
        else:
            t = before
            self.owed = self.synced
        self.offset = t - instant.boottime
        return t
