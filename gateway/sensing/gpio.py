"""Wired sensors: the source "gpio".

The kernel tells edges, and every second all levels are read again: an edge that got lost heals
within two seconds, and a wired sensor is alive by being readable. A pin that fails takes no other
with it; it is a fault of its sensor and is tried again with growing pauses. The source is deaf only
when not one pin can be read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from gateway.domain.enrolment import Wire
from gateway.domain.errors import SensingError
from gateway.domain.instant import Clock
from gateway.domain.observation import SourceChanged, What
from gateway.sensing.lines import Line, line_of
from gateway.sensing.pins import PinFactory, Tap, close_factory, open_factory

log = logging.getLogger("ansim")

NAME: Final = "gpio"
"""What ``Sensor.source`` calls this source."""

READ_EVERY = 1.0
"""Seconds between two readings of every level. A reading costs microseconds, and with two of them
to heal a lost edge mains loss stays far below R12's ten seconds."""

STORM = 1000
"""Edges of one pin in one second after which it is let go for a while. A loose wire beside a radio
could make tens of thousands, each of which costs Python time that the whole hub would miss; the
fastest sensor, a meter, makes 33."""

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds between two tries to get a pin, or all of them; doubled from one to the other."""

PROVEN = 60.0
"""Seconds that a pin must work before its pauses start small again: one that comes and goes shall
not be opened each second."""


class _Pause:
    """When to try again."""

    def __init__(self) -> None:
        self.until = 0.0
        self._seconds = FIRST_RETRY

    def fail(self, now: float) -> None:
        self.until = now + self._seconds
        self._seconds = min(LONGEST_RETRY, 2 * self._seconds)

    def reset(self) -> None:
        self._seconds = FIRST_RETRY


class _Channel:
    """One wire: its logic, and its pins while they are open."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.line: Line = line_of(wire)
        self.pins = (wire.pin,) if wire.second_pin is None else (wire.pin, wire.second_pin)
        self.taps: list[Tap] = []
        self.pause = _Pause()
        self.opened = 0.0
        self.edges = 0
        self.problem: SensingError | None = None
        self.complained = ""

    def open(
        self, factory: PinFactory, now: Callable[[], float], ring: Callable[[], None]
    ) -> tuple[bool, ...]:
        """Take the pins and read them. Raises SensingError; then none is held."""
        try:
            for pin in self.pins:
                self.taps.append(Tap(factory, pin, self.wire.pull, now, ring))
            return self.read()
        except SensingError:
            self.close()
            raise

    def read(self) -> tuple[bool, ...]:
        """The levels of its pins. Raises SensingError."""
        return tuple(tap.read() for tap in self.taps)

    def calm(self) -> None:
        """Called each time before the levels are read. Raises SensingError if there was a storm
        of edges since the last time."""
        edges, self.edges = self.edges, 0
        if edges > STORM * READ_EVERY:
            raise SensingError(
                f"GPIO {self.wire.pin} changes more than {STORM} times a second; check the "
                "sensor's wiring for a loose or open wire.",
                reason="pin-storm",
            )

    def close(self) -> None:
        for tap in self.taps:
            tap.close()
        self.taps = []


