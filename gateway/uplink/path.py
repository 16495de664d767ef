"""One broker: when to have a session with it, and what happens in one.

The first path is always wanted. The second (R5) is wanted while alerts go unreceived; until then it
costs nothing, and nothing of it is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.contract import topics
from gateway.domain.errors import JournalError
from gateway.domain.instant import Clock
from gateway.security.tls import client_context
from gateway.security.validity import Passed, judge, verified_chain
from gateway.uplink.backoff import Backoff
from gateway.uplink.centres import Centres
from gateway.uplink.config import Endpoint
from gateway.uplink.dialect import Dialect, DialectChoice
from gateway.uplink.identity import BY_BROKER, TAKEN_OVER, Identity
from gateway.uplink.outgoing import Parcel
from gateway.uplink.peer import Incoming, Peer, SessionError
from gateway.uplink.sender import Sender
from gateway.uplink.session import Session
from gateway.uplink.waiting import pause

log = logging.getLogger(__name__)

JOURNAL_PAUSE = 5.0
"""Seconds until the journal is asked again after it failed."""

GOODBYE = 1.0
"""Real seconds that a stopping hub waits for the broker to take its `offline`."""


ON_PURPOSE = frozenset(
    {TAKEN_OVER, BY_BROKER + "Server shutting down", BY_BROKER + "Administrative action"}
)
"""Ends of a session that no message of ours can be the reason of."""


class Need(Protocol):
    """When a session is wanted, and when one is judged to be dead. Times are boottime."""

    def wanted(self, now: float) -> float:
        """When to connect at the earliest; ``now`` or less for at once, infinity for never yet."""

    def over(self) -> bool:
        """Whether a session that is open is wanted no longer."""

    def stuck_at(self, began: float) -> float | None:
        """When a session that began then has to be given up, because alerts go unreceived although
        it is open; None while nothing is wrong."""


class Line(Protocol):
    """What a path is told by the uplink about itself and the town."""

    tenant: str
    hub: str
    keep_alive: int
    will_delay: int
    answer_timeout: float


class Path:
    """Keeps a session with one broker while it is wanted. One task runs ``run``."""

    def __init__(
        self,
        endpoint: Endpoint,
        line: Line,
        *,
        name: str,
        sender: Sender,
        need: Need,
        backoff: Backoff,
        dialects: DialectChoice,
        centres: Centres,
        clock: Clock,
        counters: Counter[str],
        will: Callable[[], Parcel] | None,
        passed: Callable[[], Passed],
        take: Callable[[Incoming, Path], Awaitable[bool]],
        news: Callable[[], None],
    ) -> None:
        """``name`` goes before the names of its counters; empty for the first path. ``take`` works
        off what came in; False if the broker must keep it. ``news()``: a session came or went."""
        self.sender = sender
        self.centres = centres
        self.identity = Identity()
        self.stir = asyncio.Event()
        self._endpoint = endpoint
        self._line = line
        self._name = name
        self._need = need
        self._backoff = backoff
        self._dialects = dialects
        self._clock = clock
        self._counters = counters
        self._will = will
        self._passed = passed
        self._take = take
        self._news = news
        self._session: Session | None = None
        self._receivers: set[asyncio.Task[None]] = set()
        self._connecting = False
        self._running = False
        self._stopped = asyncio.Event()
        self._stopping = False
        self._again = False
        self._renewed = False
        self._trouble: str | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a session with the broker. Says nothing about the centre."""
        return self._session is not None and self._session.alive

    @property
    def dialect(self) -> Dialect | None:
        """The protocol of the session; None without one."""
        return self._session.dialect if self._session is not None else None

    @property
    def trouble(self) -> str | None:
        """Why there is no session, as a reason; None if there is one, or no attempt yet."""
        return None if self.connected else self._trouble

    def in_flight(self) -> int:
        """What will go on by itself within real time."""
        if not self._running:
            return 0
        session = self._session
        ours = int(self._connecting) + int(self.stir.is_set())
        return ours + (session.pending + session.unread if session is not None else 0)

    async def stop(self) -> None:
        """Say `offline` and end ``run``, within a few real seconds."""
        self._stopping = True
        self.stir.set()
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
            now = self._now()
            due = max(self._need.wanted(now), self._backoff.due(alerts))
            if due <= now:
                return
            await self._pause(due - now)

    def _look_at_alerts(self) -> bool:
        """Whether an alert waits; a new one of level 4 ends the waiting at once."""
        try:
            waits, urgent = self.sender.look()
        except JournalError:
            self._count("journal-errors")
            return True
        if urgent:
            self._backoff.hurry()
        return waits

    async def _attend(self) -> None:
        """One session, from the attempt to its end."""
        began = self._now()
        dialect = self._dialects.current(began)
        session = Session(
            self._peer(), dialect, on_landed=self.sender.landed, on_change=self.stir.set
        )
        self._connecting, opened = True, False
        try:
            await session.open()
            self._session = session
            await self._greet(session)
            opened = True
        except SessionError as error:
            self._not_opened(error, self._session)
        finally:
            self._connecting = False
            if not opened:
                session.drop("not-opened")
                self._session = None
        if not opened:
            return
        self._dialects.accepted()
        self._trouble = None
        self._count("sessions")
        self._news()
        receiver = asyncio.ensure_future(self._receive(session))
        self._receivers.add(receiver)
        receiver.add_done_callback(self._receivers.discard)
        try:
            await self._serve(session)
        finally:
            session.drop("left")
            self._session = None
            self._ended(session, began)

    def _ended(self, session: Session, began: float) -> None:
        now = self._now()
        reason = session.end_reason or "left"
        self._trouble = reason
        self._count("sessions-ended")
        taken = self._taken(session, now - began)
        if reason.startswith(BY_BROKER) and reason not in ON_PURPOSE:
            self.sender.broke(now)
        self._backoff.lost(now, began, taken=taken)
        self._renewed, self._again = self._again, False
        if self._renewed:
            self._backoff.hurry()
        self._news()

    def _taken(self, session: Session, lasted: float) -> bool:
        """Whether another hub with our identity most likely ended the session."""
        reason = session.end_reason or "left"
        taken = self.identity.ended(reason, lasted, self._now(), session.unacknowledged)
        if taken:
            self._count("taken-over")
        return taken

    def _peer(self) -> Peer:
        endpoint, line = self._endpoint, self._line
        will = None if self._will is None else self._will()
        return Peer(
            host=endpoint.host,
            port=endpoint.port,
            client_id=line.hub,
            context=lambda: client_context(
                endpoint.ca, endpoint.certificate, endpoint.key, dates=False
            ),
            check=self._check,
            will=None if will is None else (will.topic, will.payload),
            keep_alive=line.keep_alive,
            will_delay=line.will_delay,
            answer_timeout=line.answer_timeout,
        )

    def _check(self, connection: ssl.SSLSocket) -> None:
        judge(verified_chain(connection), self._clock.now(), self._passed())

    def _not_opened(self, error: SessionError, session: Session | None) -> None:
        """``session``: not None if the broker had taken us already."""
        now = self._now()
        self._trouble = error.reason
        self._count(f"connect-{error.reason}")
        if session is None:
            self.identity.failed()
        else:
            self._taken(session, 0.0)
        if error.reason == "hung-up":
            self._dialects.hung_up(now)
        self._backoff.failed(now)
        if error.reason == "version" and self._dialects.refused(now):
            self._backoff.hurry()
        self._news()

    async def _greet(self, session: Session) -> None:
        """Listen before speaking, so that no answer can be missed."""
        wanted = topics.hub_subscriptions(self._line.tenant, self._line.hub)
        if not await session.subscribe(wanted):
            self._count("subscription-refused")
        self.sender.greet(session, renewed=self._renewed)

    # -- serving -------------------------------------------------------------------------------

    async def _serve(self, session: Session) -> None:
        began = self._now()
        while session.alive and not self._stopping:
            now = self._now()
            stuck = self._need.stuck_at(began)
            if stuck is not None and now >= stuck:
                self._count("no-answer")
                self._again = True
                await session.close()
                return
            if self._need.over():
                break
            try:
                due = self.sender.send(session, now)
            except JournalError:
                self._count("journal-errors")
                due = now + JOURNAL_PAUSE
                with contextlib.suppress(JournalError):
                    due = min(due, self.sender.beat(session, now))
            if stuck is not None:
                due = min(due, stuck)
            await self._pause(due - self._now())
        if session.alive:
            self.sender.goodbye(session)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    while session.pending and session.alive:
                        self.stir.clear()
                        await self.stir.wait()
            await session.close()

    async def _receive(self, session: Session) -> None:
        """Works off what the broker sends, so that no slow answer holds up the sending. A session
        whose receiver has failed would stay open and hear nothing: it ends, and the next one gets
        from the broker what was not worked off."""
        try:
            while (message := await session.receive()) is not None:
                if await self._take(message, self):
                    session.done(message)
        except Exception:  # a bug of ours in one answer must not leave an open session deaf
            log.exception("what the broker sent could not be worked off; a new session begins")
            self._count("receiver-failures")
            session.drop("receiver")

    # -- waiting -------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock.now().boottime

    def _count(self, what: str) -> None:
        self._counters[self._name + what] += 1

    async def _pause(self, seconds: float) -> None:
        await pause(self.stir, self._clock, seconds)
