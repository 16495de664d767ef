"""The uplink as the runtime sees it: give it a journal and a clock, wake it, stop it.

The journal's outbox is the only queue. What waits there is sent, sent again and forgotten here by
the rules of ``delivery``; when to connect is ``backoff``'s; bytes are ``session``'s; what comes
back is ``answers``'. This file only lets them meet.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from random import Random

from gateway.contract import topics
from gateway.contract.encode import Encoder
from gateway.domain.errors import JournalError
from gateway.domain.health import Watch
from gateway.domain.household import Household
from gateway.domain.instant import Clock
from gateway.journal import Journal
from gateway.security.signing import Verifier
from gateway.security.tls import client_context
from gateway.uplink.answers import Desk, OnAnswer
from gateway.uplink.backoff import Backoff
from gateway.uplink.centres import Centres
from gateway.uplink.config import UplinkConfig
from gateway.uplink.delivery import AlertLane, RecordLane
from gateway.uplink.dialect import Dialect, DialectChoice
from gateway.uplink.heartbeat import Progress, Pulse, Vitals
from gateway.uplink.outgoing import Outgoing
from gateway.uplink.peer import Peer, SessionError
from gateway.uplink.sender import Sender
from gateway.uplink.session import Session

NO_ANSWER = 900.0
"""Seconds after which unanswered alerts are taken for a fault of the session, although the broker
acknowledges: a subscription lost at the broker looks just so, and only a new session cures it."""

JOURNAL_PAUSE = 5.0
"""Seconds until the journal is asked again after it failed."""

DESK, DESK_SECONDS = "answers", 120.0
"""An answer that is worked off for longer hangs, and with it everything the centre says: then the
heartbeat must not claim that all is well. A commit on a worn card takes seconds, not minutes."""

GOODBYE = 1.0
"""Real seconds that a stopping hub waits for the broker to take its `offline`."""


class Uplink:
    """Sends what the journal holds until the centre has it. One task runs ``run``."""

    def __init__(
        self,
        config: UplinkConfig,
        *,
        journal: Journal,
        clock: Clock,
        random: Random,
        household: Household,
        verifier: Verifier,
        watch: Callable[[], Watch],
        vitals: Callable[[], Vitals],
        on_answer: OnAnswer,
        progress: Progress,
        dialect: Dialect = Dialect.V5,
    ) -> None:
        """``watch`` and ``vitals`` are asked whenever a message needs them; ``on_answer`` returns
        once what the centre's people said is durable. ``dialect``: the newest protocol to try."""
        self.counters: Counter[str] = Counter()
        self._config = config
        encoder = Encoder(household, boot=clock.now().boot, journal=journal.journal_id)
        self._clock = clock
        self._progress = progress
        self._hub = household.hub
        self._backoff = Backoff(random, config.spread)
        self._dialects = DialectChoice(dialect)
        self._centres = Centres()
        self._pulse = Pulse(
            config.heartbeat,
            encoder=encoder,
            journal=journal,
            watch=watch,
            vitals=vitals,
            progress=progress,
        )
        self._out = Outgoing(encoder, tenant=config.tenant, hub=household.hub, clock=clock)
        self._sender = Sender(
            household=household,
            encoder=encoder,
            outgoing=self._out,
            pulse=self._pulse,
            alerts=AlertLane(random),
            records=RecordLane(random),
            journal=journal,
            clock=clock,
            centres=self._centres,
            vitals=vitals,
            counters=self.counters,
        )
        self._desk = Desk(
            hub=household.hub,
            tenant=config.tenant,
            journal=journal,
            verifier=verifier,
            clock=clock,
            centres=self._centres,
            counters=self.counters,
            on_answer=on_answer,
        )
        self._at_desk = asyncio.Lock()
        self._stir = asyncio.Event()
        self._session: Session | None = None
        self._receivers: set[asyncio.Task[None]] = set()
        self._connecting = False
        self._running = False
        self._stopped = asyncio.Event()
        self._stopping = False
        self._again = False
        self._working = 0
        self._refused: str | None = None

    # -- what the runtime uses -----------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a session with the broker. Says nothing about the centre."""
        return self._session is not None and self._session.alive

    @property
    def dialect(self) -> Dialect | None:
        """The protocol of the session; None without one."""
        return self._session.dialect if self._session is not None else None

    @property
    def centre_there(self) -> bool:
        """Whether a centre process is online (R10); True while none was ever heard of."""
        return self._centres.there

    @property
    def trouble(self) -> str | None:
        """Why there is no session, as a reason; None if there is one, or no attempt yet."""
        return None if self.connected else self._refused

    def wake(self) -> None:
        """There is news: the journal has new rows, or the watch may have changed."""
        self._sender.stale = True
        self._pulse.look_again()
        self._stir.set()

    def in_flight(self) -> int:
        """What will go on by itself within real time: an attempt to connect, messages without
        PUBACK, answers being worked off, work about to begin. A virtual clock stands still
        meanwhile. It does not hold what waits for the centre's answer: see ``unanswered``."""
        if not self._running:
            return 0
        session = self._session
        ours = int(self._connecting) + int(self._stir.is_set()) + self._working
        return ours + (session.pending + session.unread if session is not None else 0)

    def unanswered(self) -> int:
        """Alerts and records that were sent in this session and not received yet."""
        return self._sender.unanswered() if self.connected else 0

    def set_heartbeat(self, seconds: float) -> None:
        """Change the interval of heartbeats (1 to 1440 minutes)."""
        self._pulse.set_interval(seconds)
        self._stir.set()

    async def stop(self) -> None:
        """Say `offline` and end ``run``, within a few real seconds."""
        self._stopping = True
        self._stir.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * GOODBYE):
                if self._running:
                    await self._stopped.wait()

    async def run(self) -> None:
        """Keep a session and send, until ``stop``."""
        self._running = True
        self._stopped.clear()
        self._backoff.started(self._now())
        try:
            while not self._stopping:
                await self._wait_for_turn()
                if not self._stopping:
                    await self._attend()
        finally:
            self._running = False
            self._stopped.set()
            for receiver in self._receivers:
                receiver.cancel()

    # -- connecting ------------------------------------------------------------------------------

    async def _wait_for_turn(self) -> None:
        while not self._stopping:
            alerts = self._look_at_alerts()
            wait = self._backoff.due(alerts) - self._now()
            if wait <= 0:
                return
            await self._pause(wait)

    def _look_at_alerts(self) -> bool:
        """Whether an alert waits; a new one of level 4 ends the waiting at once."""
        try:
            waits, urgent = self._sender.look()
        except JournalError:
            self.counters["journal-errors"] += 1
            return True
        if urgent:
            self._backoff.hurry()
        return waits

    async def _attend(self) -> None:
        """One session, from the attempt to its end."""
        began = self._now()
        dialect = self._dialects.current(began)
        session = Session(
            self._peer(), dialect, on_landed=self._sender.landed, on_change=self._stir.set
        )
        self._connecting, opened = True, False
        try:
            await session.open()
            self._session = session
            await self._greet(session)
            opened = True
        except SessionError as error:
            self._not_opened(error)
        finally:
            self._connecting = False
            if not opened:
                session.drop("not-opened")
                self._session = None
        if not opened:
            return
        self._dialects.accepted()
        self._refused = None
        self.counters["sessions"] += 1
        receiver = asyncio.ensure_future(self._receive(session))
        self._receivers.add(receiver)
        receiver.add_done_callback(self._receivers.discard)
        try:
            await self._serve(session)
        finally:
            session.drop("left")
            self._session = None
            self._refused = session.end_reason
            self.counters["sessions-ended"] += 1
            self._backoff.lost(self._now(), began)
            if self._again:
                self._again = False
                self._backoff.hurry()

    def _peer(self) -> Peer:
        config = self._config
        will = self._out.will()
        return Peer(
            host=config.host,
            port=config.port,
            client_id=self._hub,
            context=lambda: client_context(config.ca, config.certificate, config.key),
            will_topic=will.topic,
            will=will.payload,
            keep_alive=config.keep_alive,
            will_delay=config.will_delay,
            answer_timeout=config.answer_timeout,
        )

    def _not_opened(self, error: SessionError) -> None:
        now = self._now()
        self._refused = error.reason
        self.counters[f"connect-{error.reason}"] += 1
        if error.reason == "hung-up":
            self._dialects.hung_up(now)
        self._backoff.failed(now)
        if error.reason == "version" and self._dialects.refused(now):
            self._backoff.hurry()

    async def _greet(self, session: Session) -> None:
        """Listen before speaking, so that no answer can be missed."""
        wanted = topics.hub_subscriptions(self._config.tenant, self._hub)
        if not await session.subscribe(wanted):
            self.counters["subscription-refused"] += 1
        self._sender.greet(session)

    # -- serving -------------------------------------------------------------------------------

    async def _serve(self, session: Session) -> None:
        began = self._now()
        while session.alive and not self._stopping:
            now = self._now()
            stuck = self._sender.stuck_at(began, NO_ANSWER)
            if stuck is not None and now >= stuck:
                self.counters["no-answer"] += 1
                self._again = True
                await session.close()
                return
            try:
                due = self._sender.send(session, now)
            except JournalError:
                self.counters["journal-errors"] += 1
                due = now + JOURNAL_PAUSE
            if stuck is not None:
                due = min(due, stuck)
            await self._pause(due - self._now())
        if session.alive:
            self._sender.goodbye(session)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    while session.pending and session.alive:
                        self._stir.clear()
                        await self._stir.wait()
            await session.close()

    # -- receiving -----------------------------------------------------------------------------

    async def _receive(self, session: Session) -> None:
        """Works off what the broker sends, so that no slow answer holds up the sending. One
        message at a time over all sessions: the centre's counter may only rise."""
        while (message := await session.receive()) is not None:
            self._working += 1
            try:
                async with self._at_desk:
                    self._progress.register(DESK, DESK_SECONDS, self._now())
                    effects = await self._desk.take(message)
                    self._progress.forget(DESK)
                if effects is not None:
                    session.done(message)
                    self._sender.apply(effects, self._now())
                    self._stir.set()
            finally:
                self._working -= 1

    # -- waiting -------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock.now().boottime

    async def _pause(self, seconds: float) -> None:
        """Wait on the given clock, or until something stirs."""
        if seconds > 0 and not self._stir.is_set():
            waits = [
                asyncio.ensure_future(self._stir.wait()),
                asyncio.ensure_future(self._clock.sleep(seconds)),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        self._stir.clear()
