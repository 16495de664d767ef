"""A hub that says whatever a test wants, and a centre in this process or in its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

import msgspec

from gateway.contract import messages as wire
from gateway.contract import topics
from gateway.contract.decode import decode_answer
from gateway.contract.encode import Encoder
from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.decisions import Summary
from gateway.domain.health import Watch
from gateway.domain.household import Household
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.sensor import Kind, Sensor
from gateway.security.keys import load_public_keys
from gateway.security.signing import ANSWER, CENTRE_STATE, Verifier
from gateway.security.tls import client_context
from gateway.uplink.dialect import Dialect
from gateway.uplink.peer import Peer
from gateway.uplink.session import Session
from provisioning.centre.service import Centre
from provisioning.centre.settings import BrokerSettings, CentreSettings, Channel, Rule
from provisioning.centre.store import FILE, Store
from tests.support.broker import CENTRE, TENANT, Town

WAIT = 10.0
"""Real seconds after which something that should have happened did not."""

START = 1_772_377_200.0
HUB = "hub-7k2m9q"


async def until(what: Callable[[], object], seconds: float = WAIT) -> None:
    """Let the loop run until ``what`` holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.005)


class Words:
    """What a hub says, made by the real encoder."""

    def __init__(self, hub: str = HUB, *, boot: str = "b0000001-1", journal: str = "j1") -> None:
        self.hub = hub
        self.boot = boot
        self.journal = journal
        self.heads = {"alert": 0, "record": 0, "heartbeat": 0, "session": 0}
        self.household = Household(hub, (Sensor("pir-1", Kind.MOTION),))
        self.encoder = Encoder(self.household, boot=boot, journal=journal)

    def next(self, lane: str) -> int:
        self.heads[lane] += 1
        return self.heads[lane]

    def instant(self, seconds: float = 0.0) -> Instant:
        return Instant(self.boot, 100.0 + seconds, START + seconds)

    def alert(
        self,
        number: int = 1,
        *,
        version: int = 1,
        level: Level = Level.EMERGENCY,
        kind: AlertType = AlertType.HELP_BUTTON,
        state: AlertState = AlertState.RAISED,
        is_open: bool = True,
        cause: bool = True,
        sequence: int | None = None,
        at: float | None = None,
    ) -> bytes:
        """``at``: seconds after the beginning at which this version came about."""
        alert = Alert(
            id=ulid(START, self.hub, "alert", number),
            version=version,
            type=kind,
            level=level,
            state=state,
            at=self.instant(version if at is None else at),
            raised=self.instant(),
            because="pressed",
            open=is_open,
            cause=cause,
        )
        lane = "record" if level is Level.NOTE else "alert"
        return self.encoder.alert(alert, self.next(lane) if sequence is None else sequence)

    def alert_id(self, number: int = 1) -> str:
        return ulid(START, self.hub, "alert", number)

    def summary(self, *, sequence: int | None = None) -> bytes:
        number = self.next("record") if sequence is None else sequence
        summary = Summary(START + 600 * number, 600.0, {"pir-1": 3}, False, False)
        return self.encoder.telemetry(summary, number)

    def state(self, state: str) -> bytes:
        known = msgspec.convert({"state": state}, wire.StateData).state
        return self.encoder.state(known, self.next("session"), self.instant())

    def heartbeat(
        self,
        *,
        watching: bool = True,
        reasons: tuple[str, ...] = (),
        alerts: int = 0,
        records: int = 0,
        interval: int = 300,
    ) -> bytes:
        sequence = self.next("heartbeat")
        watch = Watch(watching, reasons, START, 60.0, 60.0, False, None, None, {}, 0, None)
        data = self.encoder.heartbeat_data(
            watch,
            interval_s=interval,
            uptime_s=1.0,
            queue=wire.QueueData(alerts=alerts, records=records, oldest_unreceived_alert_s=None),
            alert_sequence=self.heads["alert"],
            record_sequence=self.heads["record"],
            power="mains",
            version="0.1",
            settings="s-1",
            model=None,
        )
        return self.encoder.heartbeat(data, sequence, self.instant(sequence))


