"""What is enrolled in this home, as the sources need it: with addresses, keys and pins.

The engine, the journal and the wire only ever meet ``Sensor``: a pseudonym, a kind and a room. The
address of a radio sensor and its key travel from the settings to the source that listens for it,
and no further.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

from gateway.domain.sensor import Sensor

ADDRESS: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
"""A Bluetooth address as BlueZ writes it."""

KEY_BYTES: Final = 16
"""BTHome v2 encrypts with AES-CCM and a key of 128 bits."""

LAST_PIN: Final = 27
"""The header of a Raspberry Pi carries GPIO 0 to 27 (BCM numbers)."""


class Radio(Struct, frozen=True):
    """One enrolled Bluetooth sensor.

    ``address``  upper case with colons; the only strangers' address that is ever compared with it
                 is the one of the frame at hand
    ``key``      16 bytes if its frames are encrypted, None if it speaks in plain text
    """

    sensor: Sensor
    address: str
    key: bytes | None = None

    def __post_init__(self) -> None:
        """Raises ValueError: settings check first, so this only meets a mistake of ours."""
        if not ADDRESS.fullmatch(self.address):
            raise ValueError(f"{self.sensor.id}: an address is six pairs of upper-case hex digits")
        if self.key is not None and len(self.key) != KEY_BYTES:
            raise ValueError(f"{self.sensor.id}: a key has {KEY_BYTES} bytes")

    def __repr__(self) -> str:
        """Neither address nor key: this may end in a log or a traceback."""
        return f"Radio({self.sensor.id!r}, {'keyed' if self.key else 'plain'})"


class Wire(Struct, frozen=True):
    """One sensor on the header.

    ``pin``          GPIO number (BCM)
    ``pull``         the pin's own resistor; None where the circuit brings one
    ``active``       level at which the sensor says yes: motion, open, pressed, mains present
    ``debounce_ms``  a level counts once it has held so long
    ``second_pin``   the other half of a supervised loop (two contacts that always disagree): both
                     the same means a cut or bridged wire; None without supervision
    """

    sensor: Sensor
    pin: int
    pull: Literal["up", "down"] | None = "up"
    active: Literal["high", "low"] = "low"
    debounce_ms: int = 30
    second_pin: int | None = None

    def __post_init__(self) -> None:
        """Raises ValueError: settings check first, so this only meets a mistake of ours."""
        pins = [self.pin] if self.second_pin is None else [self.pin, self.second_pin]
        if len(set(pins)) != len(pins) or not all(0 <= pin <= LAST_PIN for pin in pins):
            raise ValueError(f"{self.sensor.id}: pins are different numbers from 0 to {LAST_PIN}")
        if self.debounce_ms < 0:
            raise ValueError(f"{self.sensor.id}: a debounce time is not negative")
