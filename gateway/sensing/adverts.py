"""From frames to observations: what is news, what is only a sign of life, and what is neither.

A frame reaches this place when BlueZ announced service data of an enrolled sensor; whether it may
be believed is the decoder's word (keys, counters). Here repeats are told from news, signs of life
are thinned out, and a motion that nobody ended is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gateway.domain.enrolment import Radio
from gateway.domain.observation import Heard, Measured, Quantity, Switched, What
from gateway.domain.sensor import Kind

Told = tuple[What, int | None]
"""An observation and the replay counter that is stored with it in one commit."""

Decode = Callable[[str, bytes], Sequence[Told] | None]
"""``decode(address, service_data)``: what a frame of an enrolled sensor says. Empty: believed, but
no news. None: not to be believed, so not even a sign of life."""

HEARD_EVERY: Final = 300.0
"""Seconds between two signs of life without news (requirements: journal cost, "Settled")."""

REPEAT_GAP: Final = 10.0
"""Seconds. Sensors repeat a frame for up to some seconds so that it is not missed. A plain frame
without packet id that comes again after this long is a new event with the same words; for a sensor
with a key it never is, its counter would have changed."""

MOTION_HOLD: Final = 180.0
"""Seconds after which a motion that was not ended is over. Motion sensors keep quiet for 30 to 120
seconds after an event, and their "clear" is sent once and often missed (xiaomi-ble #33)."""

STEPS: Final[dict[Quantity, float]] = {
    Quantity.TEMPERATURE: 0.5,
    Quantity.HUMIDITY: 3.0,
    Quantity.BATTERY: 1.0,
}
"""A number that moved less since it was last told waits for ``HEARD_EVERY``: thermometers send
each minute, and a card that stores 0.02 degrees 3,000 times a day wears out for nothing [D]."""


class Adverts:
    """One for all enrolled sensors; memory is fixed by their number."""

    def __init__(self, radios: Iterable[Radio], decode: Decode) -> None:
        self.counters: dict[str, int] = {}
        self.heard: dict[str, float] = {}
        """When each sensor was last believed, by sensor id."""
        self._radios = {radio.address: radio for radio in radios}
        self._decode = decode
        self._last: dict[str, tuple[bytes, float]] = {}
        self._told: dict[str, float] = {}
        self._numbers: dict[tuple[str, Quantity], tuple[float, float]] = {}
        self._motions = {r.sensor.id for r in self._radios.values() if r.sensor.kind is Kind.MOTION}
        self._moving: dict[str, float] = {}

    def frame(self, address: str, data: bytes, now: float) -> list[Told]:
        """Service data that BlueZ announced (not: had in its cache). Returns what to offer."""
        radio = self._radios.get(address)
        if radio is None:
            return []
        last = self._last.get(address)
        self._last[address] = (data, now)
        if last is not None and last[0] == data:
            if radio.key is not None:  # as good as a replay: no evidence of anything
                self._count("ble-repeats")
                return []
            if now - last[1] < REPEAT_GAP:
                self._count("ble-repeats")
                return self._sign_of_life(radio, now)
        self._count("ble-frames")
        told = self._decode(address, data)
        if told is None:
            self._count("ble-refused")
            return []
        news = [item for item in told if self._is_news(item[0], now)]
        for what, _counter in news:
            if isinstance(what, Switched) and what.sensor in self._motions:
                self._motion(what, now)
        if not news:
            counter = max((c for _what, c in told if c is not None), default=None)
            return self._sign_of_life(radio, now, counter)
        self.heard[radio.sensor.id] = self._told[radio.sensor.id] = now
        return news

    def due(self) -> float | None:
        """When the next motion has to be ended."""
        return min(self._moving.values(), default=None)

    def ended(self, now: float) -> list[What]:
        """Motions that are over by now. Not fresh: that nothing moves is no sign of life."""
        over = [sensor for sensor, until in self._moving.items() if until <= now]
        for sensor in over:
            del self._moving[sensor]
        return [Switched(sensor, on=False, fresh=False) for sensor in over]

    def _is_news(self, what: What, now: float) -> bool:
        if not isinstance(what, Measured):
            return True
        key = (what.sensor, what.quantity)
        before = self._numbers.get(key)
        if before is not None and now - before[1] < HEARD_EVERY:
            if abs(what.value - before[0]) < STEPS[what.quantity]:
                return False
        self._numbers[key] = (what.value, now)
        return True

    def _sign_of_life(self, radio: Radio, now: float, counter: int | None = None) -> list[Told]:
        sensor = radio.sensor.id
        self.heard[sensor] = now
        told = self._told.get(sensor)
        if told is not None and now - told < HEARD_EVERY:
            return []
        self._told[sensor] = now
        return [(Heard(sensor), counter)]

    def _motion(self, what: Switched, now: float) -> None:
        if what.on:
            self._moving[what.sensor] = now + MOTION_HOLD
        else:
            self._moving.pop(what.sensor, None)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1
