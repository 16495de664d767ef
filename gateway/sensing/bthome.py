"""BTHome v2 (https://bthome.io/format): service data of UUID fcd2 become readings. Pure.

The table says how long each object is (``bthome_table``), this file walks over it. Nothing here
raises for anything that a radio can send, keeps a state or writes a log: a frame that cannot be
read is an ``Unreadable`` with its reason, and whether a frame that can be read may be believed is
judged by ``gateway.security.frames``. Checked against bthome-ble over a million frames
(``tests/bench/bthome_fuzz.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from msgspec import Struct

from gateway.sensing.bthome_table import (
    BUTTONS,
    COARSE,
    COMMANDS,
    DIMMERS,
    OLD_HOLD,
    THINGS,
    Form,
    Thing,
)

UUID: Final = "0000fcd2-0000-1000-8000-00805f9b34fb"
"""Service UUID of BTHome v2, as BlueZ writes it."""

VERSION: Final = 2

ENCRYPTED: Final = 0x01
ADDRESS_INCLUDED: Final = 0x02
TRIGGER_BASED: Final = 0x04
"""Bits of the first byte, the device information. The specification has since reserved the second
one; devices from before that say their own address in the next six bytes."""

ADDRESS_BYTES: Final = 6
COUNTER_BYTES: Final = 4
MIC_BYTES: Final = 4
SHORTEST: Final = 2
"""Bytes of the shortest object: an id and one byte."""

Value = int | float | str | bytes | tuple[str, int] | tuple[str, bytes] | None
"""A number, a state (bool), a button's event, a text, raw bytes, (event, steps) of a dimmer, (event,
arguments) of a command. None where an object is there and says nothing: a button that was not
pressed, an event nobody has defined, a text that is not UTF-8."""


class Ending(StrEnum):
    """Why the reading of a frame ended. What was read before counts in any case."""

    COMPLETE = "complete"
    UNKNOWN = "unknown"  # an id that is not in the table: its length is not known either
    TRUNCATED = "truncated"  # the last object is longer than what is left


class Reading(Struct, frozen=True, gc=False):
    """One object: its id (``bthome_table.THINGS``) and its value."""

    id: int
    value: Value


class Frame(Struct, frozen=True, gc=False):
    """What one advertisement says.

    ``counter``    of the encryption, 32 bits; None in a plain frame
    ``packet_id``  0 to 255, the first one; None where the device sends none
    ``payload``    the objects' bytes, decrypted: what two frames must share to be the same frame
    """

    info: int
    counter: int | None
    packet_id: int | None
    readings: list[Reading]
    ending: Ending
    payload: bytes

    @property
    def trigger_based(self) -> bool:
        """Whether the device says that it speaks only when something happens."""
        return bool(self.info & TRIGGER_BASED)


class Flaw(StrEnum):
    """Why a frame cannot be read at all."""

    EMPTY = "empty"
    VERSION = "version"
    TOO_SHORT = "too-short"
    ADDRESS = "address"  # it says to come from another device than the one it came from
    NO_KEY = "no-key"  # encrypted, and this sensor was enrolled without a key
    PLAIN = "plain"  # not encrypted, and this sensor was enrolled with a key
    BAD_MIC = "bad-mic"  # forged, damaged, or encrypted with another key


class Unreadable(Struct, frozen=True):
    """A frame of which nothing was read."""

    flaw: Flaw


class Decoder:
    """Reads the frames of one sensor. Stateless: the same bytes always give the same frame."""

    __slots__ = ("_address", "_decrypt", "_nonce")

    def __init__(self, address: str, key: bytes | None = None) -> None:
        """``address`` with colons; ``key`` 16 bytes, or None for a sensor without encryption."""
        self._address = bytes.fromhex(address.replace(":", ""))
        self._nonce = self._address + b"\xd2\xfc"
        self._decrypt: Callable[[bytes, bytes, bytes | None], bytes] | None = None
        if key is not None:
            self._decrypt = AESCCM(key, tag_length=MIC_BYTES).decrypt

    def decode(self, data: bytes) -> Frame | Unreadable:
        """The service data behind the UUID, as BlueZ hands them out."""
        size = len(data)
        if not size:
            return _EMPTY
        info = data[0]
        if info >> 5 != VERSION:
            return _VERSION
        start = 1
        if info & ADDRESS_INCLUDED:
            start += ADDRESS_BYTES
            if size < start:
                return _TOO_SHORT
            if data[start - 1 : 0 : -1] != self._address:
                return _ADDRESS
        decrypt = self._decrypt
        if not info & ENCRYPTED:
            if decrypt is not None:
                return _PLAIN
            return _read(info, None, data[start:])
        if decrypt is None:
            return _NO_KEY
        end = size - COUNTER_BYTES - MIC_BYTES
        if end < start + SHORTEST:
            return _TOO_SHORT
        counter = data[end : end + COUNTER_BYTES]
        try:
            payload = decrypt(
                # The info byte as it was sent: 0x45 for trigger-based devices, not 0x41
                # (home-assistant/bthome.io#63).
                self._nonce + data[:1] + counter,
                data[start:end] + data[end + COUNTER_BYTES :],
                None,
            )
        except InvalidTag:
            return _BAD_MIC
        return _read(info, int.from_bytes(counter, "little"), payload)


_EMPTY: Final = Unreadable(Flaw.EMPTY)
_VERSION: Final = Unreadable(Flaw.VERSION)
_TOO_SHORT: Final = Unreadable(Flaw.TOO_SHORT)
_ADDRESS: Final = Unreadable(Flaw.ADDRESS)
_NO_KEY: Final = Unreadable(Flaw.NO_KEY)
_PLAIN: Final = Unreadable(Flaw.PLAIN)
_BAD_MIC: Final = Unreadable(Flaw.BAD_MIC)


def _read(info: int, counter: int | None, payload: bytes) -> Frame:
    """Walk over the objects."""
    readings: list[Reading] = []
    packet_id: int | None = None
    ending = Ending.COMPLETE
    plans = _PLANS
    at, end = 0, len(payload)
    while at < end:
        id = payload[at]
        plan = plans[id]
        if plan is None:
            ending = Ending.UNKNOWN
            break
        size, divisor, values = plan
        at += 1
        if size == 1 and values is not None:
            if at == end:
                ending = Ending.TRUNCATED
                break
            if id == 0 and packet_id is None:
                packet_id = payload[at]
            readings.append(Reading(id, values[payload[at]]))
            at += 1
            continue
        if size:
            stop = at + size
        elif at == end:
            ending = Ending.TRUNCATED
            break
        elif id == _COMMAND:
            at += 1
            stop = at + 1 + (payload[at - 1] & 0x1F)
        else:
            at += 1
            stop = at + payload[at - 1]
            if stop == at:
                continue  # an empty text says nothing
        if stop > end:
            ending = Ending.TRUNCATED
            break
        if divisor == 1:
            readings.append(Reading(id, int.from_bytes(payload[at:stop], "little")))
        elif divisor > 1:
            readings.append(Reading(id, int.from_bytes(payload[at:stop], "little") / divisor))
        else:
            readings.append(Reading(id, _SPECIAL[id](payload[at:stop])))
        at = stop
    return Frame(info, counter, packet_id, readings, ending, payload)


# -- plans: the table, made ready for the walk ---------------------------------------------------

_COMMAND: Final = 0x3B


def _signed(divisor: int) -> Callable[[bytes], Value]:
    def read(data: bytes) -> Value:
        number = int.from_bytes(data, "little", signed=True)
        return number if divisor == 1 else number / divisor

    return read


def _dimmer(data: bytes) -> Value:
    event = DIMMERS.get(data[0])
    return None if event is None else (event, data[1])


def _command(data: bytes) -> Value:
    event = COMMANDS.get(data[0])
    return None if event is None else (event, data[1:])


def _text(data: bytes) -> Value:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _version(data: bytes) -> Value:
    return ".".join(str(part) for part in reversed(data))


_READERS: Final[dict[Form, Callable[[bytes], Value]]] = {
    Form.DIMMER: _dimmer,
    Form.COMMAND: _command,
    Form.TEXT: _text,
    Form.RAW: bytes,
    Form.VERSION: _version,
}

_SPECIAL: Final[dict[int, Callable[[bytes], Value]]] = {
    thing.id: _READERS[thing.form] if thing.form in _READERS else _signed(thing.divisor)
    for thing in THINGS.values()
    if thing.form in _READERS or (thing.signed and thing.size > 1)
}
"""Objects that are more than an unsigned number or one byte."""


def _values(thing: Thing) -> tuple[Value, ...] | None:
    """What each of the 256 bytes means in an object of one byte."""
    match thing.form:
        case Form.STATE:
            return tuple(byte != 0 for byte in range(256))
        case Form.BUTTON:
            return tuple({**BUTTONS, 0xFE: OLD_HOLD}.get(byte) for byte in range(256))
        case Form.NUMBER if thing.size == 1:
            numbers = [n - 256 if thing.signed and n > 127 else n for n in range(256)]
            if thing.id == COARSE:
                return tuple(round(n * 0.35, 1) for n in numbers)
            return tuple(n if thing.divisor == 1 else n / thing.divisor for n in numbers)
    return None


def _plan(thing: Thing) -> tuple[int, int, tuple[Value, ...] | None]:
    """Size, divisor (0: ask ``_SPECIAL``), and the values of a single byte."""
    return thing.size, 0 if thing.id in _SPECIAL else thing.divisor, _values(thing)


_PLANS: Final = tuple(_plan(THINGS[id]) if id in THINGS else None for id in range(256))
