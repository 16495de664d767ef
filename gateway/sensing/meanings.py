"""What a row of a recorded home means: a sensor and a value become an observation's content.

The values are those of ``docs/homes.md``. Nothing is guessed: a value that a sensor of this kind
cannot say is an error, because a recording that is misread makes a home that nobody lived in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from gateway.domain.observation import (
    Heard,
    Measured,
    PauseEnded,
    PauseStarted,
    Pressed,
    Quantity,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
    What,
)
from gateway.domain.sensor import ACTIVITY_KINDS, Kind, Sensor

HOME: Final = "@home"
"""The name in the sensor column of rows that are about the home and not about one sensor."""

STATES: Final = {"ON": True, "OPEN": True, "OFF": False, "CLOSE": False}

_TWO_STATES: Final = ACTIVITY_KINDS | {
    Kind.SMOKE,
    Kind.GAS,
    Kind.CO,
    Kind.FLOOD,
    Kind.MAINS,
    Kind.TAMPER,
}


class Meanings:
    """Turns (sensor, value) into an observation's content. Pure; one for each recording."""

    def __init__(self, sensors: Iterable[Sensor]) -> None:
        self._kinds = {sensor.id: sensor.kind for sensor in sensors}

    def __contains__(self, sensor: str) -> bool:
        return sensor in self._kinds or sensor == HOME

    def of(self, sensor: str, value: str) -> What:
        """The meaning of one row.

        Raises KeyError where the sensor is unknown and ValueError (a sentence about the value,
        without a full stop) where it cannot say this.
        """
        if sensor == HOME:
            return _of_home(value)
        kind = self._kinds[sensor]
        if value == "HEARD":
            return Heard(sensor)
        if value.startswith("BATTERY:"):
            return Measured(sensor, Quantity.BATTERY, _number(value[8:]))
        if kind is Kind.HELP:
            if value == "PRESS":
                return Pressed(sensor)
            raise ValueError(f"a help button says PRESS or HEARD and never {value!r}")
        if kind is Kind.TEMPERATURE:
            return Measured(sensor, Quantity.TEMPERATURE, _number(value))
        if kind in _TWO_STATES and value in STATES:
            return Switched(sensor, STATES[value])
        raise ValueError(f"a {kind.value} sensor says ON, OFF, OPEN, CLOSE or HEARD, not {value!r}")


def _of_home(value: str) -> What:
    """The meaning of a row about the home: a pause, a visit, a source that went deaf."""
    word, _, rest = value.partition(":")
    if word == "RESUME" and not rest:
        return PauseEnded()
    if rest:
        match word:
            case "PAUSE":
                seconds = _number(rest)
                if seconds <= 0:
                    raise ValueError("a pause lasts more than 0 seconds")
                return PauseStarted(seconds)
            case "VISIT":
                return VisitStarted(rest)
            case "LEAVE":
                return VisitEnded(rest)
            case "SOURCE_DOWN":
                return SourceChanged(rest, alive=False)
            case "SOURCE_UP":
                return SourceChanged(rest, alive=True)
    raise ValueError(
        f"{HOME} says PAUSE:<seconds>, RESUME, VISIT:<role>, LEAVE:<role>, SOURCE_DOWN:<source> "
        f"or SOURCE_UP:<source>, not {value!r}"
    )


def _number(text: str) -> float:
    """A plain finite decimal number; float() alone would take "nan" and "1_0"."""
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError(f"{text!r} is not a number")
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number")
    return number
