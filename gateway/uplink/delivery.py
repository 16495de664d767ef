"""What to send next, and when again (R4, R9). Pure: rows, answers, time and chance come in.

Times are seconds of boottime. Nothing here knows MQTT: a PUBACK only says that the broker has a
copy, so it ends nothing; it merely allows the next copy.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from random import Random

from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.journal import OutboxRow
from gateway.uplink.suspects import Suspects

FIRST_ANSWER = 10.0
"""Seconds for the first answer (R4)."""

FAST = (5.0, 20.0)
"""Seconds between two sendings at first, and after a `hold` (R4, SCAIP)."""

FAST_FOR = 180.0
"""Seconds for which the fast rate holds (R4)."""

SLOW = (40.0, 60.0)
"""Seconds between two sendings from then on, for ever (R4: at most 60)."""

PAGE = 64
"""Rows read from the journal beyond those already tried, so that no number of unanswered alerts
can hide a new one."""

RECORD_WINDOW = 16
"""Records under way without a receipt. With 300 ms round trip that is 50 a second: the 432
summaries of 72 h in 9 s."""

RECORD_ANSWER = 30.0
"""Seconds for the receipt of records; doubles up to ``RECORD_SLOWEST`` (R11: data)."""

RECORD_SLOWEST = 600.0


class _Timer(Struct):
    first: float
    due: float
    slow: bool = False
    flying: bool = True


class AlertLane:
    """Unreceived alert versions: the never tried first, the highest level first, then by age.

    Every version is sent until it is received itself, also one that a newer version has
    overtaken: the centre counts sequences, and a version left out would look like a lost message.
    A suspect is not taken with the others but alone, by ``take_suspect``.
    """

    def __init__(self, random: Random) -> None:
        self.suspects = Suspects()
        self._random = random
        self._rows: dict[int, OutboxRow] = {}
        self._timers: dict[int, _Timer] = {}
        self.more = False
        """Whether the journal holds rows beyond those of the last ``refresh``."""
        self.unhurried = False
        """True while no centre is there: one sending at once, then only the slow rate (R10)."""

    def wanted(self) -> int:
        """How many rows to read from the journal."""
        return len(self._timers) + PAGE

    def refresh(self, rows: Sequence[OutboxRow]) -> None:
        """``rows``: what the journal holds as unreceived, at most ``wanted()``, highest first."""
        self.more = len(rows) >= self.wanted()
        self._rows = {row.sequence: row for row in rows}
        if not self.more:
            for sequence in [s for s in self._timers if s not in self._rows]:
                del self._timers[sequence]
            self.suspects.keep(self._rows)

    def restart(self, *, renewed: bool = False) -> None:
        """A new session, or the centre came back: everything unreceived is due now, and the fast
        rate begins again. Not in a session that was only ``renewed`` for want of an answer: a centre
        that is away for a night would draw the fast rate every quarter of an hour (R11)."""
        if not renewed:
            self._timers.clear()
        for timer in self._timers.values():
            timer.due, timer.flying = 0.0, False

    def take(self, now: float, room: int) -> list[OutboxRow]:
        """At most ``room`` rows that are to be sent now, in that order."""
        ready = (row for row in self._others() if self._is_due(row.sequence, now))
        return heapq.nsmallest(room, ready, key=self._rank)

    def take_suspect(self, now: float) -> OutboxRow | None:
        """The suspect that is to be tried now. Only while nothing else is under way: else nobody
        could tell which of them ended the session."""
        ready = [
            self._rows[sequence]
            for sequence in self.suspects.due(now)
            if sequence in self._rows and self._is_due(sequence, now)
        ]
        return min(ready, key=self._rank, default=None)

    def broke(self, now: float) -> list[OutboxRow]:
        """The broker ended the session; returns what is a suspect with this."""
        flying = [s for s, timer in self._timers.items() if timer.flying and s in self._rows]
        return [self._rows[sequence] for sequence in self.suspects.broke(flying, now)]

    def sent(self, row: OutboxRow, now: float) -> None:
        """``row`` was handed to the broker."""
        if row.sequence not in self._rows:
            return
        timer = self._timers.get(row.sequence)
        if timer is None:
            wait = self._between(SLOW) if self.unhurried else FIRST_ANSWER
            self._timers[row.sequence] = _Timer(first=now, due=now + wait)
            return
        timer.slow = timer.slow or self.unhurried or now - timer.first >= FAST_FOR
        timer.due = now + self._between(SLOW if timer.slow else FAST)
        timer.flying = True

    def landed(self, sequence: int) -> None:
        """The broker has its copy. Not a receipt."""
        timer = self._timers.get(sequence)
        if timer is not None:
            timer.flying = False

    def received(self, alert_id: str, version: int) -> None:
        """The centre has this version."""
        for row in list(self._rows.values()):
            if _is_of(row, alert_id, version):
                del self._rows[row.sequence]
                self._timers.pop(row.sequence, None)

    def refused(self, alert_id: str, version: int, now: float, *, hold: bool) -> None:
        """The centre said no. ``hold`` asks for it again soon; any other reason is most likely
        the centre's fault and may pass, so the alert is kept and tried at the slow rate."""
        for row in self._rows.values():
            timer = self._timers.get(row.sequence)
            if _is_of(row, alert_id, version) and timer is not None:
                timer.slow = not hold
                if hold:
                    timer.first = now
                timer.due = now + self._between(FAST if hold else SLOW)

    def next_due(self) -> float | None:
        """When ``take`` will have something; None for never, 0 for now."""
        dues = []
        for row in self._others():
            timer = self._timers.get(row.sequence)
            if timer is None or not timer.flying:
                dues.append(0.0 if timer is None else timer.due)
        return min(dues, default=None)

    def awaited(self) -> int:
        """Alerts that were sent and have no answer yet."""
        return sum(1 for sequence in self._timers if sequence in self._rows)

    def unsent(self) -> int:
        """Rows read that were not sent in this session yet."""
        return sum(1 for row in self._others() if row.sequence not in self._timers)

    def _others(self) -> Iterator[OutboxRow]:
        return (row for row in self._rows.values() if row.sequence not in self.suspects)

    def _is_due(self, sequence: int, now: float) -> bool:
        timer = self._timers.get(sequence)
        return timer is None or (not timer.flying and timer.due <= now)

    def _rank(self, row: OutboxRow) -> tuple[bool, int, int]:
        return (row.sequence in self._timers, -row.level, row.sequence)

    def _between(self, limits: tuple[float, float]) -> float:
        return self._random.uniform(*limits)


