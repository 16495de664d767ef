"""An uplink with a real journal, a real broker and a virtual clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Self

from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.health import SensorState, Watch
from gateway.domain.household import Household
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.observation import CentreAnswered
from gateway.domain.sensor import Kind, Sensor
from gateway.journal import Journal
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.writing import Writer
from gateway.security.keys import load_public_keys
from gateway.security.signing import Verifier
from gateway.uplink.carrier import Maker
from gateway.uplink.config import Endpoint, UplinkConfig
from gateway.uplink.dialect import Dialect
from gateway.uplink.heartbeat import Progress, Vitals
from gateway.uplink.uplink import Uplink
from tests.support.broker import TENANT, Town

START = Instant("b0000001-000001", 10_000.0, 1_767_250_800.0)
WAIT = 5.0
"""Real seconds after which something that should have happened did not."""


class JumpingClock(VirtualClock):
    """Virtual time whose wall clock somebody sets."""

    def jump(self, wall: float, *, synced: bool) -> None:
        now = self.now()
        self._now = Instant(now.boot, now.boottime, wall, synced)
        self._wall_offset = wall - now.boottime


class Rig:
    """One hub's uplink, from outside. ``said`` holds what people at the centre said."""

    def __init__(
        self,
        town: Town,
        folder: Path,
        port: int,
        *,
        host: str = "localhost",
        certificates: Path | None = None,
        answer_timeout: float = 3.0,
        boot: str = START.boot,
        dialect: Dialect = Dialect.V5,
        second: Endpoint | None = None,
        keep_alive: int = 50,
        clock: VirtualClock | None = None,
        seed: int = 1,
        carrier: Maker | None = None,
    ) -> None:
        files = certificates or town.hub
        self.hub = town.hub_id
        self.clock = clock or VirtualClock(Instant(boot, START.boottime, START.wall))
        self.journal = Journal.open(folder, self.hub, clock_wall=lambda: self.clock.now().wall)
        self.household = Household(self.hub, (Sensor("pir-1", Kind.MOTION),))
        self.progress = Progress()
        self.writer = Writer()
        self.said: list[CentreAnswered] = []
        self.watching = True
        self.made = 0
        self.uplink = Uplink(
            UplinkConfig(
                tenant=TENANT,
                first=Endpoint(
                    host,
                    port,
                    files / "ca.crt",
                    files / "hub.crt",
                    files / "hub.key",
                ),
                second=second,
                answer_timeout=answer_timeout,
                will_delay=0,
                keep_alive=keep_alive,
            ),
            journal=self.journal,
            clock=self.clock,
            random=Random(seed),
            household=self.household,
            verifier=Verifier(load_public_keys(town.hub / "centres")),
            watch=self.watch,
            vitals=lambda: Vitals(uptime=1.0, version="0.1", settings="s-1"),
            on_answer=self.on_answer,
            write=self.writer.carefully,
            progress=self.progress,
            dialect=dialect,
            carrier=carrier,
        )
        self.clock.busy = lambda: self.uplink.in_flight() > 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.uplink.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        if not self._task.done():
            await self.uplink.stop()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.writer.close()
        self.journal.close()
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def on_answer(self, answer: CentreAnswered) -> None:
        self.said.append(answer)

    def watch(self) -> Watch:
        return Watch(
            watching=self.watching,
            reasons=() if self.watching else ("blind",),
            last_activity_wall=START.wall,
            silence=0.0,
            covered=0.0,
            away=False,
            paused_until_wall=None,
            visit=None,
            sensors={"pir-1": SensorState.OK},
            open_alerts=0,
            next_question_wall=None,
        )

    def alert(self, level: int = 4, *, alert_id: str | None = None, version: int = 1) -> Alert:
        now = self.clock.now()
        self.made += 1
        return Alert(
            id=alert_id or ulid(now.wall, self.hub, self.made),
            version=version,
            type=AlertType.HELP_BUTTON if level == 4 else AlertType.INACTIVITY_WATCH,
            level=Level(level),
            state=AlertState.RAISED,
            at=now,
            raised=now,
            because="pressed",
        )

    def store(self, *alerts: Alert, summaries: int = 0) -> None:
        """Commit without telling the uplink."""
        wall = self.clock.now().wall
        made = tuple(
            Summary(wall + 600.0 * n, 600.0, {"pir-1": n}, away=False, blind=False)
            for n in range(summaries)
        )
        self.journal.commit([], [Decisions(alerts=alerts, summaries=made)])

    def raise_alert(self, level: int = 4) -> Alert:
        alert = self.alert(level)
        self.store(alert)
        self.uplink.wake()
        return alert

    def waiting(self) -> int:
        return len(self.journal.waiting(limit=100_000))

    async def pass_time(
        self, happened: Callable[[], bool], what: str, *, step: float = 1.0, most: float = 700.0
    ) -> None:
        """Let virtual time go on until ``happened``; fail after ``most`` virtual seconds."""
        end = self.clock.now().boottime + most
        while not happened():
            assert self.clock.now().boottime < end, f"waited in vain for {what}"
            await self.clock.advance(step)

    async def connected(self) -> None:
        await until(lambda: self.uplink.connected and not self.uplink.in_flight(), "a session")


async def until(happened: Callable[[], bool], what: str, *, most: float = WAIT) -> None:
    """Let the loop and other threads go on until ``happened``; fail after ``most`` seconds."""
    end = time.monotonic() + most
    while not happened():
        assert time.monotonic() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.002)
