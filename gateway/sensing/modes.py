"""Active or passive, all or filtered: how the scanner listens, and when it changes its mind. Pure.

Active scanning with duplicates is the rule: only then does BlueZ tell an unchanged payload again
(measured: 16 of 16 against one callback in ten seconds when passive). Passive scanning saves the
sensors' batteries and lets BlueZ drop strangers before they become D-Bus signals, but it hears
nothing of a sensor whose payload stays the same; it has to be proven for each beacon.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gateway.domain.instant import DAY
from gateway.sensing.usual import FLOOR


class Mode(StrEnum):
    ACTIVE = "active"
    PASSIVE = "passive"
    """Registered patterns only; BlueZ hands over nothing else."""


LAG_FLOOD: Final = 0.5
"""Seconds that our own words may take through the D-Bus connection. Press to publish has 2 s (R6);
what waits in this queue is as late as that, whatever else is quick."""

LAGS_FLOOD: Final = 2
"""Late answers in a row before it is a flood: one is a busy moment of a small machine."""

HOLD: Final = 600.0
"""Seconds of filtered listening before we look whether the flood is over. Looking costs one restart
of the scan, so less than a second in ten minutes (under 0.2 % of the frames)."""

UNPROVEN: Final = DAY
"""Seconds of active scanning after passive scanning lost a sensor or was refused: it will not be
better in an hour, and a new BlueZ comes with a restart of ours."""

PROOFS: Final = 3
"""Intervals within which each beacon must be heard in passive mode: those that make it stale."""


class Modes:
    """Knows the wanted mode, floods, refusals and lost proofs; ``now`` is in seconds."""

    def __init__(self, wanted: Mode, beacons: Mapping[str, float]) -> None:
        """``beacons``: interval by sensor id of those that promised to speak regularly."""
        self.wanted = wanted
        self.why = ""
        """Why the mode is not the wanted one: "flood", "passive-refused", "unproven:<sensor>"."""
        self._beacons = dict(beacons)
        self._flood_until = self._active_until = float("-inf")
        self._refused_until = float("-inf")
        self._late = 0

    def current(self, now: float) -> Mode:
        """The mode to listen in now."""
        if now < self._flood_until and now >= self._refused_until:
            return Mode.PASSIVE
        if self.wanted is Mode.PASSIVE and now >= max(self._active_until, self._refused_until):
            return Mode.PASSIVE
        return Mode.ACTIVE

    def flooded(self, now: float) -> bool:
        """Whether more comes in than this machine can take."""
        return now < self._flood_until

    def lag(self, seconds: float, now: float) -> bool:
        """Our own words took so long through the connection. Returns whether a flood began."""
        self._late = self._late + 1 if seconds > LAG_FLOOD else 0
        if self._late < LAGS_FLOOD:
            return False
        began = not self.flooded(now)
        self._flood_until = now + HOLD
        return began

    def refused(self, now: float) -> None:
        """BlueZ knows no passive scanning (it wants ``--experimental`` before 5.70 or so)."""
        self._refused_until = now + UNPROVEN

    def check(self, heard: Mapping[str, float], since: float, now: float) -> str | None:
        """A beacon that passive scanning since ``since`` has not proven, or None.

        ``heard``: when each sensor's last frame came. From then on the mode is active."""
        if self.wanted is not Mode.PASSIVE or self.flooded(now):
            return None
        for sensor, interval in self._beacons.items():
            last = max(since, heard.get(sensor, since))
            if now - last > max(FLOOR, PROOFS * interval):
                self._active_until = now + UNPROVEN
                return sensor
        return None
