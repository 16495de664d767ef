"""The heartbeat: always sent by a live core, always truthful (R1, R2, invariant 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.contract.encode import Encoder
from gateway.contract.messages import ChainData, HeartbeatData, QueueData
from gateway.domain.health import Watch
from gateway.domain.instant import Instant
from gateway.journal import Journal

SHORTEST, LONGEST = 60.0, 86400.0
"""Limits of the interval in seconds (R1: 1 to 1440 minutes)."""


class Progress:
    """Which parts of the program moved when. A part that hangs makes `watching` false.

    Each part says how long it may go without progress, then notes each step it makes. A part
    with nothing to do notes that too; only a part that is stuck is silent.
    """

    def __init__(self) -> None:
        self._parts: dict[str, tuple[float, float]] = {}

    def register(self, part: str, deadline: float, now: float) -> None:
        """``deadline`` seconds may pass between two steps of ``part``; ``now`` is boottime."""
        self._parts[part] = (deadline, now)

    def note(self, part: str, now: float) -> None:
        """``part`` made a step."""
        deadline, before = self._parts[part]
        self._parts[part] = (deadline, max(before, now))

    def forget(self, part: str) -> None:
        """``part`` ended on purpose."""
        self._parts.pop(part, None)

    def hung(self, now: float) -> tuple[str, ...]:
        """Parts that are past their deadline, by name."""
        late = (part for part, (wait, last) in self._parts.items() if now - last > wait)
        return tuple(sorted(late))

    def next_deadline(self, now: float) -> float | None:
        """The next boottime at which a part would count as hung, unless it moves before."""
        ends = [wait + last for wait, last in self._parts.values() if now - last <= wait]
        return min(ends, default=None)


class Vitals(Struct, frozen=True):
    """What the runtime knows about the hub itself, for the heartbeat.

    ``uptime``    seconds since the program started
    ``settings``  fingerprint of the settings in use
    ``model``     hash of the model in use; None without one
    ``faults``    parts of the hub that are wrong now, e.g. "storage", "radio"
    ``counters``  what was counted outside the link: the radio's recovery, refused frames
    """

    uptime: float
    version: str
    settings: str
    model: str | None = None
    power: Literal["mains", "battery", "unknown"] = "unknown"
    faults: tuple[str, ...] = ()
    counters: Mapping[str, int] = {}


class Pulse:
    """When a heartbeat is due, and what it says.

    Due at each interval, at the start of a session, and at once when `watching` or its reasons
    change. Nothing is kept for later: without a session no heartbeat is made.
    """

    def __init__(
        self,
        interval: float,
        *,
        encoder: Encoder,
        journal: Journal,
        watch: Callable[[], Watch],
        vitals: Callable[[], Vitals],
        progress: Progress,
        age: Callable[[Instant], float | None],
    ) -> None:
        """``age``: seconds for which the oldest unreceived alert has waited, by any clock but the
        wall's."""
        self._age = age
        self._encoder = encoder
        self._journal = journal
        self._watch = watch
        self._vitals = vitals
        self._progress = progress
        self._due = 0.0
        self._told: tuple[str, ...] | None = None
        self._look = True
        self.set_interval(interval)

    @property
    def interval(self) -> float:
        """Seconds between two heartbeats."""
        return self._interval

    def set_interval(self, seconds: float) -> None:
        """Held within the limits of R1; the next heartbeat tells it."""
        self._interval = min(max(seconds, SHORTEST), LONGEST)
        self.due_now()

    def due_now(self) -> None:
        """A session began: say at once how the home is."""
        self._due = 0.0

    def look_again(self) -> None:
        """The watch may have changed."""
        self._look = True

    def is_due(self, now: float) -> bool:
        """Whether to send one at boottime ``now``."""
        hung = self._progress.hung(now)
        if self._look or hung != self._hung_told():
            self._look = False
            if self._told != _reasons(self._watch(), hung):
                self._due = min(self._due, now)
        return now >= self._due

    def next_due(self, now: float) -> float:
        """The boottime to ask again."""
        deadline = self._progress.next_deadline(now)
        # A part counts as hung only after its deadline, hence the tenth.
        return self._due if deadline is None else min(self._due, deadline + 0.1)

    def beat(self, at: Instant, counters: Mapping[str, int]) -> HeartbeatData:
        """The heartbeat of this moment. Raises JournalError."""
        hung = self._progress.hung(at.boottime)
        watch, vitals, stats = self._watch(), self._vitals(), self._journal.stats()
        reasons = _reasons(watch, hung)
        told = msgspec.structs.replace(
            watch, watching=watch.watching and not hung, reasons=reasons[1:]
        )
        head = self._journal.head
        data = self._encoder.heartbeat_data(
            told,
            interval_s=round(self._interval),
            uptime_s=vitals.uptime,
            queue=QueueData(
                alerts=stats.waiting_alerts,
                records=stats.waiting_records,
                oldest_unreceived_alert_s=self._oldest(at, stats.oldest_alert),
            ),
            alert_sequence=stats.alert_head,
            record_sequence=stats.record_head,
            power=vitals.power,
            version=vitals.version,
            settings=vitals.settings,
            model=vitals.model,
            faults=vitals.faults,
            counters={**counters, **vitals.counters},
            chain=ChainData(head.place, head.link.hex()),
        )
        self._told = reasons
        self._due = at.boottime + self._interval
        return data

    def _oldest(self, at: Instant, created: float | None) -> float | None:
        """By the wall clock only for an alert that cannot even be read."""
        if created is None:
            return None
        age = self._age(at)
        return max(0.0, at.wall - created) if age is None else age

    def _hung_told(self) -> tuple[str, ...]:
        told = self._told or ()
        return tuple(r.removeprefix(HUNG) for r in told if r.startswith(HUNG))


HUNG = "hung:"


def _reasons(watch: Watch, hung: Sequence[str]) -> tuple[str, ...]:
    """Whether the home is watched, "yes" or "no", and then why not: the engine's word, unless a
    part of the program hangs."""
    seen = watch.watching and not hung
    return ("yes" if seen else "no", *watch.reasons, *(f"{HUNG}{part}" for part in hung))
