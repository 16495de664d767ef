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
from gateway.domain.observation import (
    Booted,
    Heard,
    HubFault,
    Measured,
    Observation,
    Switched,
    What,
)
from gateway.domain.sensor import HAZARD_KINDS, Kind
from gateway.engine.engine import Engine
from gateway.journal import Journal
from gateway.runtime.restore import (
    RETRY_TICK,
    Along,
    Restored,
    fingerprint,
    marks,
    step,
    untold,
)

log = logging.getLogger("ansim")

BATCH_SECONDS = 60.0
"""Longest that a routine observation waits for its commit (requirements, "Settled")."""

BATCH_MOST = 500
"""Observations that wait at most, so that a bed mat that fires all night bounds nothing but disk."""

SNAPSHOT_SECONDS = 3600.0
"""Seconds of progress between two snapshots. The journal is the truth and is at most a minute old;
a snapshot only saves replaying, an hour of which takes milliseconds. At 20 kB each, one in ten
minutes would bring a day over the 10 MB that it may write (tests/bench/journal_cost.py)."""

LONGEST_WAIT = 60.0
"""Seconds after which the core wakes without a reason, to show that it can (watchdog, R2), and to
mark until when it watched (R17: saved at least each 60 s)."""

QUEUE_MOST = 10_000
"""Routine observations in the queue; what a flood brings beyond is dropped and counted. Presses,
hazards and everything else that is rare is never dropped."""

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds between two tries to commit while the disk refuses."""

LARGEST_PENDING = 50_000
"""Routine observations kept while the disk refuses: two weeks of a busy home, some 15 MB."""

_ROUTINE = (Switched, Heard, Measured)
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
        """``beside``: commit in a thread beside the event loop, because a memory card may take
        seconds; a lock-step hub has no use for it."""
        self.engine: Engine = restored.engine
        self.counters: dict[str, int] = {}
        self.faults: dict[str, str] = {}
        self.listeners: list[Callable[[Sequence[Alert]], None]] = []
        self.on_progress: Callable[[], None] = lambda: None
        self.along: Along | None = None
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
        self._observations: list[Observation] = []
        self._decisions: list[Decisions] = []
        self._urgent = False
        self._since: float | None = None
        self._due: float | None = None
        self._retry_at: float | None = None
        self._retry_wait = FIRST_RETRY
        self._stamp: Instant | None = None
        self._snapshot_at = clock.now().boottime
        self._marked_at = self._snapshot_at
        self._beside = beside
        self._committing = False
        self._failing = False
        if restored.failures:
            self.counters["engine-failures"] = restored.failures
        if waiting := untold(self.engine, journal):
            self._decisions.append(Decisions(alerts=waiting))
            self._urgent = True

    # -- in ------------------------------------------------------------------------------------

    def offer(self, what: What, counter: int | None = None) -> None:
        """Accept an observation: it happened now. Never waits; only for the loop's own thread."""
        if len(self._inbox) >= QUEUE_MOST and isinstance(what, _ROUTINE):
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
        """Say that the program started, and until when its last run watched."""
        self.offer(Booted(self._version, reason, self._restored.last))

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
        return bool(self._inbox) or self._committing or self._urgent

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
        own = ["storage"] if "storage" in self.faults else []
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
                self._urgent = True
        now = self._now()
        if self._due is not None and now.boottime >= self._due:
            self._tick(now)
        if self._must_commit(now.boottime):
            await self._commit(now)
        if now.boottime - self._snapshot_at >= SNAPSHOT_SECONDS:
            await self._snapshot(now)
        self.on_progress()

    def hurry(self) -> None:
        """Commit what waits without waiting for its batch to fill."""
        self._urgent = True
        self._retry_at = None
        self._news.set()

    async def close(self) -> None:
        """The last words of a clean stop, after ``run`` was cancelled: everything on disk, and a
        snapshot of the very end."""
        self._urgent, self._retry_at = True, None
        await self.work()
        # What had to wait for that commit is in the inbox now; only then may marks be given back.
        self._urgent, self._retry_at, self._closing = True, None, True
        await self.work()
        if not self._observations and not self._decisions:
            await self._snapshot(self._now())

    # -- one thing each --------------------------------------------------------------------------

    def _step(self, observation: Observation) -> None:
        decisions = step(self.engine, observation)
        self._sequence = observation.sequence
        if not self._observations:
            self._since = observation.at.boottime
        self._observations.append(observation)
        self._failing = decisions is None
        if decisions is None:
            self._count("engine-failures")
            decisions = Decisions(due=observation.at.boottime + RETRY_TICK)
        if not isinstance(observation.what, _ROUTINE):
            self._urgent = True
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
        if decisions.alerts or decisions.summaries:
            self._decisions.append(decisions)
            self._urgent = self._urgent or bool(decisions.alerts)
            if self._since is None:
                self._since = self._now().boottime

    def _must_commit(self, now: float) -> bool:
        full = len(self._observations) >= BATCH_MOST and self._retry_at is None
        if self._urgent or full:
            return True
        if self._retry_at is not None:
            return now >= self._retry_at
        if self._since is not None:
            return now - self._since >= BATCH_SECONDS
        return now - self._marked_at >= LONGEST_WAIT

    async def _commit(self, now: Instant) -> None:
        store = partial(
            self._journal.commit,
            self._observations,
            self._decisions,
            counters={**marks(now), **self._marks_along(now)},
        )
        self._committing = True
        try:
            await self._carefully(store)
        except JournalError as error:
            self._refused(now, error)
            return
        finally:
            self._committing = False
        told = self._decisions
        self._marked_at = now.boottime
        self._observations, self._decisions = [], []
        self._urgent, self._since = False, None
        self._retry_at, self._retry_wait = None, FIRST_RETRY
        if self.along is not None:
            self.along.stored()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.fault("storage", False)
        if told:
            self._tell([alert for decisions in told for alert in decisions.alerts])

    def _tell(self, alerts: Sequence[Alert]) -> None:
        for listener in self.listeners:
            try:
                listener(alerts)
            except Exception:  # the lamp's failure must not stop the uplink, nor the reverse
                log.exception("a listener failed")
                self._count("listener-failures")

    def _marks_along(self, now: Instant) -> Mapping[str, int]:
        if self.along is None:
            return {}
        return self.along.release() if self._closing else self.along.marks(now.boottime)

    def _refused(self, now: Instant, error: JournalError) -> None:
        log.error("%s", error)
        self._count("commit-failures")
        self._retry_at = now.boottime + self._retry_wait
        self._retry_wait = min(LONGEST_RETRY, 2 * self._retry_wait)
        self._urgent = False  # but the next call for help waits for no retry
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
        self.fault("storage", True, error.reason)
        if len(self._observations) > LARGEST_PENDING:
            kept = [o for o in self._observations if not isinstance(o.what, _ROUTINE)]
            self._count("observations-lost", len(self._observations) - len(kept))
            self._observations = kept

    async def _snapshot(self, now: Instant) -> None:
        """Only of a state that is on disk: a snapshot must never know more than the journal."""
        if self._observations or self._decisions:
            if self._retry_at is None:
                await self._commit(now)
            if self._observations or self._decisions:
                return
        self._snapshot_at = now.boottime
        household, blob = self.engine.household, self.engine.snapshot()
        save = partial(
            self._journal.save_snapshot, self._sequence, now, fingerprint(household), blob
        )
        try:
            await self._carefully(save)
        except JournalError as error:
            log.error("%s", error)
            self._count("snapshot-failures")

    async def _carefully(self, write: Callable[[], object]) -> None:
        """A write to the card. It is finished even if we are cancelled meanwhile: what is half
        known here must be whole on disk."""
        if not self._beside:
            write()
            return
        writing = asyncio.ensure_future(asyncio.to_thread(write))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise

    def _next_moment(self, now: float) -> float:
        moments = [now + LONGEST_WAIT, self._marked_at + LONGEST_WAIT]
        if self._due is not None:
            moments.append(self._due)
        if self._retry_at is not None:
            moments = [now + LONGEST_WAIT, self._retry_at]
        elif self._since is not None:
            moments.append(self._since + BATCH_SECONDS)
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