class GpioSource:
    """All sensors that are wired to the header."""

    names: tuple[str, ...] = (NAME,)
    tells_itself = True

    def __init__(
        self,
        wires: Sequence[Wire],
        clock: Clock,
        *,
        factory: Callable[[], PinFactory] | None = None,
    ) -> None:
        """``factory``: opens the pins; tests give ``lambda: MockFactory()``. It is called again
        after everything was lost."""
        self.counters: dict[str, int] = {}
        self.on_progress: Callable[[], None] = lambda: None
        """Called with each round: once a second or more."""
        self._clock = clock
        self._make: Callable[[], PinFactory] = factory or open_factory
        self._factory: PinFactory | None = None
        self._channels = [_Channel(wire) for wire in wires]
        self._pause = _Pause()
        self._problem: SensingError | None = None
        self._alive: bool | None = None
        self._next_read = 0.0
        self._told: list[What] = []
        self._news = asyncio.Event()
        self._rung = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def problems(self) -> dict[str, SensingError]:
        """Sensors that cannot be read now, and why; for a technician."""
        return {
            channel.wire.sensor.id: problem
            for channel in self._channels
            if not channel.taps and (problem := channel.problem or self._problem) is not None
        }

    async def run(self, offer: Callable[[What], None]) -> None:
        """Watch until cancelled. Ends at once if nothing is wired."""
        if not self._channels:
            return
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._alive = None
        self._next_read = self._clock.now().boottime
        sleeper: asyncio.Task[None] | None = None
        news: asyncio.Task[bool] | None = None
        wakes = 0.0
        try:
            while True:
                self._news.clear()
                self.on_progress()
                self._rung = False  # before the edges are taken: one that comes now rings again
                self._work(self._clock.now().boottime)
                told, self._told = self._told, []
                for what in told:
                    offer(what)
                now = self._clock.now().boottime
                due = max(now, self._next_moment())
                if sleeper is None or sleeper.done() or abs(due - wakes) > 1e-6:
                    if sleeper is not None:
                        sleeper.cancel()
                    wakes = due
                    sleeper = asyncio.create_task(self._clock.sleep(due - now))
                if news is None or news.done():
                    news = asyncio.create_task(self._news.wait())
                await asyncio.wait({sleeper, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeper, news):
                if task is not None:
                    task.cancel()
            self._let_go(self._clock.now().boottime)

    # -- one round -------------------------------------------------------------------------------

    def _work(self, now: float) -> None:
        self._take_edges(now)
        if now >= self._next_read:
            self._next_read = now + READ_EVERY
            self._read(now)
            self._open(now)
        self._advance(now)

    def _take_edges(self, now: float) -> None:
        """Edges of all pins in the order in which they happened."""
        edges = [
            (at, index, half, high)
            for index, channel in enumerate(self._channels)
            for half, tap in enumerate(channel.taps)
            for at, high in tap.edges()
        ]
        edges.sort(key=lambda edge: edge[0])
        for told_at, index, half, high in edges:
            at = min(told_at, now)  # stamped in another thread, while ours may have waited
            self._advance(at)
            channel = self._channels[index]
            channel.edges += 1
            self._told += channel.line.edge(at, half, high)

    def _advance(self, to: float) -> None:
        """What is due by time alone, over all sensors in its order."""
        while True:
            dues = [
                (due, index)
                for index, channel in enumerate(self._channels)
                if (due := channel.line.due()) is not None and due <= to
            ]
            if not dues:
                return
            due, index = min(dues)
            line = self._channels[index].line
            self._told += line.settle(due)
            after = line.due()
            if after is not None and after <= due:  # a rounding error must not hang the hub
                return

    def _read(self, now: float) -> None:
        """Read every level again; let go of what cannot be read, or never rests."""
        failed: list[_Channel] = []
        for channel in self._channels:
            if not channel.taps:
                continue
            self._tally(channel)
            try:
                channel.calm()
                levels = channel.read()
            except SensingError as error:
                channel.problem = error
                failed.append(channel)
                continue
            if now - channel.opened >= PROVEN:
                channel.pause.reset()
                channel.complained = ""
                self._pause.reset()
            self._told += channel.line.read(now, levels)
        if not failed:
            return
        alone = any(channel.taps for channel in self._channels if channel not in failed)
        stormy = any(_reason(channel.problem) == "pin-storm" for channel in failed)
        for channel in failed:
            channel.close()
            channel.pause.fail(now)
            self._count("pins-lost")
            self._complain(channel)
            self._told += channel.line.lost(now, told=alone or stormy)
        if not alone and not stormy:  # not one of them answers: it is the chip, not a wire
            self._problem = failed[0].problem
            self._drop_factory()
            self._pause.fail(now)

    def _open(self, now: float) -> None:
        """Try again what is not open, and say whether anything is."""
        closed = [channel for channel in self._channels if not channel.taps]
        if closed and self._factory is None and now >= self._pause.until:
            try:
                self._factory = self._make()
                self._problem = None
            except SensingError as error:
                if _reason(error) != _reason(self._problem):
                    log.warning("%s", error)
                self._problem = error
                self._pause.fail(now)
        told: list[What] = []
        for channel in closed:
            if self._factory is None or now < channel.pause.until:
                continue
            try:
                levels = channel.open(self._factory, self._boottime, self._ring)
            except SensingError as error:
                channel.problem = error
                self._complain(channel)
                channel.pause.fail(now)
                told += channel.line.lost(now)
                continue
            channel.problem = None
            channel.opened = now
            channel.edges = 0
            self._count("pins-opened")
            told += channel.line.read(now, levels)
        self._say_alive()
        self._told += told

    def _say_alive(self) -> None:
        alive = any(channel.taps for channel in self._channels)
        if alive == self._alive:
            return
        self._alive = alive
        first = next((c.problem for c in self._channels if c.problem is not None), self._problem)
        detail = "" if alive else _reason(self._problem or first)
        self._told.append(SourceChanged(NAME, alive=alive, detail=detail))

    def _next_moment(self) -> float:
        dues = [due for channel in self._channels if (due := channel.line.due()) is not None]
        return min([self._next_read, *dues])

    # -- small -----------------------------------------------------------------------------------

    def _boottime(self) -> float:
        return self._clock.now().boottime

    def _ring(self) -> None:
        """In the foreign thread: wake the loop, once for however many edges there are."""
        if self._rung or self._loop is None:
            return
        self._rung = True
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop has ended; the edge came too late for this run
            return

    def _tally(self, channel: _Channel) -> None:
        for tap in channel.taps:
            if tap.dropped:
                self._count("edges-dropped", tap.dropped)
                channel.edges += tap.dropped
                tap.dropped = 0
        healed = sum(one.line.healed for one in self._channels)
        if healed:
            self.counters["gpio-edges-healed"] = healed

    def _count(self, name: str, by: int = 1) -> None:
        key = f"gpio-{name}"
        self.counters[key] = self.counters.get(key, 0) + by

    def _complain(self, channel: _Channel) -> None:
        """Say once in the log what is wrong, not at every try."""
        if _reason(channel.problem) != channel.complained:
            channel.complained = _reason(channel.problem)
            log.warning("Sensor %s: %s", channel.wire.sensor.id, channel.problem)

    def _drop_factory(self) -> None:
        factory, self._factory = self._factory, None
        if factory is not None:
            close_factory(factory)

    def _let_go(self, now: float) -> None:
        """The run ends: give everything back, and keep what each line knows for the next run."""
        for channel in self._channels:
            channel.close()
            channel.line.lost(now, told=False)
        self._drop_factory()
        self._loop = None


def _reason(problem: SensingError | None) -> str:
    return "" if problem is None else problem.reason
