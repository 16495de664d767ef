"""What one wired sensor says: a switch, a help button, a meter. Pure: time comes in as an argument.

A line has one pin, or two that always disagree (a change-over contact): then a cut or bridged wire
shows itself by both saying the same. What counts as what:

- a change that an edge announced is news (``fresh``) and may be evidence of the resident;
- a change that was only found by reading the level again is a state: the door *is* open, smoke *is*
  there, but nobody was seen to move. So is the first state after a start;
- a press is a press however it was found: a call for help is never given up for a lost edge;
- a fault is no sign of life.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from gateway.domain.enrolment import Wire
from gateway.domain.observation import (
    Measured,
    Pressed,
    Quantity,
    SensorFault,
    Switched,
    What,
)
from gateway.domain.sensor import Kind
from gateway.sensing.debounce import Contact, Flip

WIRE, STUCK = "wire", "stuck"
"""The faults that a line can find by itself (``SensorFault``)."""

CONTRADICTS = 2.0
"""Seconds for which both halves of a supervised line must say the same to be a wire fault [D]: a
change-over contact is between its two ends for milliseconds, a half-pressed button for longer."""

BUTTON_STUCK = 60.0
"""Seconds after which a pressed button counts as stuck [D]: the longest call in earnest is shorter,
and the press itself was told at its beginning."""

MOTION_STUCK = 12 * 3600.0
"""Seconds after which a motion sensor that never lets go counts as stuck: R13 asks for 24 h at
most. Modules hold up to 5 minutes after the last motion, so a day in one room may look like this
for hours, but not for half a day."""

WELL = 60.0
"""Seconds that a pin which failed must be readable before its wire counts as sound again: one that
comes and goes is one fault, not a new one each minute."""

MINUTE = 60.0
"""Seconds over which a meter's pulses are counted into one number."""


class Line(Protocol):
    """One sensor's logic. Every method returns what is to be told, in order."""

    def edge(self, at: float, half: int, high: bool) -> list[What]:
        """Pin number ``half`` (0 or 1) changed to ``high``."""
        ...

    def read(self, at: float, levels: tuple[bool, ...]) -> list[What]:
        """The levels of all its pins were read."""
        ...

    def settle(self, at: float) -> list[What]:
        """Time went on."""
        ...

    def lost(self, at: float, *, told: bool = True) -> list[What]:
        """Its pins cannot be read any more; ``told``: as its own fault."""
        ...

    def due(self) -> float | None:
        """When something is to be told by time alone."""
        ...

    @property
    def healed(self) -> int:
        """Edges that were lost and found again by reading."""
        ...


class Move(Struct, frozen=True):
    """One pin changed, and where the whole line is by then. ``half`` is 0 or 1, ``on`` what that
    pin says, ``position`` what the line says (None: nothing certain)."""

    half: int
    at: float
    on: bool
    fresh: bool
    position: bool | None


def line_of(wire: Wire) -> Line:
    """The logic that a wire's sensor needs."""
    if wire.sensor.kind is Kind.HELP:
        return ButtonLine(wire)
    if wire.sensor.kind is Kind.METER:
        return MeterLine(wire)
    return SwitchLine(wire)


class _Pins:
    """The pins of one line, its position and its wire's health; base of all lines."""

    def __init__(self, wire: Wire) -> None:
        self.sensor = wire.sensor.id
        high = wire.active == "high"
        hold = wire.debounce_ms / 1000.0
        count = 1 if wire.second_pin is None else 2
        self._contacts = [Contact(hold, active_high=high) for _ in range(count)]
        self._same_since: float | None = None
        self._readable_since: float | None = None
        self._unreadable = False
        self._faults: dict[str, bool] = {}

    @property
    def healed(self) -> int:
        return sum(contact.healed for contact in self._contacts)

    def edge(self, at: float, half: int, high: bool) -> list[What]:
        told = self._passed(at)
        for flip in self._contacts[half].edge(at, high):
            told += self._flipped(half, flip)
        return told + self._judged(at)

    def read(self, at: float, levels: tuple[bool, ...]) -> list[What]:
        if self._readable_since is None:
            self._readable_since = at
        if at >= self._readable_since + WELL:
            self._unreadable = False
        told = self._passed(at)
        for half, high in enumerate(levels):
            for flip in self._contacts[half].read(at, high):
                told += self._flipped(half, flip)
        return told + self._judged(at)

    def settle(self, at: float) -> list[What]:
        return self._passed(at) + self._judged(at)

    def lost(self, at: float, *, told: bool = True) -> list[What]:
        """``told`` is False where the whole source is down: that is told once for all sensors."""
        what = self._passed(at)
        for contact in self._contacts:
            contact.forget(at)
        self._readable_since = None
        self._unreadable = self._unreadable or told
        return what + self._judged(at)

    def due(self) -> float | None:
        times = [contact.due() for contact in self._contacts]
        if self._same_since is not None and not self._faults.get(WIRE, False):
            times.append(self._same_since + CONTRADICTS)
        return min((time for time in times if time is not None), default=None)

    # -- inside ----------------------------------------------------------------------------------

    def _passed(self, at: float) -> list[What]:
        """Changes of all pins up to ``at`` in the order of their own times."""
        flips = [
            (flip.at, half, flip)
            for half, contact in enumerate(self._contacts)
            for flip in contact.settle(at)
        ]
        told: list[What] = []
        for _, half, flip in sorted(flips, key=lambda one: one[:2]):
            told += self._flipped(half, flip)
        return told

    def _flipped(self, half: int, flip: Flip) -> list[What]:
        """One pin's state changed: where is the line now?"""
        position = self._position()
        if position is None and self._known():
            if self._same_since is None:
                self._same_since = flip.at
        else:
            self._same_since = None
        return self._moved(Move(half, flip.at, flip.on, flip.fresh, position))

    def _known(self) -> bool:
        return all(contact.state is not None for contact in self._contacts)

    def _position(self) -> bool | None:
        """Whether the line says yes; None while it says nothing certain."""
        first = self._contacts[0].state
        if len(self._contacts) == 2 and first == self._contacts[1].state:
            return None
        return first if self._known() else None

    def _judged(self, at: float) -> list[What]:
        """The wire's health at this moment. The first judgement is always told, so that a fault
        which was mended while the hub was off ends."""
        same = self._same_since is not None and at >= self._same_since + CONTRADICTS
        restless = any(contact.restless for contact in self._contacts)
        bad = self._unreadable or restless or same
        if not bad and (self._readable_since is None or self._position() is None):
            return []  # nothing certain yet: neither good nor bad news
        return self._fault(WIRE, bad)

    def _fault(self, name: str, present: bool) -> list[What]:
        if self._faults.get(name) == present:
            return []
        self._faults[name] = present
        return [SensorFault(self.sensor, name, present)]

    def _moved(self, move: Move) -> list[What]:
        raise NotImplementedError


