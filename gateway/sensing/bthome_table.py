"""Every object of BTHome v2 in one table: https://bthome.io/format (read in November 2026), and
what bthome-ble 3.25.0 knows beyond that page (0x3B, 0x60 to 0x65).

An object's length follows from its id alone, so an id that is not here ends the reading of a frame:
what comes behind it cannot be found. Ids are sent in rising order for just that reason. A new id of
the specification is a new row; ``tests/bench/bthome_fuzz.py`` compares the table with bthome-ble's.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct


class Form(Enum):
    """How an object's bytes are read."""

    NUMBER = "number"  # little-endian, divided by ``divisor`` (or times ``factor``)
    STATE = "state"  # one byte: 0 off, anything else on
    BUTTON = "button"
    DIMMER = "dimmer"  # event and number of steps
    COMMAND = "command"  # length of the arguments (5 bits), opcode, arguments
    TEXT = "text"  # length, UTF-8
    RAW = "raw"  # length, bytes
    VERSION = "version"  # firmware, least significant part first


class Thing(Struct, frozen=True):
    """One row: what an object is called, in which unit it is told, how long it is.

    ``name``     bthome-ble's device class, which is the specification's property name in most
                 rows; several ids may share one
    ``size``     bytes after the id; 0: the next byte says it
    ``divisor``  the specification's factor turned round. Dividing by 100 gives the float next to
                 the decimal number, multiplying by 0.01 does not.
    """

    id: int
    name: str
    form: Form
    size: int = 1
    divisor: int = 1
    signed: bool = False
    unit: str = ""


def _number(
    id: int, name: str, size: int, divisor: int = 1, unit: str = "", *, signed: bool = False
) -> Thing:
    return Thing(id, name, Form.NUMBER, size, divisor, signed, unit)


_NUMBERS: Final = (
    _number(0x00, "packet_id", 1),
    _number(0x01, "battery", 1, 1, "%"),
    _number(0x02, "temperature", 2, 100, "°C", signed=True),
    _number(0x03, "humidity", 2, 100, "%"),
    _number(0x04, "pressure", 3, 100, "hPa"),
    _number(0x05, "illuminance", 3, 100, "lx"),
    _number(0x06, "mass", 2, 100, "kg"),
    _number(0x07, "mass", 2, 100, "lb"),
    _number(0x08, "dew_point", 2, 100, "°C", signed=True),
    _number(0x09, "count", 1),
    _number(0x0A, "energy", 3, 1000, "kWh"),
    _number(0x0B, "power", 3, 100, "W"),
    _number(0x0C, "voltage", 2, 1000, "V"),
    _number(0x0D, "pm25", 2, 1, "µg/m³"),
    _number(0x0E, "pm10", 2, 1, "µg/m³"),
    _number(0x12, "carbon_dioxide", 2, 1, "ppm"),
    _number(0x13, "volatile_organic_compounds", 2, 1, "µg/m³"),
    _number(0x14, "moisture", 2, 100, "%"),
    _number(0x2E, "humidity", 1, 1, "%"),
    _number(0x2F, "moisture", 1, 1, "%"),
    _number(0x3D, "count", 2),
    _number(0x3E, "count", 4),
    _number(0x3F, "rotation", 2, 10, "°", signed=True),
    _number(0x40, "distance", 2, 1, "mm"),
    _number(0x41, "distance", 2, 10, "m"),
    _number(0x42, "duration", 3, 1000, "s"),
    _number(0x43, "current", 2, 1000, "A"),
    _number(0x44, "speed", 2, 100, "m/s"),
    _number(0x45, "temperature", 2, 10, "°C", signed=True),
    _number(0x46, "uv_index", 1, 10),
    _number(0x47, "volume", 2, 10, "L"),
    _number(0x48, "volume", 2, 1, "mL"),
    _number(0x49, "volume_flow_rate", 2, 1000, "m³/h"),
    _number(0x4A, "voltage", 2, 10, "V"),
    _number(0x4B, "gas", 3, 1000, "m³"),
    _number(0x4C, "gas", 4, 1000, "m³"),
    _number(0x4D, "energy", 4, 1000, "kWh"),
    _number(0x4E, "volume", 4, 1000, "L"),
    _number(0x4F, "water", 4, 1000, "L"),
    _number(0x50, "timestamp", 4, 1, "s"),
    _number(0x51, "acceleration", 2, 1000, "m/s²"),
    _number(0x52, "gyroscope", 2, 1000, "°/s"),
    _number(0x55, "volume_storage", 4, 1000, "L"),
    _number(0x56, "conductivity", 2, 1, "µS/cm"),
    _number(0x57, "temperature", 1, 1, "°C", signed=True),
    _number(0x58, "temperature", 1, 0, "°C", signed=True),  # factor 0.35, see COARSE
    _number(0x59, "count", 1, signed=True),
    _number(0x5A, "count", 2, signed=True),
    _number(0x5B, "count", 4, signed=True),
    _number(0x5C, "power", 4, 100, "W", signed=True),
    _number(0x5D, "current", 2, 1000, "A", signed=True),
    _number(0x5E, "direction", 2, 100, "°"),
    _number(0x5F, "precipitation", 2, 10, "mm"),
    _number(0x60, "channel", 1),
    _number(0x61, "rotational_speed", 2, 1, "rpm"),
    _number(0x62, "speed", 4, 1_000_000, "m/s", signed=True),
    _number(0x63, "acceleration", 4, 1_000_000, "m/s²", signed=True),
    _number(0x64, "light_level", 1),
    _number(0x65, "settings_revision", 1),
    _number(0xF0, "device_type", 2),
)

