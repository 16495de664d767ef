"""How long the centre has not answered: the one sign by which a link is judged. Pure.

A session that is open, a broker that acknowledges and a centre that says `online` are all true of
links over which nothing has arrived for days ("connected but not sending" is the most common fault
of this field). Only an alert that waits for its answer tells. Ages are counted on the monotonic
clock, so that a wall clock that jumps by ten years neither hides a dead link nor invents one (R17).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.alert import Alert, Level
from gateway.domain.instant import DAY, Instant
from gateway.journal import OutboxRow

OLDEST = 90 * DAY
"""Seconds. An alert of an earlier run that seems older than that was made, or is read, with a wrong
wall clock: then only this run's seconds count."""


class Unreceived:
    """The alert versions that wait, as the outbox said last."""

    def __init__(self) -> None:
        self._rows: dict[int, OutboxRow] = {}
        self._seen: dict[int, float] = {}
        self._refused: set[int] = set()
        self._aside: set[int] = set()

    def look(self, rows: Sequence[OutboxRow], now: Instant) -> None:
        """``rows``: unreceived alerts, the highest level first; the first page is enough: while
        any alert is unanswered, some alert of the first page is."""
        self._rows = {row.sequence: row for row in rows}
        self._seen = {s: self._seen.get(s, now.boottime) for s in self._rows}
        self._refused &= self._rows.keys()
        self._aside &= self._rows.keys()

    def received(self, alert_id: str, version: int) -> None:
        """The centre has this version."""
        for sequence in self._of(alert_id, version):
            del self._rows[sequence]

    def refused(self, alert_id: str, version: int) -> None:
        """The centre said no. That is an answer: a new session or another path brings no better
        one."""
        self._refused.update(self._of(alert_id, version))

    def set_aside(self, sequence: int) -> None:
        """This one cannot be sent or ends each session: no new session cures that."""
        self._aside.add(sequence)

    def released(self, sequence: int) -> None:
        """It could be sent after all."""
        self._aside.discard(sequence)

    def since(
        self, now: Instant, *, least: Level = Level.WATCH, aside: bool = True
    ) -> float | None:
        """Boottime since which the longest unanswered alert of at least this level has waited in
        this run of the program; None if none does. Without those set aside: what a session can be
        blamed for."""
        starts = (
            self._start(row, now)
            for sequence, row in self._rows.items()
            if sequence not in self._refused
            and row.level >= least
            and (aside or sequence not in self._aside)
        )
        return min(starts, default=None)

    def age(self, now: Instant) -> float | None:
        """Seconds for which the oldest has waited, earlier runs included as far as the wall clock
        can tell; None if none waits."""
        return max((self._age(row, now) for row in self._rows.values()), default=None)

    def _age(self, row: OutboxRow, now: Instant) -> float:
        here = max(0.0, now.boottime - self._start(row, now))
        before = now.wall - row.created
        ours = isinstance(row.message, Alert) and row.message.at.boot == now.boot
        return here if ours or not now.synced or not here < before < OLDEST else before

    def _start(self, row: OutboxRow, now: Instant) -> float:
        message = row.message
        if isinstance(message, Alert) and message.at.boot == now.boot:
            return min(message.at.boottime, now.boottime)
        return self._seen.get(row.sequence, now.boottime)

    def _of(self, alert_id: str, version: int) -> list[int]:
        return [
            sequence
            for sequence, row in self._rows.items()
            if isinstance(row.message, Alert)
            and (row.message.id, row.message.version) == (alert_id, version)
        ]
