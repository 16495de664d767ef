"""Whether somebody else uses this hub's identity: a copied card, a hub that was replaced and plugged
in again, a stolen key. Pure.

A broker lets one connection live for each certificate and ends the older one. MQTT 5 has a name for
that (0x8E, session taken over), which mosquitto 2.0.11 of Debian 12 does not say (measured); without
it, as in 3.1.1, it only looks like a line that breaks again and again right after it was made, with
nothing under way. Two hubs that answer each other's coming by coming again would never stop.
"""

from __future__ import annotations

from collections import deque

TAKEN_OVER = "broker:Session taken over"
"""``Session.end_reason`` for 0x8E."""

BY_BROKER = "broker:"
"""Begins every ``end_reason`` in which the other side closed."""

NAMED = 2
"""Take-overs within ``WITHIN`` that count as proof. One may be a proxy that kept a dead connection."""

UNNAMED = 8
"""Sessions within ``WITHIN`` that the broker closed after at most ``SHORT`` seconds with nothing under
way, and no attempt failed between: a broker that restarts, or a line that fails, refuses an attempt
now and then; a broker that only shows us the door never does."""

SHORT = 600.0
"""Seconds. The other hub comes back after at most ten minutes, as we do (``backoff``)."""

WITHIN = 3600.0
"""Seconds for which the signs are remembered; also how long the fault stands after the last one."""


class Identity:
    """Judges each end of a session. Times are seconds of boottime."""

    def __init__(self) -> None:
        self._named: deque[float] = deque(maxlen=NAMED)
        self._short: deque[float] = deque(maxlen=UNNAMED)

    def ended(self, reason: str, lasted: float, now: float, unacknowledged: int) -> bool:
        """A session ended; True if another holder of our identity is the likely cause.
        ``unacknowledged`` messages were under way: then one of those may be the reason
        (``suspects``), and the end is no sign."""
        if reason == TAKEN_OVER:
            self._named.append(now)
            return True
        if not reason.startswith(BY_BROKER):
            self._short.clear()
        if not reason.startswith(BY_BROKER) or lasted >= SHORT or unacknowledged:
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
