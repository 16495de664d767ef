"""When the first path's session is given up, and when the second path is used (R5). Pure but for the
clock that it is given.

Both are judged by how long the oldest alert has gone without `received`, and by no other sign: see
``unreceived``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gateway.domain.alert import Level
from gateway.domain.instant import Clock
from gateway.uplink.unreceived import Unreceived

SECOND_PATH = 180.0
"""Seconds without `received` after which another way is tried (R5)."""

NO_FIRST_PATH = 10.0
"""The same for an alert of level 4 while the first path has no session at all: then there is nothing
to wait for but R4's first answer."""

NO_ANSWER = 900.0
"""Seconds after which unanswered alerts are taken for a fault of the session, although the broker
acknowledges: a subscription lost at the broker looks just so, and only a new session cures it."""

NO_CENTRE = 3600.0
"""The same while the last that was heard of every centre is `offline`. That is most likely true, but
it is also what a hub believes that lost its subscription and so missed the centre's return."""

UNRECEIVED = 600.0
"""Seconds without `received` after which the link is at fault, connected or not (R5: after 10 minutes
the resident is told)."""


class FirstNeed:
    """Always wanted; given up when alerts go unreceived for long."""

    def __init__(
        self, unreceived: Unreceived, clock: Clock, centre_there: Callable[[], bool]
    ) -> None:
        self._unreceived = unreceived
        self._clock = clock
        self._centre_there = centre_there

    def wanted(self, now: float) -> float:
        return now

    def over(self) -> bool:
        return False

    def stuck_at(self, began: float) -> float | None:
        since = self._unreceived.since(self._clock.now(), aside=False)
        if since is None:
            return None
        return max(since, began) + (NO_ANSWER if self._centre_there() else NO_CENTRE)


class SecondNeed:
    """Wanted once an alert has waited for three minutes. Over once nothing waits and the first path
    has a session again: the next alert of a bad day must not wait for three minutes anew."""

    def __init__(
        self, unreceived: Unreceived, clock: Clock, first_connected: Callable[[], bool]
    ) -> None:
        self._unreceived = unreceived
        self._clock = clock
        self._first_connected = first_connected
        self._in_use = False

    def wanted(self, now: float) -> float:
        since = self._unreceived.since(self._clock.now())
        if self._in_use and self.over():
            self._in_use = False
        if self._in_use:
            return now
        if since is None:
            return math.inf
        due = since + SECOND_PATH
        if not self._first_connected():
            urgent = self._unreceived.since(self._clock.now(), least=Level.EMERGENCY)
            due = due if urgent is None else min(due, urgent + NO_FIRST_PATH)
        self._in_use = due <= now
        return due

    def over(self) -> bool:
        return self._unreceived.since(self._clock.now()) is None and self._first_connected()

    def stuck_at(self, began: float) -> float | None:
        since = self._unreceived.since(self._clock.now(), aside=False)
        return None if since is None else max(since, began) + NO_ANSWER
