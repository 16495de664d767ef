"""bthome-ble, which Home Assistant uses, as a second opinion on every frame. Tests only.

Each frame is read by a new one that remembers nothing: here it says what a frame says, not whether
to believe it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.sensing.bthome import UUID, Frame, Unreadable
from gateway.sensing.bthome_table import (
    BUTTONS,
    COMMANDS,
    DIMMERS,
    OLD_HOLD,
    THINGS,
    Form,
    Thing,
)

ABSENT = ""
"""A sentence for a person where bthome-ble is not installed."""

# Through importlib, so that type checks do not depend on whether it is there.
try:
    _parser: Any = importlib.import_module("bthome_ble.parser")
    _const: Any = importlib.import_module("bthome_ble.const")
    _radio: Any = importlib.import_module("habluetooth")
except ImportError:
    ABSENT = "bthome-ble is not installed: pip install bthome-ble (the second opinion in tests)"
logging.getLogger("bthome_ble.parser").disabled = True

Said = dict[tuple[str, str], Any]
"""(sort, name) -> value; the name has a postfix where a frame holds several of a sort."""

_EVENTS = {"button": BUTTONS, "dimmer": DIMMERS, "command": COMMANDS}


def info(data: bytes, address: str) -> Any:
    """The advertisement around service data, as Home Assistant's scanner makes it."""
    return _radio.BluetoothServiceInfoBleak(
        name="",
        address=address,
        rssi=-60,
        manufacturer_data={},
        service_data={UUID: data},
        service_uuids=[],
        source="",
        device=None,
        advertisement=None,
        connectable=False,
        time=0.0,
        tx_power=None,
    )


def version() -> str:
    """Of bthome-ble as installed; its own ``__version__`` stands still."""
    return importlib.metadata.version("bthome-ble")


class Oracle:
    """One sensor as bthome-ble sees it."""

    def __init__(self, address: str, key: bytes | None = None) -> None:
        self._address = address
        self._key = key

    def says(self, data: bytes) -> Said:
        """What it reads from this frame."""
        oracle = _parser.BTHomeBluetoothDeviceData(bindkey=self._key)
        update = oracle.update(info(data, self._address))
        said: Said = {}
        for key, value in update.entity_values.items():
            if key.key != "signal_strength":
                native = value.native_value
                stamp = getattr(native, "timestamp", None)
                said["value", key.key] = native if stamp is None else int(stamp())
        for key, value in update.binary_entity_values.items():
            said["state", key.key] = value.native_value
        for key, event in update.events.items():
            said["event", key.key] = (event.event_type, event.event_properties)
        if oracle.device_type_id is not None:
            said["device", "type"] = oracle.device_type_id
        firmware = update.devices[None].sw_version if None in update.devices else None
        if firmware and not firmware.startswith("BTHome"):
            said["device", "firmware"] = firmware
        return said


def reader(key: bytes | None) -> Callable[[Any], object]:
    """bthome-ble at its usual work: one object for a sensor's life, fed with ``info``. Only what
    would make it skip a frame that it has met before is put back."""
    oracle = _parser.BTHomeBluetoothDeviceData(bindkey=key)

    def read(advertisement: Any) -> object:
        oracle.packet_id = None
        oracle.encryption_counter = 0.0
        return oracle.update(advertisement)

    return read


def ours(frame: Frame | Unreadable) -> Said:
    """The same of our decoder, under bthome-ble's names."""
    if isinstance(frame, Unreadable):
        return {}
    said: Said = {}
    many = Counter(_sort(THINGS[reading.id]) for reading in frame.readings)
    met: Counter[tuple[str, str, str]] = Counter()
    for id, value in ((reading.id, reading.value) for reading in frame.readings):
        thing = THINGS[id]
        if thing.form is Form.VERSION:
            said["device", "firmware"] = value
        elif thing.name == "device_type":
            said["device", "type"] = value
        else:
            sort = _sort(thing)
            met[sort] += 1
            if value is not None and value != OLD_HOLD:  # theirs knows the specification only
                name = f"{thing.name}_{met[sort]}" if many[sort] > 1 else thing.name
                said[sort[0], name] = _as_oracle(thing, value)
    return said


def _sort(thing: Thing) -> tuple[str, str, str]:
    if thing.form is Form.STATE:
        return "state", thing.name, ""
    return "event" if thing.name in _EVENTS else "value", thing.name, thing.unit


def _as_oracle(thing: Thing, value: Any) -> Any:
    match thing.form:
        case Form.BUTTON:
            return value, None
        case Form.DIMMER:
            return value[0], {"steps": value[1]}
        case Form.COMMAND:
            return value[0], {"args": value[1].hex()}
        case Form.RAW:
            return value.hex()
    return value


def tables_differ() -> list[str]:
    """Ids, lengths, factors and signs in which our table and bthome-ble's are not the same."""
    found = [f"{id:#04x} is only in one table" for id in THINGS.keys() ^ _const.MEAS_TYPES.keys()]
    for id in THINGS.keys() & _const.MEAS_TYPES.keys():
        thing, theirs = THINGS[id], _const.MEAS_TYPES[id]
        variable = theirs.data_format in ("string", "raw", "command")
        if thing.size != (0 if variable else theirs.data_length):
            found.append(f"{id:#04x} has another length")
        if thing.divisor and thing.form is Form.NUMBER and theirs.factor != 1 / thing.divisor:
            found.append(f"{id:#04x} has another factor")
        if thing.signed != (theirs.data_format == "signed_integer"):
            found.append(f"{id:#04x} has another sign")
    return found
