"""The core of a running hub: one queue, one engine, one commit, and only then is anybody told."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions
from gateway.domain.errors import JournalError
from gateway.domain.health import Watch
from gateway.domain.instant import Clock, Instant
from gateway.domain.observation import Booted, HubFault, Observation, What
from gateway.domain.sensor import HAZARD_KINDS, Kind
from gateway.engine.engine import Engine
from gateway.journal import Journal
from gateway.journal.shedding import READINGS
from gateway.runtime.pending import LONGEST_WAIT, Pending
from gateway.runtime.restore import (
    RETRY_TICK,
    Along,
    Restored,
    fingerprint,
    marks,
    step,
    untold,
)
from gateway.runtime.storing import Stored, store
from gateway.runtime.writing import Writer

log = logging.getLogger("ansim")

SNAPSHOT_SECONDS = 3600.0
"""Seconds of progress between two snapshots. The journal is the truth and is at most a minute old;
a snapshot only saves replaying, an hour of which takes milliseconds. At 20 kB each, one in ten
minutes would bring a day over the 10 MB that it may write (tests/bench/journal_cost.py)."""

QUEUE_MOST = 10_000
"""Routine observations in the queue; what a flood brings beyond is dropped and counted. Presses,
hazards and everything else that is rare is never dropped."""

_RARE_KINDS = HAZARD_KINDS | {Kind.MAINS, Kind.TAMPER, Kind.ENTRANCE}

Waiter = asyncio.Future[None]


class Hub:
    """Takes what sources saw, lets the engine decide, stores both, then tells the listeners."""

    def __init__(
        self,
        restored: Restored,
        journal: Journal,
        clock: Clock,
        *,
        version: str,
        beside: bool = True,
    ) -> None:
        """``beside``: write in a thread beside the event loop, because a memory card may take
        seconds; a lock-step hub has no use for it. Whoever closes the journal closes ``writer``."""
        self.engine: Engine = restored.engine
        self.counters: dict[str, int] = {}
        self.faults: dict[str, str] = {}
        self.listeners: list[Callable[[Sequence[Alert]], None]] = []
        self.on_progress: Callable[[], None] = lambda: None
        self.on_new_journal: Callable[[], None] = lambda: None
        self.along: Along | None = None
        self.writer = Writer(beside=beside)
        self._closing = False
        self._restored = restored
        self._journal = journal
        self._clock = clock
        self._version = version
        self._inbox: deque[tuple[Instant, What, int | None, Waiter | None]] = deque()
        self._waiters: list[Waiter] = []
        self._rare = {s.id for s in self.engine.household.sensors if s.kind in _RARE_KINDS}
        self._news = asyncio.Event()
        self._sequence = journal.last_sequence
        self._due: float | None = None
        self._stamp: Instant | None = None
        self._snapshot_at = clock.now().boottime
        self._pending = Pending(self._snapshot_at)
        self._committing = False
        self._failing = False
        self._blocked = False
        self._recovered = journal.recovered
        if restored.failures:
            self.counters["engine-failures"] = restored.failures
        self._pending.untold(untold(self.engine, journal))

    # -- in ------------------------------------------------------------------------------------

    def offer(self, what: What, counter: int | None = None) -> None:
        """Accept an observation: it happened now. Never waits; only for the loop's own thread."""
        if len(self._inbox) >= QUEUE_MOST and isinstance(what, READINGS):
            if what.sensor not in self._rare:
                self._count("queue-dropped")
                return
        self._inbox.append((self._now(), what, counter, None))
        self._news.set()

    async def accept(self, what: What) -> None:
        """Accept an observation and return once it is on disk.

        Raises JournalError if the disk refuses; it is then kept and stored as soon as possible.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._inbox.append((self._now(), what, None, waiter))
        self._news.set()
        await waiter

    def boot(self, reason: str = "") -> None:
        """Say that the program started, and until when its last run watched; and that its journal
        had to begin anew, if so."""
        self.offer(Booted(self._version, reason, self._restored.last))
        self._tell_recovery()

    def fault(self, part: str, present: bool, detail: str = "") -> None:
        """A part of the hub is wrong or right again; told once per change."""
        if present == (part in self.faults):
            return
        if present:
            self.faults[part] = detail
        else:
            del self.faults[part]
        self.offer(HubFault(part, present, detail))
        self._tell(())  # the watch may have changed, and the next heartbeat in its turn is late

    # -- what it can say -------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether something was accepted and is not on disk or not told yet."""
        return bool(self._inbox) or self._committing or self._pending.urgent

    @property
    def committing(self) -> bool:
        """Whether something is being written to the card right now."""
        return self._committing

    @property
    def sequence(self) -> int:
        """Number of the last observation that was accepted, on disk or not."""
        return self._sequence

    def watch(self) -> Watch:
        """What can honestly be said about the watch now, the hub's own faults included."""
        watch = self.engine.watch(self._clock.now())
        own = ["storage"] if self._blocked or not self._journal.readable else []
        if self._failing:
            own.append("engine")
        if own:
            reasons = (*watch.reasons, *own)
            return msgspec.structs.replace(watch, watching=False, reasons=reasons)
        return watch

    # -- the loop --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled. Wakes for news, for the engine's deadlines, for commits."""
        sleeper: asyncio.Task[None] | None = None
        wakes = 0.0
        news: asyncio.Task[bool] | None = None
        try:
            while True:
                await self.work()
                now = self._clock.now().boottime
                due = self._next_moment(now)
                if sleeper is None or sleeper.done() or abs(due - wakes) > 1e-6:
                    if sleeper is not None:
                        sleeper.cancel()
                    wakes = due
                    sleeper = asyncio.create_task(self._clock.sleep(due - now))
                if news is None or news.done():
                    news = asyncio.create_task(self._news.wait())
                await asyncio.wait({sleeper, news}, return_when=asyncio.FIRST_COMPLETED)
                self._news.clear()
        finally:
            for task in (sleeper, news):
                if task is not None:
                    task.cancel()

    async def work(self) -> None:
        """Everything that can be done now: step, tick, commit, tell, snapshot."""
        while self._inbox:
            at, what, counter, waiter = self._inbox.popleft()
            self._step(Observation(self._sequence + 1, at, what, counter))
            if waiter is not None:
                self._waiters.append(waiter)
                self._pending.urgent = True
        now = self._now()
        if self._due is not None and now.boottime >= self._due:
            self._tick(now)
        if self._pending.due(now.boottime):
            await self._commit(now)
        if now.boottime - self._snapshot_at >= SNAPSHOT_SECONDS:
            await self._snapshot(now)
        self.on_progress()

    def hurry(self) -> None:
        """Commit what waits without waiting for its batch to fill."""
        self._pending.hurry()
        self._news.set()

    async def close(self) -> None:
        """The last words of a clean stop, after ``run`` was cancelled: everything on disk, and a
        snapshot of the very end."""
        self._pending.hurry()
        await self.work()
        # What had to wait for that commit is in the inbox now; only then may marks be given back.
        self._closing = True
        self._pending.hurry()
        await self.work()
        if not self._pending:
            await self._snapshot(self._now())

    # -- one thing each --------------------------------------------------------------------------

    def _step(self, observation: Observation) -> None:
        decisions = step(self.engine, observation)
        self._sequence = observation.sequence
        self._pending.observe(observation)
        self._failing = decisions is None
        if decisions is None:
            self._count("engine-failures")
            decisions = Decisions(due=observation.at.boottime + RETRY_TICK)
        self._take(decisions)

    def _tick(self, now: Instant) -> None:
        try:
            decisions = self.engine.tick(now)
            self._failing = False
        except Exception:  # a bug of ours must not end the watch (invariant 8)
            log.exception("the engine failed at a tick")
            self._failing = True
            self._count("engine-failures")
            decisions = Decisions(due=now.boottime + RETRY_TICK)
        self._take(decisions)

    def _take(self, decisions: Decisions) -> None:
        self._due = decisions.due
        self._pending.decide(decisions, self._now().boottime)

    async def _commit(self, now: Instant) -> None:
        self._pending.begin()
        counters = {**marks(now), **self._marks_along(now)}
        observations, decisions = self._pending.observations, self._pending.decisions
        self._committing = True
        try:
            stored = await self.writer.carefully(
                partial(store, self._journal, observations, decisions, counters, now.wall)
            )
        except JournalError as error:
            self._refused(now, error)
            return
        finally:
            self._committing = False
        told = [alert for one in decisions for alert in one.alerts]
        self._blocked = False
        if stored.refused:
            self._count("refused-items", stored.refused)
        if self.along is not None:
            self.along.stored()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._keep(now.boottime, stored)
        if decisions:
            self._tell(told)
        if self._journal.recovered is not self._recovered:
            self._new_journal()

    def _tell(self, alerts: Sequence[Alert]) -> None:
        for listener in self.listeners:
            try:
                listener(alerts)
            except Exception:  # the lamp's failure must not stop the uplink, nor the reverse
                log.exception("a listener failed")
                self._count("listener-failures")

    def _keep(self, now: float, stored: Stored) -> None:
        """What could not be stored waits for room; alarms are stored by now."""
        if stored.trouble is None:
            self._pending.stored(now)
            self.fault("storage", False)
            return
        self._count("commits-without-readings")
        self._lost(self._pending.part_stored(stored.left, stored.left_decisions, now))
        self.fault("storage", True, stored.trouble.reason)

    def _new_journal(self) -> None:
        """The journal was damaged and has begun anew while we run. We know more than it could take
        over: what it does not hold of open alerts, and our state by a snapshot."""
        self.on_new_journal()  # before anything can fail: the link still has the old one's numbers
        self._tell_recovery()
        self._pending.untold(untold(self.engine, self._journal))
        self._snapshot_at = -SNAPSHOT_SECONDS

    def _tell_recovery(self) -> None:
        self._recovered = recovered = self._journal.recovered
        if recovered is None:
            return
        log.error("the journal began anew (%s); the old one is %s", *recovered.told())
        for name, count in recovered.counts().items():
            self._count(name, count)
        self.fault("journal", True, recovered.reason)
        self.fault("journal", False)

    def _marks_along(self, now: Instant) -> Mapping[str, int]:
        if self.along is None:
            return {}
        return self.along.release() if self._closing else self.along.marks(now.boottime)

    def _refused(self, now: Instant, error: JournalError) -> None:
        """Nothing is on disk. Not watching: an alarm would find no place either, unless it was only
        readings that found none and the reserve is there."""
        log.error("%s", error)
        self._count("commit-failures")
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
        room = error.reason == "full" and self._journal.reserve.size > 0
        self._blocked = not (room and self._pending.only_readings())
        self._lost(self._pending.kept(now.boottime))
        self.fault("storage", True, error.reason)

    def _lost(self, lost: Mapping[str, int]) -> None:
        for name, count in lost.items():
            self._count(name, count)

    async def _snapshot(self, now: Instant) -> None:
        """Only of a state that is on disk: a snapshot must never know more than the journal."""
        if self._pending:
            if not self._pending.refused:
                await self._commit(now)
            if self._pending:
                return
        self._snapshot_at = now.boottime
        household, blob = self.engine.household, self.engine.snapshot()
        save = partial(
            self._journal.save_snapshot, self._sequence, now, fingerprint(household), blob
        )
        try:
            await self.writer.carefully(save)
        except JournalError as error:
            log.error("%s", error)
            self._count("snapshot-failures")

    def _next_moment(self, now: float) -> float:
        moments = [now + LONGEST_WAIT, self._pending.next_moment()]
        if self._due is not None:
            moments.append(self._due)
        return max(now, min(moments))

    def _now(self) -> Instant:
        """The clock's moment, never before the one given out last: sources may not turn back."""
        now = self._clock.now()
        if self._stamp is not None and now.boottime < self._stamp.boottime:
            return self._stamp
        self._stamp = now
        return now

    def _count(self, name: str, by: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + by
