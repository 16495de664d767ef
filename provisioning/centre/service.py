"""A running centre: broker, store, answers, watch over the hubs, and the towns' channels."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from gateway.contract import messages as wire
from gateway.contract import topics
from gateway.domain.errors import AnsimError
from gateway.domain.instant import iso
from gateway.security.keys import load_signing_key
from gateway.security.signing import ANSWER, CENTRE_STATE, Signer
from gateway.security.tls import client_context
from gateway.uplink.dialect import Dialect, DialectChoice
from gateway.uplink.peer import Incoming, Peer, SessionError
from gateway.uplink.session import Session
from provisioning.centre import answering, duty, postbox, reading, retention, scripted
from provisioning.centre.intake import Fresh, Taken
from provisioning.centre.receive import Receiver
from provisioning.centre.routing import Router
from provisioning.centre.settings import CentreSettings, Rule
from provisioning.centre.silence import Watchman
from provisioning.centre.store import Store

BATCH = 64
"""Messages in one commit at most: what queued up while the last commit ran."""

KEEP_ALIVE = 20
"""Seconds. Shorter than a hub's: every hub waits for this connection, and it costs one line."""

WILL_DELAY = 3
"""Seconds before hubs are told that we are gone: a reconnect at once is no loss."""

ANSWER_TIMEOUT = 20.0
"""Seconds for each step of the broker."""

RETRY = (1.0, 15.0)
"""Seconds before the next attempt to reach the broker, doubling; then for ever at the longest,
with jitter. A whole town is unheard meanwhile."""

STORE_RETRY = 1.0
"""Seconds before a batch that could not be stored (full disk) is tried again."""

LOOK = 1.0
"""Seconds between two looks at the hubs' silence and at answers that are to be sent again."""

STORE_LOOK = 0.1
"""Seconds between two looks whether an operator's command wrote something; the look itself takes
microseconds."""

KOREA = 540
"""Minutes east of UTC in which a centre writes its times."""


