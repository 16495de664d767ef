"""MQTT 5, or 3.1.1 where the broker has no 5. Pure."""

from __future__ import annotations

from enum import IntEnum

from gateway.domain.instant import DAY


class Dialect(IntEnum):
    """Version of the protocol, as its number on the wire."""

    V311 = 4
    V5 = 5


SILENT_REFUSALS = 2
"""Brokers without MQTT 5 should say so; some just hang up. One such end may be an accident."""


class DialectChoice:
    """MQTT 5 first; 3.1.1 for a day once the broker showed that it does not speak 5.

    The day's end lets a renewed broker be used in full without anybody touching the hub. It is no
    matter of security: both run inside the same mutual TLS.
    """

    def __init__(self, newest: Dialect = Dialect.V5) -> None:
        self._newest = newest
        self._old_until = 0.0
        self._silent = 0

    def current(self, now: float) -> Dialect:
        """What to speak at boottime ``now``."""
        return Dialect.V311 if now < self._old_until else self._newest

    def refused(self, now: float) -> bool:
        """The broker named the version as its reason. True if there is another one to try now."""
        worth_a_try = self.current(now) is Dialect.V5
        self._old_until = now + DAY if worth_a_try else 0.0
        return worth_a_try

    def hung_up(self, now: float) -> None:
        """The broker closed the connection instead of answering CONNECT."""
        self._silent += 1
        if self._silent >= SILENT_REFUSALS:
            self._silent = 0
            self.refused(now)

    def accepted(self) -> None:
        """The broker took us as we are."""
        self._silent = 0
