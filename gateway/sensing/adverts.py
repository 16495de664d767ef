"""From frames to observations: what is news, what is only a sign of life, and what is neither.

A frame reaches this place when BlueZ announced service data of an enrolled sensor; whether it may
be believed is the decoder's word (keys, counters). Here repeats are told from news, signs of life
are thinned out, and a motion that nobody ended is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from gateway.domain.enrolment import Radio
from gateway.domain.observation import Heard, Measured, Quantity, SensorFault, Switched, What
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

UNBROKEN: Final = 2 * 3600.0
"""Seconds of motion without a pause of ``MOTION_HOLD`` after which more of it is a state and no
evidence [D]. Beacons say their state again with each new counter, so a sensor that is stuck, or
looks at a heater, would keep a dead person alive for ever; nobody moves before one sensor for two
hours without three quiet minutes, and who does is seen again after the first pause."""

STUCK: Final = 12 * 3600.0
"""Seconds after which such a sensor is told as "stuck", as a wired one is (lines.MOTION_STUCK)."""

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
        self._moves_since: dict[str, float] = {}
        # None: what the run before told is unknown, so the first judgement is always told.
        self._stuck: dict[str, bool | None] = dict.fromkeys(self._motions)

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
        news: list[Told] = []
        for what, counter in told:
            if isinstance(what, Switched) and what.sensor in self._motions:
                news += [(one, counter) for one in self._motion(what, now)]
            elif self._is_news(what, now):
                news.append((what, counter))
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
        return [
            what
            for sensor in over
            for what in self._motion(Switched(sensor, on=False, fresh=False), now)
        ]

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

    def _motion(self, what: Switched, now: float) -> list[What]:
        """What is to be told of a motion sensor's word: motion without end is no evidence."""
        sensor = what.sensor
        if not what.on:
            self._moving.pop(sensor, None)
            self._moves_since.pop(sensor, None)
            return [what, *self._judged(sensor, stuck=False)]
        self._moving[sensor] = now + MOTION_HOLD
        lasted = now - self._moves_since.setdefault(sensor, now)
        if lasted >= UNBROKEN:
            what = replace(what, fresh=False)
        return [what, *(self._judged(sensor, stuck=True) if lasted >= STUCK else ())]

    def _judged(self, sensor: str, *, stuck: bool) -> list[What]:
        if self._stuck[sensor] is stuck:
            return []
        self._stuck[sensor] = stuck
        return [SensorFault(sensor, "stuck", present=stuck)]

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1
