"""Which sensors a generated home has, and what people's doings make them say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from models.homes.plan import Plan

HEARD_EVERY: Final = 300.0
"""Seconds: the sensing side passes on at most one sign of life in five minutes."""

PLAIN_BELOW: Final = 150.0
"""Events a day below which a home has motion sensors and a door only, as sparse recordings do."""

DOOR: Final = "front_door"
HELP: Final = "help_button"
TEMPERATURE: Final = "living_temperature"
MAINS: Final = "mains"

_PLAIN: Final = (
    ("bath_motion", Kind.MOTION, Room.BATH),
    ("kitchen_motion", Kind.MOTION, Room.KITCHEN),
    ("bed_motion", Kind.MOTION, Room.BED),
    ("living_motion", Kind.MOTION, Room.LIVING),
    ("hall_motion", Kind.MOTION, Room.HALL),
    (DOOR, Kind.ENTRANCE, Room.ENTRANCE),
)
_RICH: Final = (
    ("office_motion", Kind.MOTION, Room.OFFICE),
    ("fridge", Kind.CONTACT, Room.KITCHEN),
    ("cupboard", Kind.CONTACT, Room.KITCHEN),
    ("bed", Kind.OCCUPANCY, Room.BED),
    ("chair", Kind.OCCUPANCY, Room.LIVING),
    ("toilet_flush", Kind.USE, Room.BATH),
    ("tap", Kind.USE, Room.BATH),
    ("stove", Kind.USE, Room.KITCHEN),
    ("kettle", Kind.USE, Room.KITCHEN),
    ("tv", Kind.USE, Room.LIVING),
)


def plain(plan: Plan) -> bool:
    """Whether the home has motion sensors and a door only."""
    return plan.events_per_day < PLAIN_BELOW


def sensors(plan: Plan) -> tuple[Sensor, ...]:
    """The sensors of the planned home.

    A collapse in a wired home leaves nothing that speaks; the temperature is then measured too,
    so that the recording does not end with the collapse.
    """
    listed = list(_PLAIN if plain(plan) else _PLAIN + _RICH)
    if plan.help or plan.presses:
        listed.append((HELP, Kind.HELP, Room.OTHER))
    if needs_temperature(plan):
        listed.append((TEMPERATURE, Kind.TEMPERATURE, Room.LIVING))
    if plan.mains or plan.mains_cuts:
        listed.append((MAINS, Kind.MAINS, Room.OTHER))
    names = {name for name, _, _ in listed}
    for name in (*plan.event_only, *(name for name, _ in plan.dead)):
        if name not in names:
            raise ValueError(f"There is no sensor {name!r}; there are {', '.join(sorted(names))}.")
    return tuple(_sensor(plan, name, kind, room) for name, kind, room in listed)


def needs_temperature(plan: Plan) -> bool:
    """Whether the home has a thermometer."""
    wired_collapse = plan.collapse is not None and not plan.beacons
    return plan.temperature or plan.temperature_drop is not None or wired_collapse


def _sensor(plan: Plan, name: str, kind: Kind, room: Room) -> Sensor:
    if name in plan.event_only:
        return Sensor(name, kind, room, Supervision.EVENT_ONLY, None, "ble")
    if plan.beacons and kind is not Kind.MAINS:
        return Sensor(name, kind, room, Supervision.BEACON, HEARD_EVERY, "ble")
    return Sensor(name, kind, room)


@dataclass(frozen=True)
class Doing:
    """What an activity looks like to the sensors.

    ``room``   where it is; entering another room is seen there and in the hall
    ``rates``  events an hour by sensor
    ``calm``   how the rates follow the home's volume: 1 in proportion, less for rest and sleep,
               which stay quiet however many sensors look at them
    ``once``   chance that a sensor is used once meanwhile
    ``held``   sensors that are ON as long as it lasts
    """

    room: str
    rates: dict[str, float]
    calm: float = 1.0
    once: dict[str, float] = field(default_factory=dict)
    held: tuple[str, ...] = ()


DOINGS: Final[dict[str, Doing]] = {
    "sleep": Doing("bed", {"bed_motion": 0.35, "bed": 0.8}, 0.3, held=("bed",)),
    "lie": Doing("bed", {"bed_motion": 2.2, "bed": 1.5}, 0.5, held=("bed",)),
    "nap": Doing("living", {"living_motion": 0.9, "chair": 0.4}, 0.3, held=("chair",)),
    "toilet": Doing("bath", {"bath_motion": 45}, 1.0, {"toilet_flush": 0.9, "tap": 0.7}),
    "wash": Doing("bath", {"bath_motion": 32, "tap": 8}, 1.0),
    "cook": Doing(
        "kitchen",
        {"kitchen_motion": 45, "fridge": 6, "cupboard": 8},
        1.0,
        {"stove": 0.8, "kettle": 0.4},
    ),
    "snack": Doing(
        "kitchen", {"kitchen_motion": 40}, 1.0, {"fridge": 0.8, "cupboard": 0.5, "kettle": 0.4}
    ),
    "eat": Doing("living", {"living_motion": 14}, 0.8, held=("chair",)),
    "tv": Doing("living", {"living_motion": 3.5, "chair": 0.5}, 0.5, held=("tv", "chair")),
    "rest": Doing("living", {"living_motion": 6, "chair": 1}, 0.7, held=("chair",)),
    "desk": Doing("office", {"office_motion": 14}, 0.75),
    "chores": Doing(
        "living",
        {
            "living_motion": 15,
            "bed_motion": 12,
            "hall_motion": 13,
            "kitchen_motion": 10,
            "bath_motion": 5,
            "cupboard": 3,
        },
    ),
    "visit": Doing(
        "living",
        {"living_motion": 38, "kitchen_motion": 9, "hall_motion": 5, "bath_motion": 1.5},
        held=("chair",),
    ),
    "out": Doing("out", {}),
}

HOLDS: Final[dict[Kind, tuple[float, float]]] = {
    Kind.MOTION: (4.0, 30.0),
    Kind.CONTACT: (3.0, 25.0),
    Kind.ENTRANCE: (4.0, 20.0),
    Kind.OCCUPANCY: (1.0, 9.0),
    Kind.USE: (4.0, 40.0),
}
"""Seconds that a sensor stays ON after an event; for occupancy, that it lets go while somebody
turns over."""

LONG_USES: Final[dict[str, tuple[float, float]]] = {
    "stove": (400.0, 1500.0),
    "kettle": (120.0, 240.0),
}
"""Seconds, for those that are used for longer."""
