"""Whether somebody else uses this hub's identity: a copied card, a hub that was replaced and plugged
in again, a stolen key. Pure.

A broker lets one connection live for each certificate and ends the older one. MQTT 5 names that
(0x8E, session taken over); in 3.1.1 it only looks like a line that breaks again and again right
after it was made. Two hubs that answer each other's coming by coming again would never stop.
"""

from __future__ import annotations

from collections import deque

TAKEN_OVER = "broker:Session taken over"
"""``Session.end_reason`` for 0x8E."""

BY_BROKER = "broker:"
"""Begins every ``end_reason`` in which the other side closed."""

NAMED = 2
"""Take-overs within ``WITHIN`` that count as proof. One may be a proxy that kept a dead connection."""

UNNAMED = 5
"""Sessions in a row that the broker closed within ``SHORT`` seconds, and no attempt failed between:
a broker that restarts refuses an attempt now and then, one that shows us the door never does."""

SHORT = 60.0
"""Seconds. The other hub comes back within a minute while it has an alert, as we do."""

WITHIN = 3600.0
"""Seconds for which the signs are remembered; also how long the fault stands after the last one."""


class Identity:
    """Judges each end of a session. Times are seconds of boottime."""

    def __init__(self) -> None:
        self._named: deque[float] = deque(maxlen=NAMED)
        self._short: deque[float] = deque(maxlen=UNNAMED)

    def ended(self, reason: str, lasted: float, now: float) -> bool:
        """A session ended; True if another holder of our identity is the likely cause."""
        if reason == TAKEN_OVER:
            self._named.append(now)
            return True
        if not reason.startswith(BY_BROKER) or lasted >= SHORT:
            self._short.clear()
            return False
        self._short.append(now)
        return self.doubled(now)

    def failed(self) -> None:
        """An attempt to connect failed: the broker was away, so its hanging up meant nothing."""
        self._short.clear()

    def doubled(self, now: float) -> bool:
        """Whether two hubs have to be taken for one."""
        return any(
            len(signs) == signs.maxlen and now - signs[0] < WITHIN
            for signs in (self._named, self._short)
        )
