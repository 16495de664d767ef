"""An uplink with a real journal and no broker: a session that takes whatever it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from gateway.domain.errors import JournalError
from gateway.domain.health import Watch
from gateway.domain.household import Household
from gateway.domain.instant import Instant
from gateway.domain.observation import CentreAnswered
from gateway.domain.sensor import Kind, Sensor
from gateway.engine.engine import Engine
from gateway.journal import Journal
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.writing import Writer
from gateway.security.signing import Verifier
from gateway.uplink.carrier import Maker
from gateway.uplink.config import Endpoint, UplinkConfig
from gateway.uplink.heartbeat import Progress, Vitals
from gateway.uplink.peer import Incoming
from gateway.uplink.session import Session
from gateway.uplink.uplink import Uplink
from tests.support.journals import HUB, NOON

NOWHERE = Path("/nonexistent")


class LoneUplink:
    """``uplink`` has never had a session; ``progress`` says what hangs."""

    def __init__(self, journal: Journal, *, carrier: Maker | None = None) -> None:
        self.clock = VirtualClock(Instant("boot-1", 1000.0, NOON))
        self.progress = Progress()
        household = Household(HUB, (Sensor("pir-1", Kind.MOTION),))
        engine = Engine(household, None)

        def watch() -> Watch:
            return engine.watch(self.clock.now())

        async def on_answer(_: CentreAnswered) -> None:
            return None

        self.uplink = Uplink(
            UplinkConfig(
                tenant="town-1", first=Endpoint("localhost", 1, NOWHERE, NOWHERE, NOWHERE)
            ),
            journal=journal,
            clock=self.clock,
            random=Random(1),
            household=household,
            verifier=Verifier({}),
            watch=watch,
            vitals=lambda: Vitals(uptime=1.0, version="0.1", settings="s"),
            on_answer=on_answer,
            write=Writer(beside=False).carefully,
            progress=self.progress,
            carrier=carrier,
        )
        self.path = self.uplink._first
        self.sender = self.path.sender


class OpenSession:
    """Stands in for a session with a broker. ``sent`` holds the tokens of what was published."""

    def __init__(self) -> None:
        self.alive = True
        self.pending = 0
        self.room = 16
        self.sent: list[object] = []
        self.done_with: list[int] = []
        self.end_reason: str | None = None
        self.inbox: asyncio.Queue[Incoming | None] = asyncio.Queue()

    @property
    def session(self) -> Session:
        return cast("Session", self)

    def publish(self, topic: str, payload: bytes, token: object, **_: Any) -> bool:
        self.sent.append(token)
        return True

    async def receive(self) -> Incoming | None:
        return await self.inbox.get()

    def done(self, message: Incoming) -> None:
        self.done_with.append(message.mid)

    def drop(self, reason: str) -> None:
        self.alive, self.end_reason = False, reason


@contextmanager
def unreadable(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No read of the journal succeeds meanwhile."""

    def fails() -> AbstractContextManager[object]:
        raise JournalError("The journal cannot be read.", reason="io")

    with monkeypatch.context() as patched:
        patched.setattr(journal._store, "reading", fails)
        yield