class SwitchLine(_Pins):
    """Anything with two states: motion, door, seat, appliance, smoke, gas, mains, tamper."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._said: bool | None = None
        self._on_since: float | None = None
        self._may_stick = wire.sensor.kind is Kind.MOTION

    def _moved(self, move: Move) -> list[What]:
        position = move.position
        if position is None or position == self._said:
            return []
        fresh = move.fresh and self._said is not None
        self._said = position
        self._on_since = move.at if position else None
        told: list[What] = [Switched(self.sensor, position, fresh)]
        if self._may_stick and not position:
            told += self._fault(STUCK, present=False)
        return told

    def _judged(self, at: float) -> list[What]:
        told = super()._judged(at)
        stuck = self._stuck_at()
        if stuck is not None and at >= stuck:
            told += self._fault(STUCK, present=True)
        return told

    def due(self) -> float | None:
        times = (super().due(), self._stuck_at())
        return min((time for time in times if time is not None), default=None)

    def _stuck_at(self) -> float | None:
        if not self._may_stick or self._on_since is None or self._faults.get(STUCK, False):
            return None
        return self._on_since + MOTION_STUCK


class ButtonLine(_Pins):
    """A help button. One call a press, told when the button goes down.

    A button that is down when the hub starts was pressed before anybody looked: it is told when it
    comes up again, or as stuck after a minute, so that a hub which starts ten times with a stuck
    button does not call ten times.

    On a supervised line the second contact opens when the button leaves its rest. If it closes
    again within a minute and the first one never said yes, the first one's wire is broken and the
    press was real. If the second one's wire is broken, the first one still tells each press.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._down: bool | None = None
        self._down_since: float | None = None
        self._unheard = False
        self._left_rest: float | None = None

    def _moved(self, move: Move) -> list[What]:
        return self._rest(move) if move.half else self._button(move)

    def _button(self, move: Move) -> list[What]:
        """The contact that closes when the button is pressed."""
        told: list[What] = []
        if move.on:
            self._left_rest = None  # told here, or as stuck
            self._down_since = move.at
            self._unheard = self._down is None
            if not self._unheard:
                told.append(Pressed(self.sensor))
        else:
            since = self._down_since
            if self._unheard and since is not None and move.at - since <= BUTTON_STUCK:
                told.append(Pressed(self.sensor))
            self._unheard = False
            self._down_since = None
            told += self._fault(STUCK, present=False)
        self._down = move.on
        return told

    def _rest(self, move: Move) -> list[What]:
        """The contact that is closed while nobody presses."""
        left = self._left_rest
        self._left_rest = None
        if not move.on:
            if self._down is False and self._faults.get(WIRE) is False:
                self._left_rest = move.at
            return []
        if left is None or move.at - left > BUTTON_STUCK:
            return []
        return [Pressed(self.sensor)]

    def _judged(self, at: float) -> list[What]:
        told = super()._judged(at)
        stuck = self._stuck_at()
        if stuck is not None and at >= stuck:
            self._unheard = False
            told += self._fault(STUCK, present=True)
        return told

    def due(self) -> float | None:
        times = (super().due(), self._stuck_at())
        return min((time for time in times if time is not None), default=None)

    def _stuck_at(self) -> float | None:
        if self._down_since is None or self._faults.get(STUCK, False):
            return None
        return self._down_since + BUTTON_STUCK


class MeterLine(_Pins):
    """A meter's pulses, counted into one number a minute; silent while nothing is used."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._start: float | None = None
        self._count = 0
        self._last = 0
        self._was: bool | None = None

    def _moved(self, move: Move) -> list[What]:
        told = self._counted(move.at)
        if move.position is True and self._was is False:
            self._count += 1
        if move.position is not None:
            self._was = move.position
        return told

    def _judged(self, at: float) -> list[What]:
        return self._counted(at) + super()._judged(at)

    def due(self) -> float | None:
        times = [super().due()]
        if self._start is not None and (self._count or self._last):
            times.append(self._start + MINUTE)
        return min((time for time in times if time is not None), default=None)

    def _counted(self, at: float) -> list[What]:
        """Tell the minutes that are over: each with pulses, and the first without."""
        told: list[What] = []
        if self._start is None:
            self._start = at
        while at >= self._start + MINUTE:
            if self._count or self._last:
                told.append(Measured(self.sensor, Quantity.PULSES, float(self._count)))
            elif at >= self._start + 2 * MINUTE:
                self._start += (at - self._start) // MINUTE * MINUTE  # nothing was used: no loop
                break
            self._start += MINUTE
            self._last, self._count = self._count, 0
        return told
