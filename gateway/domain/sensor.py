"""Sensors: what they sense, where they are, and how the hub knows that they still live."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a sensor senses. The first five are those of a recorded home."""

    MOTION = "motion"
    CONTACT = "contact"
    OCCUPANCY = "occupancy"
    USE = "use"
    ENTRANCE = "entrance"
    HELP = "help"
    SMOKE = "smoke"
    GAS = "gas"
    CO = "co"
    FLOOD = "flood"
    TEMPERATURE = "temperature"
    MAINS = "mains"
    TAMPER = "tamper"
    METER = "meter"


ACTIVITY_KINDS = frozenset({Kind.MOTION, Kind.CONTACT, Kind.OCCUPANCY, Kind.USE, Kind.ENTRANCE})
"""Kinds whose readings can be evidence that somebody lives here."""

HAZARD_KINDS = frozenset({Kind.SMOKE, Kind.GAS, Kind.CO, Kind.FLOOD})
"""Kinds that are never filtered (R24)."""


class Room(StrEnum):
    """The kind of room, never its name: nothing personal leaves the home (P1)."""

    BATH = "bath"
    KITCHEN = "kitchen"
    BED = "bed"
    LIVING = "living"
    OFFICE = "office"
    HALL = "hall"
    ENTRANCE = "entrance"
    OTHER = "other"


class Supervision(StrEnum):
    """How the hub knows that a sensor lives (requirements, "Settled": R15).

    A wired sensor is read by us at any time; a beacon is heard at least every ``interval``
    seconds; an event-only sensor speaks only when something happens and proves nothing.
    """

    WIRED = "wired"
    BEACON = "beacon"
    EVENT_ONLY = "event-only"


class Sensor(Struct, frozen=True):
    """One enrolled sensor.

    ``id``        pseudonym inside this home; never an address
    ``interval``  seconds between two signs of life; required for a beacon, optional for an
                  event-only sensor (its daily report), None for a wired one
    ``source``    which part of the hub hears it: "gpio", "ble", "recording"
    ``keyed``     whether its frames are authenticated; an unkeyed sensor is never the sole
                  evidence of life (T1)
    """

    id: str
    kind: Kind
    room: Room = Room.OTHER
    supervision: Supervision = Supervision.WIRED
    interval: float | None = None
    source: str = "recording"
    keyed: bool = True
