"""Where observations come from. A source knows its sensors' language and nothing of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gateway.domain.instant import Clock, Instant
from gateway.domain.observation import Observation, Offer


class Source(Protocol):
    """``names`` is what ``Sensor.source`` calls it; a recording stands for several.
    ``tells_itself``: it says by itself when it hears and when it is deaf. ``run`` ends only if
    there is nothing more to come; it may fail, then it is started again and its sensors count as
    not seen meanwhile."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def tells_itself(self) -> bool: ...

    async def run(self, offer: Offer, /) -> None: ...


class RecordingSource:
    """Plays a recorded home on a clock, each row at its own distance from the first."""

    tells_itself = False

    def __init__(
        self,
        names: tuple[str, ...],
        rows: Iterable[Observation],
        clock: Clock,
        *,
        shift: float | None = None,
        speed: float = 1.0,
        after: float | None = None,
    ) -> None:
        """``names``: the sources that the recorded sensors have.
        ``shift``: seconds from a row's wall time to the clock's; None: the first row is now.
        ``speed``: how many recorded seconds pass in one of the clock's.
        ``after``: rows up to this wall second (of the recording) were played before."""
        self.names = names
        self._rows = iter(rows)
        self._clock = clock
        self._shift = shift
        self._speed = speed
        self._after = after
        self._start: Instant | None = None
        self._first: float | None = None
        self.played = 0

    async def run(self, offer: Offer) -> None:
        """Offer every row when its time comes. Goes on where it stood if started again."""
        if self._start is None:
            self._start = self._clock.now()
        for row in self._rows:
            wall = row.at.wall
            if self._after is not None and wall <= self._after:
                continue
            if self._first is None:
                self._first = self._start.wall - self._shift if self._shift is not None else wall
            due = self._start.boottime + (wall - self._first) / self._speed
            wait = due - self._clock.now().boottime
            if wait > 0:
                await self._clock.sleep(wait)
            offer(row.what)
            self.played += 1