_STATES: Final = {
    0x0F: "generic",
    0x10: "power",
    0x11: "opening",
    0x15: "battery",  # low
    0x16: "battery_charging",
    0x17: "carbon_monoxide",
    0x18: "cold",
    0x19: "connectivity",
    0x1A: "door",
    0x1B: "garage_door",
    0x1C: "gas",
    0x1D: "heat",
    0x1E: "light",
    0x1F: "lock",  # on: unlocked
    0x20: "moisture",
    0x21: "motion",
    0x22: "moving",
    0x23: "occupancy",
    0x24: "plug",
    0x25: "presence",
    0x26: "problem",
    0x27: "running",
    0x28: "safety",
    0x29: "smoke",
    0x2A: "sound",
    0x2B: "tamper",
    0x2C: "vibration",
    0x2D: "window",
}

_OTHERS: Final = (
    Thing(0x3A, "button", Form.BUTTON),
    Thing(0x3B, "command", Form.COMMAND, 0),
    Thing(0x3C, "dimmer", Form.DIMMER, 2),
    Thing(0x53, "text", Form.TEXT, 0),
    Thing(0x54, "raw", Form.RAW, 0),
    Thing(0xF1, "firmware", Form.VERSION, 4),
    Thing(0xF2, "firmware", Form.VERSION, 3),
)

THINGS: Final[dict[int, Thing]] = {
    thing.id: thing
    for thing in (
        *_NUMBERS,
        *(Thing(id, name, Form.STATE) for id, name in _STATES.items()),
        *_OTHERS,
    )
}
"""All objects by id."""

COARSE: Final = 0x58
"""The one object whose factor is not a power of ten: 0.35 °C. It is told with one decimal, as
bthome-ble does: steps of a third of a degree have no hundredths."""

BUTTONS: Final[dict[int, str]] = {
    0x01: "press",
    0x02: "double_press",
    0x03: "triple_press",
    0x04: "long_press",
    0x05: "long_double_press",
    0x06: "long_triple_press",
    0x80: "hold_press",
    0x81: "hold_release",
}
"""What happened to a button. 0x00 is "nothing": it keeps the place of another button of the same
device, and so does what nobody has defined yet."""

OLD_HOLD: Final = "old_hold"
"""What Shelly's firmware before 1.0.20 sends as 0xFE when a button is held: no part of BTHome, but a
call for help is never given up for that (docs/sensors.md)."""

DIMMERS: Final[dict[int, str]] = {0x01: "rotate_left", 0x02: "rotate_right"}

COMMANDS: Final[dict[int, str]] = {
    0x00: "off",
    0x01: "on",
    0x02: "toggle",
    0x03: "step_up",
    0x04: "step_down",
}