class Centre:
    """One centre process. Everything runs in one event loop and one thread."""

    def __init__(
        self,
        settings: CentreSettings,
        store: Store,
        *,
        rules: Sequence[Rule] = (),
        told: Callable[[str], None] = lambda _line: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``told`` gets a line for whatever happens, for a log."""
        self.settings = settings
        self.store = store
        self.connected = False
        self.trouble = ""
        self._told = told
        self._wall = wall
        self._rules = [*settings.rules, *rules]
        self._signer = Signer(load_signing_key(settings.signing_key), settings.id)
        broker = settings.broker
        client_context(broker.ca, broker.certificate, broker.key)  # a mistake shows at the start
        self._router = Router(
            store, settings.areas, settings.channels, wall=wall, language=settings.language
        )
        self._receiver = Receiver(store, settings.tenant, wall=wall, also=self._router.alerts)
        self._box = postbox.Postbox()
        self._watchman = Watchman()
        self._session: Session | None = None
        self._listening_since = wall()
        self._duty = asyncio.Event()
        self._poke = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled; then say goodbye."""
        lock = duty.OnlyOne(self.store.path.parent, self.settings.id)
        for home in reading.homes(self.store):
            if not home.watching and home.since is not None:
                self._watchman.told_before(home.hub, home.why, home.since)
        parts: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("link", self._link),
            ("answers", self._answers),
            ("watch", self._watch),
            ("notices", self._notices),
            ("retention", self._retention),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts:
                    group.create_task(self._for_ever(name, part), name=name)
        finally:
            await self._router.stop()
            with contextlib.suppress(sqlite3.Error):
                duty.give_up(self.store, self.settings.id)
            lock.release()

    async def _for_ever(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """A part that fails is begun again, counted and told: nobody may fall silent (8)."""
        said = ""
        while True:
            try:
                await part()
            except Exception as error:  # noqa: BLE001 - the other parts and the town go on
                before, said = said, f"! {name}: {type(error).__name__}: {error}"
                if said != before:
                    self._told(said)
                with contextlib.suppress(sqlite3.Error):
                    self.store.count(f"restarts: {name}")
            await asyncio.sleep(STORE_RETRY)

    # -- the broker --------------------------------------------------------------------------

    async def _link(self) -> None:
        choice = DialectChoice()
        wait = RETRY[0]
        while True:
            began = time.monotonic()
            session = self._new_session(choice.current(began))
            try:
                await session.open()
                choice.accepted()
                self._session = session
                await self._subscribe(session)
                self._listening_since = self._wall()
                self.connected, self.trouble, wait = True, "", RETRY[0]
                self._say(session, "online")
                self._told(f"connected to {self.settings.broker.host}")
                self._flush()
                await self._pump(session)
                self.trouble = f"the broker ended the session: {session.end_reason}"
            except AnsimError as error:
                self.trouble = str(error)
                if error.reason == "version":
                    choice.refused(time.monotonic())
                elif error.reason == "hung-up":
                    choice.hung_up(time.monotonic())
            finally:
                self.connected = False
                self._session = None
                if session.alive:
                    self._say(session, "offline")
                await session.close()
            self._told(f"! {self.trouble}")
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, RETRY[1])

    async def _subscribe(self, session: Session) -> None:
        if not await session.subscribe([topics.centre_subscription(self.settings.tenant)]):
            raise SessionError(
                "The broker refuses the subscription; check its access list for "
                f"centre-{self.settings.id}.",
                reason="refused",
            )

    def _new_session(self, dialect: Dialect) -> Session:
        broker = self.settings.broker
        peer = Peer(
            host=broker.host,
            port=broker.port,
            client_id=f"centre-{self.settings.id}",
            context=lambda: client_context(broker.ca, broker.certificate, broker.key),
            will=(
                topics.centre_state(self.settings.tenant, self.settings.id),
                self._state("offline"),
            ),
            keep_alive=KEEP_ALIVE,
            will_delay=WILL_DELAY,
            answer_timeout=ANSWER_TIMEOUT,
        )
        return Session(peer, dialect, on_landed=lambda _token, _taken: None, on_change=self._flush)

    async def _pump(self, session: Session) -> None:
        """Take messages in batches; each batch is committed before anybody hears of it."""
        while (first := await session.receive()) is not None:
            batch = [first]
            while session.unread and len(batch) < BATCH:
                more = await session.receive()
                if more is None:
                    break
                batch.append(more)
            for taken in await self._stored(session, batch):
                self._box.put(taken.due)
                self._report(taken)
            for message in batch:
                session.done(message)
            self._flush()
            self._router.wake()
            self._poke.set()

    async def _stored(self, session: Session, batch: Sequence[Incoming]) -> list[Taken]:
        raw = [(message.topic, message.payload) for message in batch]
        troubled = False
        while True:
            try:
                taken = self._receiver.take(raw)
            except sqlite3.OperationalError as error:
                # A centre that cannot store is not there; hubs keep what they have (R10).
                if not troubled:
                    self._say(session, "offline")
                    self._told(f"! store: {error}; free some space or check the disk")
                troubled = True
                self.trouble = f"store: {error}"
                await asyncio.sleep(STORE_RETRY)
                continue
            if troubled:
                self.trouble = ""
                self._say(session, "online")
            return taken

    def _say(self, session: Session, state: str) -> None:
        topic = topics.centre_state(self.settings.tenant, self.settings.id)
        session.publish(topic, self._state(state), "state", retain=True)

    def _state(self, state: str) -> bytes:
        data = {"centre": self.settings.id, "state": state, "at": self._now_text()}
        said = msgspec.json.encode(msgspec.convert(data, wire.CentreStateData))
        return self._signer.sign(said, CENTRE_STATE).encode()

    def _now_text(self) -> str:
        return iso(self._wall(), KOREA)

    # -- answers -----------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send what is owed, as far as the broker takes it."""
        session = self._session
        while session is not None and session.room:
            parcel = self._box.take()
            if parcel is None:
                return
            self._send(session, parcel)

    def _send(self, session: Session, parcel: postbox.Parcel) -> None:
        counter = self.store.next_counter(self.settings.id)
        payload = postbox.payload(
            parcel, centre=self.settings.id, counter=counter, at=self._now_text()
        )
        topic = topics.down(self.settings.tenant, parcel.hub, "ack")
        session.publish(topic, self._signer.sign(payload, ANSWER).encode(), "answer")

    async def _answers(self) -> None:
        """Send people's answers: at once when one is written, and again until they took effect."""
        seen, looked = -1, 0.0
        while True:
            changed = self.store.changed()
            now = self._wall()
            if changed != seen or self._poke.is_set() or abs(now - looked) >= LOOK:
                seen, looked = changed, now
                self._poke.clear()
                if self._duty.is_set():
                    scripted.apply(self.store, self._rules, now)
                    self._send_answers(now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STORE_LOOK):
                    await self._poke.wait()

    def _send_answers(self, now: float) -> None:
        session = self._session
        if session is None or not self.connected or not session.room:
            return
        for pending in answering.claim(self.store, now, session.room):
            self._send(session, postbox.Parcel(pending.hub, pending.bootid, [pending.receipt]))
            said = pending.receipt
            self._told(f"{pending.hub} {said.alert_id} <- {said.state} by {said.by}")

    def poke(self) -> None:
        """Somebody gave an answer in this process."""
        self._poke.set()

    # -- the watch over the hubs -------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            now = self._wall()
            if duty.take(self.store, self.settings.id, now):
                self._duty.set()
                if self.connected:
                    self._look(now)
            else:
                self._duty.clear()
            await asyncio.sleep(LOOK)

    def _look(self, now: float) -> None:
        judgements, notices = self._watchman.look(
            reading.facts(self.store), now, self._listening_since
        )
        verdicts = {hub: (one.watching, one.why) for hub, one in judgements.items()}
        for hub, why in reading.judged(self.store, verdicts, now):
            self._told(f"{hub} watching" if not why else f"{hub} not watching: {why}")
        if notices:
            self._router.silences(notices)
            for notice in notices:
                self._told(f"! {notice.kind}: {len(notice.hubs)} homes: {notice.why}")

    async def _notices(self) -> None:
        await self._duty.wait()
        await self._router.run()

    async def _retention(self) -> None:
        while True:
            last = self.store.meta("retained")
            if not isinstance(last, float) or self._wall() - last > retention.DAY:
                retention.retain(self.store, self._wall())
            await asyncio.sleep(retention.DAY / 24)

    def _report(self, taken: Taken) -> None:
        for one in taken.fresh:
            self._told(_line(one))
        if taken.refused:
            self._told(f"! {taken.refused} messages refused")


def _line(one: Fresh) -> str:
    data = one.data
    return (
        f"{one.hub} {data.alert_id} v{data.version} level {data.level} {data.type} {data.state}"
        f"{' (old)' if data.old else ''}{' (remade: the hub was set back)' if one.remade else ''}"
    )
