"""A header without hardware: gpiozero's mock pins, a virtual clock and what the source told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from gpiozero.pins.mock import MockFactory, MockPin

from gateway.domain.enrolment import Wire
from gateway.domain.errors import SensingError
from gateway.domain.instant import Instant
from gateway.domain.observation import SensorFault, SourceChanged, What
from gateway.domain.sensor import Kind, Sensor
from gateway.domain.wires import usual_debounce_ms
from gateway.runtime.clocks import VirtualClock
from gateway.sensing.gpio import GpioSource

START = Instant("virtual-1", 5000.0, 1_772_377_200.0)


def wire(
    kind: Kind,
    pin: int,
    name: str = "",
    *,
    second: int | None = None,
    pull: Literal["up", "down"] | None = "up",
    active: Literal["high", "low"] = "low",
) -> Wire:
    """A wire as the settings would make it; the sensor is called after its kind."""
    sensor = Sensor(name or str(kind), kind, source="gpio")
    return Wire(sensor, pin, pull, active, usual_debounce_ms(kind), second)


class FlakyPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A pin with a circuit behind it, that can stop answering and lose edges.

    gpiozero's mock pin takes the level of its own resistor whenever it is opened; behind a real one
    a closed contact or a driver is stronger.
    """

    def __init__(self, factory: Any, info: Any) -> None:
        super().__init__(factory, info)
        self.dead = False
        self.mute = False

    def _set_pull(self, value: str) -> None:
        outside = self.factory.circuit.get(self.info.name)
        if outside is None:
            super()._set_pull(value)
        else:
            self._pull = value
            self._change_state(outside)

    def _get_state(self) -> Any:
        if self.dead:
            raise OSError("bad GPIO read")
        return super()._get_state()

    def close(self) -> None:
        if self.dead:
            raise OSError("bad gpiochip")
        super().close()

    def _call_when_changed(self) -> None:
        if not self.mute:
            super()._call_when_changed()


class Board:
    """The pins of one hub, and everything its source said: (seconds since the start, what)."""

    def __init__(self, *wires: Wire) -> None:
        self.clock = VirtualClock(START)
        self.mock = MockFactory(pin_class=FlakyPin)
        self.mock.circuit = {}
        self.missing: SensingError | None = None
        self.made = 0
        self.source = GpioSource(wires, self.clock, factory=self._make)
        self.log: list[tuple[float, What]] = []
        self.on_offer: Callable[[What], None] = lambda _what: None

    def _make(self) -> Any:
        self.made += 1
        if self.missing is not None:
            raise self.missing
        return self.mock

    def pin(self, number: int) -> Any:
        return self.mock.pin(number)

    def high(self, number: int) -> None:
        """The circuit drives the pin high."""
        self.mock.circuit[f"GPIO{number}"] = True
        self.pin(number).drive_high()

    def low(self, number: int) -> None:
        """The circuit drives the pin low, stronger than any pull."""
        self.mock.circuit[f"GPIO{number}"] = False
        self.pin(number).drive_low()

    @property
    def told(self) -> list[What]:
        return [what for _, what in self.log]

    @property
    def news(self) -> list[What]:
        """Without faults and the source's own word."""
        return [w for w in self.told if not isinstance(w, SensorFault | SourceChanged)]

    @property
    def faults(self) -> list[SensorFault]:
        """Faults that came up or ended, without the first all-clear of each."""
        seen: set[tuple[str, str]] = set()
        found = []
        for what in self.told:
            if isinstance(what, SensorFault):
                key = (what.sensor, what.fault)
                if what.present or key in seen:
                    found.append(what)
                    seen.add(key)
        return found

    @property
    def source_words(self) -> list[SourceChanged]:
        return [what for what in self.told if isinstance(what, SourceChanged)]

    async def wait(self, seconds: float) -> None:
        """Let so much time go by."""
        await self.clock.advance(seconds)

    def forget(self) -> None:
        self.log.clear()

    def offer(self, what: What) -> None:
        self.log.append((round(self.clock.now().boottime - START.boottime, 6), what))
        self.on_offer(what)

    @asynccontextmanager
    async def running(self, *, settled: bool = True) -> AsyncIterator[Board]:
        """The source at work; ``settled``: with its first words said and forgotten."""
        task = asyncio.create_task(self.source.run(self.offer))
        try:
            await self.clock.settle()
            if settled:
                await self.wait(5.0)
                self.forget()
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
