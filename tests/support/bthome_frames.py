"""BTHome frames made from the table and a seed: right ones, damaged ones, and noise."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from gateway.sensing.bthome_table import THINGS, Form

ADDRESS = "54:48:E6:8F:80:A5"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
OTHER_KEY = bytes(range(16))
_MAC = bytes.fromhex(ADDRESS.replace(":", ""))
_SEALS = {key: AESCCM(key, tag_length=4) for key in (KEY, OTHER_KEY)}

LONGEST = 240
"""Bytes of service data that an extended advertisement can carry in one piece, about."""


class Sort(Enum):
    """What was done to a frame. The first three are structurally valid."""

    PLAIN = "plain"
    KEYED = "keyed"
    OWN_ADDRESS = "with its own address"
    UNKNOWN = "an unknown id behind"
    TRUNCATED = "cut off"
    BENT = "a bit flipped"
    FORGED = "false MIC"
    NOISE = "noise"


VALID = frozenset({Sort.PLAIN, Sort.KEYED, Sort.OWN_ADDRESS})


class Made(NamedTuple):
    """``keyed``: to be read by a sensor with the key; ``ids``: the objects that were put in."""

    sort: Sort
    keyed: bool
    data: bytes
    ids: Sequence[int]


def seal(
    payload: bytes,
    counter: int,
    *,
    info: int = 0x45,
    key: bytes = KEY,
    address: str = ADDRESS,
    included: bytes = b"",
) -> bytes:
    """Service data of an encrypted frame."""
    head, tail = bytes([info]), counter.to_bytes(4, "little")
    nonce = bytes.fromhex(address.replace(":", "")) + b"\xd2\xfc" + head + tail
    cipher = _SEALS.get(key) or AESCCM(key, tag_length=4)
    sealed = cipher.encrypt(nonce, payload, None)
    return head + included + sealed[:-4] + tail + sealed[-4:]


def made(seed: int, frames: int) -> Iterator[Made]:
    """So many frames; six in ten are valid, and each id comes round in turn."""
    chance = random.Random(seed)
    ids = sorted(THINGS)
    turn = 0
    for _ in range(frames):
        sort = chance.choices(tuple(Sort), (30, 25, 5, 8, 10, 10, 6, 6))[0]
        if sort is Sort.NOISE:
            data = bytes([chance.choice((0x40, 0x44, 0x41, 0x45, chance.randrange(256)))])
            data += chance.randbytes(chance.randrange(40))
            yield Made(sort, chance.random() < 0.5, data[chance.randrange(2) :], ())
            continue
        picked = [ids[turn % len(ids)], *chance.choices(ids, k=chance.randrange(6))]
        turn += 1
        if chance.random() < 0.9:
            picked.sort()
        payload, ids_in = _payload(chance, picked)
        yield _wrapped(chance, sort, payload, ids_in)


def _payload(chance: random.Random, ids: Sequence[int]) -> tuple[bytes, list[int]]:
    payload, ids_in = b"", []
    for id in ids:
        more = _object(chance, id)
        if len(payload) + len(more) > LONGEST:
            break
        payload += more
        ids_in.append(id)
    return payload, ids_in


def _object(chance: random.Random, id: int) -> bytes:
    thing = THINGS[id]
    head = bytes([id])
    match thing.form:
        case Form.TEXT:
            text = "".join(chance.choices("abc 안심 é€", k=chance.randrange(12))).encode()
            if chance.random() < 0.1:
                text += b"\xff"  # the length is right, the text is not UTF-8
            return head + bytes([len(text)]) + text
        case Form.RAW:
            raw = chance.randbytes(chance.randrange(20))
            return head + bytes([len(raw)]) + raw
        case Form.COMMAND:
            arguments = chance.randbytes(chance.randrange(8))
            opcode = chance.choice((0, 1, 2, 3, 4, chance.randrange(256)))
            reserved = chance.randrange(8) << 5
            return head + bytes([reserved | len(arguments), opcode]) + arguments
        case Form.BUTTON | Form.DIMMER if chance.random() < 0.8:
            events = (0, 1, 2, 3, 4, 5, 6, 0x80, 0x81)
            return head + bytes([chance.choice(events)]) + chance.randbytes(thing.size - 1)
        case Form.STATE if chance.random() < 0.9:
            return head + bytes([chance.randrange(2)])
        case _:
            if chance.random() < 0.1:  # the ends of the range
                return head + chance.choice((b"\x00", b"\xff")) * thing.size
            return head + chance.randbytes(thing.size)


def _wrapped(chance: random.Random, sort: Sort, payload: bytes, ids: list[int]) -> Made:
    keyed = sort in (Sort.KEYED, Sort.FORGED) or (sort is not Sort.PLAIN and chance.random() < 0.5)
    trigger = chance.randrange(2) << 2
    if sort is Sort.UNKNOWN:
        unknown = [id for id in range(256) if id not in THINGS]
        payload += bytes([chance.choice(unknown)]) + chance.randbytes(chance.randrange(8))
    if sort is Sort.TRUNCATED and keyed:
        payload = payload[: chance.randrange(len(payload))]
    included = _MAC[::-1] if sort is Sort.OWN_ADDRESS else b""
    info = 0x40 | trigger | (2 if included else 0)
    if not keyed:
        data = bytes([info]) + included + payload
        if sort is Sort.TRUNCATED:
            data = data[: chance.randrange(len(data))]
    else:
        key = OTHER_KEY if sort is Sort.FORGED and chance.random() < 0.5 else KEY
        counter = chance.getrandbits(32)
        data = seal(payload, counter, info=info | 1, key=key, included=included)
        if sort is Sort.FORGED and key is KEY:
            data = _bent(chance, data, first=len(data) - 4)
    if sort is Sort.BENT:
        data = _bent(chance, data)
    return Made(sort, keyed, data, ids)


def _bent(chance: random.Random, data: bytes, first: int = 0) -> bytes:
    at = chance.randrange(first, len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
