"""A hub whose time moves only when told to: for the demo and for tests, never for service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gateway.domain.alert import Alert
from gateway.domain.errors import AnsimError
from gateway.domain.instant import DAY, Instant, iso
from gateway.domain.observation import Pressed
from gateway.journal import Journal
from gateway.runtime.asking import Request
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.control import Handler
from gateway.runtime.hub import Hub
from gateway.uplink.uplink import Uplink

FLUSH_SECONDS = 10.0
"""Real seconds that a flush waits if the request does not say."""

POLL = 0.001
"""Real seconds between two looks at what a request waits for."""

FURTHEST = 10 * 365 * DAY
"""Virtual seconds that time may be moved at once: each minute of them is lived through."""

KERNEL = "10c57e90"
"""The machine's part of a virtual boot id: a hub that is started again goes on in the same time."""

UP_BEFORE = 1000.0
"""Virtual seconds of uptime at the first row, more than the ten minutes below which the uplink
takes a start for the return of the mains power and waits at random."""


class LockstepError(AnsimError):
    """Raised when a request about virtual time cannot be understood."""

    reason = "lockstep"


def virtual_start(first_wall: float, last: Instant | None, run: str) -> Instant:
    """Where time begins: at the recording's first row, or where the run before stopped."""
    wall = first_wall if last is None else max(first_wall, last.wall)
    return Instant(f"{KERNEL}-{run}", UP_BEFORE + (wall - first_wall), wall)


class Lockstep:
    """Moves the clock, injects presses, waits for the outbox."""

    def __init__(
        self,
        clock: VirtualClock,
        hub: Hub,
        journal: Journal,
        uplink: Callable[[], Uplink | None],
        offset: int,
    ) -> None:
        self._clock = clock
        self._hub = hub
        self._journal = journal
        self._uplink = uplink
        self._offset = offset
        self._alone = False
        self._moving = asyncio.Lock()
        self._told: list[Alert] = []
        clock.busy = self.busy
        hub.listeners.append(self._told.extend)

    def busy(self) -> bool:
        """Whether something is in flight, so that time must stand still."""
        if self._hub.busy:
            return True
        uplink = self._uplink()
        if uplink is None:
            return False
        if uplink.in_flight():
            return True
        return not self._alone and bool(uplink.unanswered())

    def handlers(self) -> dict[str, Handler]:
        """The requests that a lock-step hub obeys beside ``status``."""
        return {"advance": self._advance, "press": self._press, "flush": self._flush}

    async def _advance(self, request: Request) -> Mapping[str, Any]:
        """``to``: wall seconds or ISO time; ``offline``: do not wait for the centre's answers."""
        wall = self._wall(request.get("to"))
        if not wall - self._clock.now().wall < FURTHEST:
            raise LockstepError("that is further than ten years; name a nearer time.")
        async with self._moving:
            self._alone = request.get("offline") is True
            await self._clock.advance_to(wall)
        now = self._clock.now()
        return {"at": iso(now.wall, self._offset), "wall": now.wall}

    async def _press(self, request: Request) -> Mapping[str, Any]:
        """Press a button; returns the alert's id and after how many real milliseconds it was on
        disk and, if ``seconds`` is given, after how many the centre had received it."""
        sensor = request.get("sensor")
        if not isinstance(sensor, str):
            raise LockstepError("press needs a sensor; name a help button's id.")
        self._told.clear()
        begun = time.perf_counter()
        await self._hub.accept(Pressed(sensor))
        stored = time.perf_counter() - begun
        alert = next((a for a in self._told if a.subject == sensor), None)
        if alert is None:
            raise LockstepError(f"no alert came of {sensor!r}; name a help button of this home.")
        answer: dict[str, Any] = {"alert_id": alert.id, "stored_ms": round(stored * 1000, 2)}
        seconds = request.get("seconds")
        if isinstance(seconds, int | float) and await self._empty(float(seconds)):
            answer["received_ms"] = round((time.perf_counter() - begun) * 1000, 2)
        return answer

    async def _flush(self, request: Request) -> Mapping[str, Any]:
        """Wait until nothing waits for the centre; ``empty`` says whether that came about."""
        seconds = request.get("seconds", FLUSH_SECONDS)
        if not isinstance(seconds, int | float):
            raise LockstepError("seconds is not a number.")
        empty = await self._empty(float(seconds))
        stats = self._journal.stats()
        return {
            "empty": empty,
            "waiting_alerts": stats.waiting_alerts,
            "waiting_records": stats.waiting_records,
        }

    async def _empty(self, seconds: float) -> bool:
        self._hub.hurry()
        end = time.monotonic() + seconds
        while True:
            stats = self._journal.stats()
            if not self._hub.busy and not stats.waiting_alerts and not stats.waiting_records:
                return True
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(POLL)

    def _wall(self, to: object) -> float:
        if isinstance(to, int | float) and not isinstance(to, bool):
            return float(to)
        if isinstance(to, str):
            try:
                moment = datetime.fromisoformat(to)
            except ValueError:
                raise LockstepError(f"{to!r} is no ISO time.") from None
            naive = moment.tzinfo is None
            return moment.timestamp() if not naive else _naive(moment) - self._offset * 60.0
        raise LockstepError("advance needs to: wall seconds or an ISO time.")


def _naive(moment: datetime) -> float:
    from datetime import UTC

    return moment.replace(tzinfo=UTC).timestamp()
