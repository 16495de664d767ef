"""What a BTHome frame means, by the kind its sensor was enrolled as.

| kind | objects | becomes |
|---|---|---|
| motion | motion 0x21 | ``Switched``; each new frame with "motion" is an event of its own |
| contact, entrance | opening 0x11, door 0x1A, garage door 0x1B, window 0x2D | ``Switched`` on change; on = open |
| occupancy | occupancy 0x23, presence 0x25 | ``Switched`` on change |
| use | power 0x10, moving 0x22, running 0x27, vibration 0x2C | ``Switched`` on change |
| help | button 0x3A, any press of any button of the device | ``Pressed``, once a frame |
| smoke, gas, co, flood | 0x29, 0x1C, 0x17, moisture 0x20 | ``Switched`` on change |
| mains | power 0x10, plug 0x24 | ``Switched`` on change; on = present |
| tamper | tamper 0x2B | ``Switched`` on change |
| temperature | temperature 0x02 0x45 0x57 0x58, humidity 0x03 0x2E | ``Measured`` |
| all | battery 0x01; battery low 0x15 counts as ``LOW`` percent | ``Measured`` |
| all but tamper | tamper 0x2B | ``SensorFault`` "tamper-evidence" on change |

Everything else that a frame holds is left alone. Why states count on change: many sensors say their
state again every few minutes, and a door that stands open is nobody's movement. The first state
after a start is told too, as a level that was read (not fresh). Several objects of one sort in a
frame (two windows) are on if one of them is.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.observation import (
    Measured,
    Pressed,
    Quantity,
    SensorFault,
    Switched,
    What,
)
from gateway.domain.sensor import HAZARD_KINDS, Kind, Sensor
from gateway.sensing.bthome import Frame

STATES: Final[dict[Kind, frozenset[int]]] = {
    Kind.MOTION: frozenset({0x21}),
    Kind.CONTACT: frozenset({0x11, 0x1A, 0x1B, 0x2D}),
    Kind.ENTRANCE: frozenset({0x11, 0x1A, 0x1B, 0x2D}),
    Kind.OCCUPANCY: frozenset({0x23, 0x25}),
    Kind.USE: frozenset({0x10, 0x22, 0x27, 0x2C}),
    Kind.SMOKE: frozenset({0x29}),
    Kind.GAS: frozenset({0x1C}),
    Kind.CO: frozenset({0x17}),
    Kind.FLOOD: frozenset({0x20}),
    Kind.MAINS: frozenset({0x10, 0x24}),
    Kind.TAMPER: frozenset({0x2B}),
}
"""Which objects are the state of a sensor of this kind."""

NUMBERS: Final[dict[int, Quantity]] = {
    0x02: Quantity.TEMPERATURE,
    0x45: Quantity.TEMPERATURE,
    0x57: Quantity.TEMPERATURE,
    0x58: Quantity.TEMPERATURE,
    0x03: Quantity.HUMIDITY,
    0x2E: Quantity.HUMIDITY,
}

BUTTON: Final = 0x3A
BATTERY: Final = 0x01
BATTERY_IS_LOW: Final = 0x15
TAMPERED: Final = 0x2B

LOW: Final = 5.0
"""Percent that a battery is told to have when all it says is "low" [D]."""

NO_PRESS: Final = frozenset({None, "hold_release"})
"""What a button says that is no press: nothing, or the end of one that was told at its begin."""

ONE_PRESS: Final = 4.0
"""Seconds in which the same packet id under another counter is the same press sent again
(bthome-ble's figure). Later it is a device whose packet id stands still, and a new press."""


class Meaning:
    """Of one sensor's frames. Knows the state that was told last."""

    def __init__(self, sensor: Sensor) -> None:
        self._sensor = sensor.id
        self._kind = sensor.kind
        self._states = STATES.get(sensor.kind, frozenset())
        self._on: bool | None = None
        self._tampered: bool | None = None
        self._pressed: tuple[int, float] | None = None

    def of(self, frame: Frame, now: float, *, fresh: bool) -> list[What]:
        """What a frame says that is surely the sensor's newest. ``fresh``: it is an event of its
        own, not a second frame under one counter."""
        told: list[What] = []
        on = tampered = None
        pressed = False
        for reading in frame.readings:
            id, value = reading.id, reading.value
            if id in self._states:
                on = bool(on) or value is True
            elif id == BATTERY:
                told.append(self._measured(Quantity.BATTERY, value))
            elif id == BATTERY_IS_LOW:
                if value is True:
                    told.append(Measured(self._sensor, Quantity.BATTERY, LOW))
            elif id == TAMPERED:
                tampered = bool(tampered) or value is True
            elif id == BUTTON:
                pressed = pressed or value not in NO_PRESS
            elif self._kind is Kind.TEMPERATURE and id in NUMBERS:
                told.append(self._measured(NUMBERS[id], value))
        if tampered is not None and tampered is not self._tampered:
            self._tampered = tampered
            told.append(SensorFault(self._sensor, "tamper-evidence", tampered))
        if on is not None:
            told += self._state(on, fresh)
        if pressed and fresh:
            told += self._press(frame, now)
        return told

    def warnings(self, frame: Frame, now: float, *, presses: bool) -> list[What]:
        """What must be told of a frame that may be an old one: danger, never its end.

        ``presses``: whether a call for help counts. It does in a frame that was never told before
        (the lost seconds of an unclean stop), it does not in one that was refused (T2); fire and
        gas count in both (R24).
        """
        if self._kind in HAZARD_KINDS:
            if self._on or not any(r.id in self._states and r.value for r in frame.readings):
                return []
            self._on = True
            return [Switched(self._sensor, on=True, fresh=False)]
        if presses and any(r.id == BUTTON and r.value not in NO_PRESS for r in frame.readings):
            return self._press(frame, now)
        return []

    def _state(self, on: bool, fresh: bool) -> list[What]:
        before, self._on = self._on, on
        if self._kind is Kind.MOTION:
            if on or before is not False:
                return [Switched(self._sensor, on=on, fresh=fresh)]
            return []
        if on is before:
            return []
        return [Switched(self._sensor, on=on, fresh=fresh and before is not None)]

    def _press(self, frame: Frame, now: float) -> list[What]:
        if self._kind is not Kind.HELP:
            return []
        id, before = frame.packet_id, self._pressed
        if frame.counter is not None and id is not None:
            self._pressed = (id, now)
            if before is not None and before[0] == id and now - before[1] < ONE_PRESS:
                return []
        return [Pressed(self._sensor)]

    def _measured(self, quantity: Quantity, value: object) -> Measured:
        assert isinstance(value, int | float)  # the table says so of these objects
        return Measured(self._sensor, quantity, float(value))
