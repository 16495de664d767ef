"""The uplink as the runtime sees it: give it a journal and a clock, wake it, stop it.

The journal's outbox is the only queue. What waits there is sent, sent again and forgotten here by
the rules of ``delivery``; when to connect is ``backoff``'s and ``need``'s; bytes are ``session``'s;
one broker is a ``path``; what comes back is ``answers``'. This file only lets them meet.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from gateway.contract import topics
from gateway.contract.encode import Encoder
from gateway.domain.health import Watch
from gateway.domain.household import Household
from gateway.domain.instant import Clock
from gateway.journal import Journal
from gateway.security.keys import read
from gateway.security.signing import Verifier
from gateway.security.validity import Passed, begun
from gateway.uplink.answers import Desk, OnAnswer, Write
from gateway.uplink.backoff import LONGEST_WITH_ALERT, Backoff
from gateway.uplink.carrier import Courier, Maker
from gateway.uplink.centres import Centres
from gateway.uplink.config import Endpoint, UplinkConfig
from gateway.uplink.delivery import AlertLane, RecordLane
from gateway.uplink.dialect import Dialect, DialectChoice
from gateway.uplink.heartbeat import Progress, Pulse, Vitals
from gateway.uplink.need import UNRECEIVED, FirstNeed, SecondNeed
from gateway.uplink.outgoing import Outgoing
from gateway.uplink.path import Path
from gateway.uplink.peer import Incoming
from gateway.uplink.sender import Sender
from gateway.uplink.unreceived import Unreceived

log = logging.getLogger(__name__)

DESK, DESK_SECONDS = "answers", 120.0
"""An answer that is worked off for longer hangs, and with it everything the centre says: then the
heartbeat must not claim that all is well. A commit on a worn card takes seconds, not minutes."""

SECOND = "second-"
"""Begins the names of the second path's counters."""


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
        write: Write,
        progress: Progress,
        dialect: Dialect = Dialect.V5,
        carrier: Maker | None = None,
    ) -> None:
        """``watch`` and ``vitals`` are asked whenever a message needs them; ``on_answer`` returns
        once what the centre's people said is durable. ``write``: does every write to the journal.
        ``dialect``: the newest protocol to try. ``carrier``: a way that is not MQTT
        (``gateway.uplink.carrier``)."""
        self.counters: Counter[str] = Counter()
        self.tenant = config.tenant
        self.hub = household.hub
        self.keep_alive = config.keep_alive
        self.will_delay = config.will_delay
        self.answer_timeout = config.answer_timeout
        self._config = config
        self._journal = journal
        self._clock = clock
        self._random = random
        self._household = household
        self._watch = watch
        self._vitals = vitals
        self._progress = progress
        self._dialect = dialect
        self._encoder = Encoder(household, boot=clock.now().boot, journal=journal.journal_id)
        self._out = Outgoing(self._encoder, tenant=config.tenant, hub=household.hub, clock=clock)
        self._unreceived = Unreceived()
        self._desk = Desk(
            hub=household.hub,
            tenant=config.tenant,
            journal=journal,
            verifier=verifier,
            clock=clock,
            counters=self.counters,
            on_answer=on_answer,
            write=write,
        )
        self._at_desk = asyncio.Lock()
        self._working = 0
        self._first = self._path(config.first)
        self._second = None if config.second is None else self._path(config.second, second=True)
        self._courier = None if carrier is None else self._with(carrier)
        self._paths = [path for path in (self._first, self._second) if path is not None]

    # -- what the runtime uses -----------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a session with the first broker. Says nothing about the centre."""
        return self._first.connected

    @property
    def second_connected(self) -> bool:
        """Whether the second path is in use."""
        return self._second is not None and self._second.connected

    @property
    def dialect(self) -> Dialect | None:
        """The protocol of the first session; None without one."""
        return self._first.dialect

    @property
    def centre_there(self) -> bool:
        """Whether a centre process is online (R10); True while none was ever heard of."""
        second = self._second
        return self._first.centres.there or (
            second is not None and second.connected and second.centres.there
        )

    @property
    def trouble(self) -> str | None:
        """Why there is no first session, as a reason; None if there is one, or no attempt yet."""
        return self._first.trouble

    @property
    def fault(self) -> str | None:
        """What is wrong with the link although it may be connected: "identity" (another hub uses
        our certificate), "suspect" (a message ends sessions), "unreceived" (an alert waits for ten
        minutes); None if nothing is."""
        now = self._clock.now()
        if any(path.identity.doubled(now.boottime) for path in self._paths):
            return "identity"
        if any(path.sender.proven_suspects for path in self._paths):
            return "suspect"
        since = self._unreceived.since(now)
        return "unreceived" if since is not None and now.boottime - since >= UNRECEIVED else None

    @property
    def unreceived_for(self) -> float | None:
        """Seconds for which the oldest alert has gone without `received`; None if none waits."""
        return self._unreceived.age(self._clock.now())

    def wake(self) -> None:
        """There is news: the journal has new rows, or the watch may have changed."""
        for path in self._paths:
            path.sender.news()
        self._link_news()

    def in_flight(self) -> int:
        """What will go on by itself within real time: an attempt to connect, messages without
        PUBACK, answers being worked off, work about to begin. A virtual clock stands still
        meanwhile. It does not hold what waits for the centre's answer: see ``unanswered``."""
        carrying = self._courier is not None and self._courier.busy
        return self._working + carrying + sum(path.in_flight() for path in self._paths)

    def unanswered(self) -> int:
        """Alerts and records that were sent in this session and not received yet."""
        return max((p.sender.unanswered() for p in self._paths if p.connected), default=0)

    def set_heartbeat(self, seconds: float) -> None:
        """Change the interval of heartbeats (1 to 1440 minutes)."""
        for path in self._paths:
            path.sender.set_heartbeat(seconds)
            path.stir.set()

    async def stop(self) -> None:
        """Say `offline` and end ``run``, within a few real seconds."""
        await asyncio.gather(*(path.stop() for path in self._paths))

    async def run(self) -> None:
        """Keep the sessions that are wanted and send, until ``stop``. If the first path fails, this
        ends with its error, and whoever runs it begins anew; the other ways begin anew by
        themselves, because they must not take the first one along."""
        besides = {"second": self._second, "carrier": self._courier}
        tasks = [
            asyncio.ensure_future(self._keep(name, way.run))
            for name, way in besides.items()
            if way is not None
        ]
        try:
            await self._first.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- inside --------------------------------------------------------------------------------

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
                return
            except Exception:  # a bug in a way that is rarely used must not cost the usual one
                log.exception("the way %s failed and will be started again", name)
                self.counters[f"restarts-{name}"] += 1
            await self._clock.sleep(LONGEST_WITH_ALERT)

    def _path(self, endpoint: Endpoint, *, second: bool = False) -> Path:
        centres = Centres()
        pulse = Pulse(
            self._config.heartbeat,
            encoder=self._encoder,
            journal=self._journal,
            watch=self._watch,
            vitals=self._vitals,
            progress=self._progress,
            age=self._unreceived.age,
        )
        sender = Sender(
            household=self._household,
            encoder=self._encoder,
            outgoing=self._out,
            pulse=pulse,
            alerts=AlertLane(self._random),
            records=RecordLane(self._random),
            journal=self._journal,
            clock=self._clock,
            centres=centres,
            unreceived=self._unreceived,
            vitals=self._vitals,
            counters=self.counters,
            alerts_only=second,
        )
        need = (
            SecondNeed(self._unreceived, self._clock, lambda: self._first.connected)
            if second
            else FirstNeed(self._unreceived, self._clock, lambda: centres.there)
        )
        return Path(
            endpoint,
            self,
            name=SECOND if second else "",
            sender=sender,
            need=need,
            # The second path is asked for by one home at a time, three minutes after its alert.
            backoff=Backoff(self._random, 0.0 if second else self._config.spread),
            dialects=DialectChoice(self._dialect),
            centres=centres,
            clock=self._clock,
            counters=self.counters,
            will=None if second else self._out.will,
            passed=lambda: self._time_passed(endpoint),
            take=self._take,
            news=self._link_news,
        )

    def _link_news(self) -> None:
        """Something that another path may be wanted for, or no longer."""
        for path in self._paths:
            path.stir.set()
        if self._courier is not None:
            self._courier.stir.set()

    def _with(self, make: Maker) -> Courier:
        async def answers(token: bytes) -> None:
            topic = topics.down(self.tenant, self.hub, "ack")
            await self._take(Incoming(topic, token, retained=False, mid=0, qos=0), self._first)

        return Courier(
            make(answers),
            need=SecondNeed(self._unreceived, self._clock, lambda: self._first.connected),
            waiting=lambda: self._journal.waiting("alert"),
            packed=lambda row: self._out.row(row).payload,
            clock=self._clock,
            counters=self.counters,
        )

    def _time_passed(self, endpoint: Endpoint) -> Passed:
        """What has certainly passed: the centre's last signed time, or the making of our own
        certificate. Raises CertificateError if that is not there; asked in the worker thread."""
        passed = self._desk.passed
        made = begun(read(endpoint.certificate, "certificate"))
        return passed if passed.by(self._clock.now()) >= made else Passed(made)

    async def _take(self, message: Incoming, path: Path) -> bool:
        """Work off what came in; False if the broker must keep it. One message at a time over all
        sessions: the centre's counter may only rise."""
        self._working += 1
        try:
            async with self._at_desk:
                self._progress.register(DESK, DESK_SECONDS, self._now())
                try:
                    effects = await self._desk.take(message, path.centres)
                finally:  # also where the session ends meanwhile: the next may bring no answer
                    self._progress.forget(DESK)
            if effects is None:
                return False
            for each in self._paths:
                each.sender.apply(effects, self._now())
            self._link_news()
            return True
        finally:
            self._working -= 1

    def _now(self) -> float:
        return self._clock.now().boottime
