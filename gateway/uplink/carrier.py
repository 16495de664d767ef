"""The plug-in point for a way to the centre that is not MQTT: SMS, satellite, a dialler (R5).

A package offers a carrier as an entry point of the group ``ansim.carriers``; the settings name it
(``centre.carrier``), so that nothing is ever used because it merely happens to be installed::

    [project.entry-points."ansim.carriers"]
    sms = "town_sms.modem:make"

    def make(answers: Answers) -> Carrier: ...

LTE needs no carrier: it is a second route of the machine, over which ``centre.second`` is reached.

A carrier gets an alert of level 2 and up when the centre has not received it after three minutes,
once, then every quarter of an hour, at most ``MOST`` at a time: an SMS costs money, and a modem sends
one in five seconds. That it took the alert ends nothing. Only the centre's signed answer does, by
whichever way it comes; a carrier that hears it hands it to ``answers`` as it is on ``dn/ack``.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from gateway.domain.alert import Level
from gateway.domain.errors import JournalError
from gateway.domain.instant import Clock
from gateway.journal import OutboxRow
from gateway.uplink.need import SecondNeed
from gateway.uplink.waiting import pause

log = logging.getLogger(__name__)

GROUP = "ansim.carriers"
"""Group of the entry points."""

AGAIN = 900.0
"""Seconds until an alert is handed over again."""

MOST = 8
"""Alerts handed over in one round, the highest level first."""

PATIENCE = 120.0
"""Real seconds for one alert: a modem that has to be switched on and to register takes a minute."""

JOURNAL_PAUSE = 5.0
"""Seconds until the journal is asked again after it failed."""

LEAST = Level.WARNING
"""Below level 2 no operator is called, and nothing is worth an SMS."""


class Carrier(Protocol):
    """Hands one alert to something that leaves the home."""

    async def carry(self, alert: bytes, level: int) -> None:
        """``alert`` is the message of ``up/alert``: UTF-8 JSON, at most 8,192 bytes, without anything
        personal; what does not fit is for the carrier to shorten, keeping hub, boot id, alert id
        and version, which the answer must name. Raises any exception if it could not."""


Answers = Callable[[bytes], Awaitable[None]]
"""Takes the centre's signed answer (a JWS in compact form); never raises for what it holds."""

Maker = Callable[[Answers], Carrier]


class Courier:
    """Decides what a carrier gets, and when. One task runs ``run``."""

    def __init__(
        self,
        carrier: Carrier,
        *,
        need: SecondNeed,
        waiting: Callable[[], Sequence[OutboxRow]],
        packed: Callable[[OutboxRow], bytes],
        clock: Clock,
        counters: Counter[str],
    ) -> None:
        """``waiting``: the unreceived alerts, highest level first; ``packed``: an alert's bytes."""
        self.stir = asyncio.Event()
        self.busy = False
        self._carrier = carrier
        self._need = need
        self._waiting = waiting
        self._packed = packed
        self._clock = clock
        self._counters = counters
        self._again: dict[int, float] = {}

    async def run(self) -> None:
        """Hand over what is due, for ever. A carrier's failure is counted and tried again."""
        while True:
            now = self._clock.now().boottime
            due = self._need.wanted(now)
            if due <= now:
                try:
                    due = await self._round(now)
                except JournalError:
                    self._counters["journal-errors"] += 1
                    due = now + JOURNAL_PAUSE
            await pause(self.stir, self._clock, due - self._clock.now().boottime)

    async def _round(self, now: float) -> float:
        rows = [row for row in self._waiting() if row.level >= LEAST]
        self._again = {row.sequence: self._again.get(row.sequence, now) for row in rows}
        ready = [row for row in rows if self._again[row.sequence] <= now]
        for row in ready[:MOST]:
            self._again[row.sequence] = now + AGAIN
            await self._hand_over(row)
        if len(ready) > MOST:
            return now + PATIENCE
        return min(self._again.values(), default=math.inf)

    async def _hand_over(self, row: OutboxRow) -> None:
        self.busy = True
        try:
            async with asyncio.timeout(PATIENCE):
                await self._carrier.carry(self._packed(row), row.level)
            self._counters["carried"] += 1
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it is, the link goes on
            log.error("the carrier could not take an alert (%s)", type(error).__name__)
            self._counters["carrier-failed"] += 1
        finally:
            self.busy = False
