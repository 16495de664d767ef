"""Ids made from hub, boot and sequence: the same facts always make the same id, so that work done
twice after a kill is seen as a repetition and not as something new."""

from __future__ import annotations

import hashlib
import re

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(wall: float, *facts: object) -> str:
    """A ULID (26 characters) whose 48 time bits are ``wall`` (seconds) and whose 80 other bits are
    a hash of ``facts`` instead of chance."""
    milliseconds = max(0, min(int(wall * 1000), (1 << 48) - 1))
    text = "\x1f".join(str(fact) for fact in facts)
    tail = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest(), "big")
    number = milliseconds << 80 | tail
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


_ULID = re.compile(f"[0-7][{_CROCKFORD}]{{25}}", re.ASCII)


def is_ulid(text: str) -> bool:
    """Whether a centre takes this for an id."""
    return _ULID.fullmatch(text) is not None
