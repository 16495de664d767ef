"""Messages that seem to end the session: set aside, so that nothing waits behind them. Pure.

A message that a broker (or something in between) answers by closing the connection is the first in
the queue again after each reconnect, and everything behind it waits for ever. Which message it is
cannot be seen while several are under way; so whatever was under way three times in a row is tried
alone, after all others, and is acquitted by the first acknowledgement. The one that ends the
session even alone is tried ever more rarely. It is never dropped (invariant 2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

STRIKES = 3
"""Sessions in a row that the broker closed before it had acknowledged a message, after which the
message is a suspect. Two may be an accident of the same bad minute."""

AGAIN = (60.0, 3600.0)
"""Seconds until a message that ended a session by itself is tried again, doubling up to an hour:
each try costs a handshake of some 5 kB (R11) and takes the link from all others for a moment."""


class _Suspect(Struct):
    due: float
    tries: int = 0


class Suspects:
    """Of one lane, by sequence. Times are seconds of boottime."""

    def __init__(self) -> None:
        self._strikes: dict[int, int] = {}
        self._suspects: dict[int, _Suspect] = {}

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._suspects

    def __len__(self) -> int:
        return len(self._suspects)

    @property
    def proven(self) -> int:
        """How many have ended a session by themselves, or cannot be sent."""
        return sum(1 for suspect in self._suspects.values() if suspect.tries)

    def keep(self, sequences: Collection[int]) -> None:
        """Forget all others: they wait no longer."""
        self._strikes = {s: n for s, n in self._strikes.items() if s in sequences}
        self._suspects = {s: one for s, one in self._suspects.items() if s in sequences}

    def broke(self, flying: Iterable[int], now: float) -> list[int]:
        """The broker ended the session while these were not acknowledged; returns those that are
        suspects from now on."""
        fresh = []
        for sequence in flying:
            suspect = self._suspects.get(sequence)
            if suspect is not None:
                suspect.due = now + min(AGAIN[1], AGAIN[0] * 2.0**suspect.tries)
                suspect.tries += 1
                continue
            self._strikes[sequence] = self._strikes.get(sequence, 0) + 1
            if self._strikes[sequence] >= STRIKES:
                self._suspects[sequence] = _Suspect(now)
                fresh.append(sequence)
        return fresh

    def unsendable(self, sequence: int, now: float) -> bool:
        """It cannot be put into bytes; a newer program may be able to. True if that is news."""
        news = sequence not in self._suspects
        self._suspects[sequence] = _Suspect(now + AGAIN[1], 1)
        return news

    def acquit(self, sequence: int) -> bool:
        """The broker acknowledged it. True if it was a suspect until now."""
        self._strikes.pop(sequence, None)
        return self._suspects.pop(sequence, None) is not None

    def tries(self, sequence: int) -> int:
        """How often a suspect has ended a session by itself."""
        suspect = self._suspects.get(sequence)
        return 0 if suspect is None else suspect.tries

    def due(self, now: float) -> list[int]:
        """The suspects that may be tried now."""
        return [sequence for sequence, one in self._suspects.items() if one.due <= now]

    def next_due(self) -> float | None:
        """When ``due`` will name one; None for never."""
        return min((s.due for s in self._suspects.values()), default=None)
