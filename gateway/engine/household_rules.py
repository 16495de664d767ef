"""Plain rules about the home that need no model: temperature, the entrance, power."""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.household import Limits
from gateway.domain.instant import DAY, HOUR

TEMPERATURE_LASTS = 1 * HOUR
"""Seconds a room must be too cold or too hot before it is told: an open window is no cold wave
[D]."""

TEMPERATURE_BACK = 1.0
"""Degrees it must come back before that is over, so that a value on the edge does not flap [D]."""

OPEN_MOST = 0.5
"""Share of its time: an entrance that is said to stand open for longer than that is read the wrong
way round or badly mounted (one of six recorded homes: 0.93), and is no open door."""

OPEN_JUDGED = DAY
"""Seconds of watching before that can be judged [D]."""


class Rules(Struct):
    """``start``  when the watch began
    ``doors``  since when an entrance stands open, by sensor
    ``open``   seconds that it stood open before, by sensor
    ``exit``   last use of the entrance
    ``cold`` and ``hot``  since when a sensor measures too low or too high
    All in engine seconds."""

    start: float = 0.0
    doors: dict[str, float] = {}
    open: dict[str, float] = {}
    exit: float | None = None
    cold: dict[str, float] = {}
    hot: dict[str, float] = {}

    def forget(self, sensor: str) -> None:
        """A sensor was taken away."""
        for noted in (self.doors, self.open, self.cold, self.hot):
            noted.pop(sensor, None)

    def temperature(self, sensor: str, celsius: float, now: float, limits: Limits) -> None:
        """Note when a room became too cold or too hot."""
        if celsius < limits.temperature_low:
            self.cold.setdefault(sensor, now)
        elif celsius >= limits.temperature_low + TEMPERATURE_BACK:
            self.cold.pop(sensor, None)
        if celsius > limits.temperature_high:
            self.hot.setdefault(sensor, now)
        elif celsius <= limits.temperature_high - TEMPERATURE_BACK:
            self.hot.pop(sensor, None)

    def entrance(self, sensor: str, is_open: bool, now: float) -> None:
        """Note that the entrance was used, and whether it stands open."""
        self.exit = now
        if is_open:
            self.doors.setdefault(sensor, now)
        elif (since := self.doors.pop(sensor, None)) is not None:
            self.open[sensor] = self.open.get(sensor, 0.0) + now - since

    def misread(self, sensor: str, now: float) -> bool:
        """Whether this entrance says "open" so much that it cannot be true."""
        watched = now - self.start
        total = self.open.get(sensor, 0.0) + now - self.doors.get(sensor, now)
        return watched >= OPEN_JUDGED and total > OPEN_MOST * watched

    def holding(self, now: float, limits: Limits, watch_exit: bool) -> set[tuple[str, str]]:
        """The conditions (family, subject) that hold now."""
        held = {
            ("suspect", s) for s in self.doors.keys() | self.open.keys() if self.misread(s, now)
        }
        for sensor, since in self.doors.items():
            if now >= since + limits.door_open_long and ("suspect", sensor) not in held:
                held.add(("door", sensor))
        held |= {("temp.low", s) for s, t in self.cold.items() if now >= t + TEMPERATURE_LASTS}
        held |= {("temp.high", s) for s, t in self.hot.items() if now >= t + TEMPERATURE_LASTS}
        if watch_exit and self._exit_due(limits, now) is True:
            held.add(("no_exit", ""))
        return held

    def due(self, now: float, limits: Limits, watch_exit: bool) -> float | None:
        """When the next of them would begin to hold."""
        times = [t + limits.door_open_long for t in self.doors.values()]
        times += [t + TEMPERATURE_LASTS for t in (*self.cold.values(), *self.hot.values())]
        if watch_exit and self.exit is not None and limits.no_exit is not None:
            times.append(self.exit + limits.no_exit)
        return min((t for t in times if t > now), default=None)

    def _exit_due(self, limits: Limits, now: float) -> bool | None:
        if self.exit is None or limits.no_exit is None:
            return None
        return now >= self.exit + limits.no_exit


FAMILIES = ("door", "suspect", "temp.low", "temp.high", "no_exit")
"""The families of conditions that these rules hold."""