class RecordLane:
    """Unreceived records in the order of their sequence, a bounded batch under way.

    Without an answer the batch is sent again, then only its first record as a question whether
    somebody is there: a silent centre must not eat the data plan (R11). While there is a suspect
    they go one by one, in their order, because the receipt is for all so far.
    """

    def __init__(self, random: Random) -> None:
        self.suspects = Suspects()
        self._random = random
        self._rows: dict[int, OutboxRow] = {}
        self._sent: set[int] = set()
        self._flying: set[int] = set()
        self._rounds = 0
        self._due: float | None = None

    def refresh(self, rows: Sequence[OutboxRow]) -> None:
        """``rows``: the oldest ``RECORD_WINDOW`` unreceived records, in order."""
        self._rows = {row.sequence: row for row in rows}
        self._sent &= self._rows.keys()
        self._flying &= self._rows.keys()
        self.suspects.keep(self._rows)
        if not self._sent:
            self._due = None

    def restart(self) -> None:
        """A new session, or the centre came back: all of it may go again."""
        self._sent.clear()
        self._flying.clear()
        self._rounds = 0
        self._due = None

    def take(self, now: float, room: int) -> list[OutboxRow]:
        """At most ``room`` records that are to be sent now, in order."""
        if self._due is not None and now >= self._due and not self._flying:
            self._rounds += 1
            self._sent.clear()
            self._due = None
        return [self._rows[sequence] for sequence in self._unsent()[:room]]

    def broke(self, now: float) -> list[OutboxRow]:
        """The broker ended the session; returns what is a suspect with this."""
        flying = sorted(self._flying & self._rows.keys())
        return [self._rows[sequence] for sequence in self.suspects.broke(flying, now)]

    def sent(self, row: OutboxRow, now: float) -> None:
        """``row`` was handed to the broker."""
        if row.sequence not in self._rows:
            return
        self._sent.add(row.sequence)
        self._flying.add(row.sequence)
        wait = min(RECORD_SLOWEST, RECORD_ANSWER * 2.0 ** min(self._rounds, 8))
        self._due = now + wait * self._random.uniform(0.75, 1.0)

    def landed(self, sequence: int) -> None:
        """The broker has its copy. Not a receipt."""
        self._flying.discard(sequence)

    def received(self, up_to: int) -> None:
        """The centre has all records up to this sequence."""
        gone = {s for s in self._rows if s <= up_to}
        if not gone:
            return
        for sequence in gone:
            del self._rows[sequence]
        self._sent -= gone
        self._flying -= gone
        self._rounds = 0
        if not self._sent:
            self._due = None

    def next_due(self) -> float | None:
        """When ``take`` may have something; None for never, 0 for now."""
        if self._unsent():
            return 0.0
        return None if self._flying else self._due

    def awaited(self) -> int:
        """Records that were sent and have no receipt yet."""
        return len(self._sent)

    def _unsent(self) -> list[int]:
        asking = self._rounds >= 2
        unsent = [s for s in sorted(self._rows)[: 1 if asking else None] if s not in self._sent]
        if self.suspects:
            return [] if self._flying else unsent[:1]
        return unsent


def _is_of(row: OutboxRow, alert_id: str, version: int) -> bool:
    message = row.message
    return isinstance(message, Alert) and (message.id, message.version) == (alert_id, version)