class FakeHub:
    """A hub's session; ``receipts`` are the parts of verified answers, in order."""

    def __init__(self, town: Town, port: int, words: Words) -> None:
        self.words = words
        self.receipts: list[wire.AlertReceipt | wire.RecordsReceipt] = []
        self.answers: list[wire.Answer] = []
        self.centre_states: list[str] = []
        self._verifier = Verifier(load_public_keys(town.hub / "centres"))
        files = town.hub
        self._session = Session(
            Peer(
                host="localhost",
                port=port,
                client_id=words.hub,
                context=lambda: client_context(
                    files / "ca.crt", files / "hub.crt", files / "hub.key"
                ),
                will=(
                    topics.up(TENANT, words.hub, "state"),
                    words.state("lost"),
                ),
                keep_alive=50,
                will_delay=0,
                answer_timeout=5.0,
            ),
            Dialect.V5,
            on_landed=lambda _token, _taken: None,
            on_change=lambda: None,
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._session.open()
        await self._session.subscribe(topics.hub_subscriptions(TENANT, self.words.hub))
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        if self._task is not None:
            await self._task

    async def _listen(self) -> None:
        while (message := await self._session.receive()) is not None:
            self._session.done(message)
            if message.topic.endswith("/dn/ack"):
                answer = decode_answer(self._verifier.verify(message.payload, ANSWER)[1])
                self.answers.append(answer)
                self.receipts += answer.answers
            elif "/centre/state/" in message.topic and message.payload:
                _, payload = self._verifier.verify(message.payload, CENTRE_STATE)
                self.centre_states.append(
                    msgspec.json.decode(payload, type=wire.CentreStateData).state
                )

    async def publish(self, topic: str, payload: bytes) -> None:
        await until(lambda: self._session.room)
        self._session.publish(topic, payload, "token")

    async def say(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        await until(lambda: self._session.room)
        self._session.publish(
            topics.up(TENANT, self.words.hub, leaf), payload, "token", retain=retain
        )

    async def online(self) -> None:
        await self.say("state", self.words.state("online"), retain=True)

    def states(self, alert_id: str) -> list[str]:
        return [
            part.state
            for part in self.receipts
            if isinstance(part, wire.AlertReceipt) and part.alert_id == alert_id
        ]

    def received(self) -> set[tuple[str, int]]:
        return {
            (part.alert_id, part.version)
            for part in self.receipts
            if isinstance(part, wire.AlertReceipt) and part.state == "received"
        }

    def up_to(self) -> int:
        parts = [part.up_to for part in self.receipts if isinstance(part, wire.RecordsReceipt)]
        return parts[-1] if parts else 0


def settings_for(
    town: Town,
    data: Path,
    port: int,
    *,
    centre: str = CENTRE,
    areas: dict[str, str] | None = None,
    channels: list[Channel] | None = None,
) -> CentreSettings:
    files = town.centre(centre)
    return CentreSettings(
        id=centre,
        tenant=TENANT,
        data=data,
        signing_key=files / "signing.key",
        broker=BrokerSettings(
            host="localhost",
            port=port,
            ca=files / "ca.crt",
            certificate=files / "centre.crt",
            key=files / "centre.key",
        ),
        language="en",
        areas=areas or {},
        channels=channels or [],
    )


@contextlib.asynccontextmanager
async def running(
    settings: CentreSettings, *, rules: list[Rule] | None = None
) -> AsyncIterator[Centre]:
    """A centre in this process, connected."""
    store = Store.open(settings.data)
    centre = Centre(settings, store, rules=rules or [])
    task = asyncio.create_task(centre.run())
    try:
        await until(lambda: centre.connected or task.done())
        yield centre
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


class CentreProcess:
    """`ansim-office centre run` as its own process, to be killed."""

    def __init__(self, settings: CentreSettings, *more: str) -> None:
        broker = settings.broker
        self._argv = [
            sys.executable,
            "-c",
            "from provisioning.office.main import main; main()",
            "centre",
            "run",
            *("--broker", f"{broker.host}:{broker.port}", "--ca", str(broker.ca)),
            *("--cert", str(broker.certificate), "--key", str(broker.key)),
            *("--signing-key", str(settings.signing_key), "--id", settings.id),
            *("--tenant", settings.tenant, "--data", str(settings.data)),
            *(more or ("--no-board",)),
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, terminal: int | None = None) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=terminal,
            stdout=asyncio.subprocess.DEVNULL if terminal is None else terminal,
            stderr=terminal,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
        )

    async def ended(self) -> int:
        assert self._process is not None
        return await self._process.wait()

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await self._process.wait()


def stored_versions(data: Path) -> set[tuple[str, int]]:
    """(alert id, version) in a store that nobody writes to now."""
    with contextlib.closing(sqlite3.connect(data / FILE)) as db:
        return {
            (row[0], row[1]) for row in db.execute("SELECT alert_id, version FROM alert_versions")
        }
