"""Makes names and lists fit their place in a message, whatever they were made of."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.contract import fields

NAMES_BYTES = 1000
"""Bytes of JSON for one list of names; the longest names then still fit 8 KiB together."""


def tenths(seconds: float | None) -> float | None:
    """Seconds as the wire says them."""
    return None if seconds is None else round(seconds, 1)


def cut(name: str) -> str:
    """A name that fits its schema and is UTF-8 whatever it was made of."""
    short = name[: fields.MAX_NAME]
    return short if short.isascii() else short.encode("utf-8", "replace").decode("utf-8")


def cuts(names: Iterable[str], most: int, budget: int = NAMES_BYTES) -> list[str]:
    """As many names as may stand in one list: ``most`` of them and ``budget`` bytes of JSON."""
    kept: list[str] = []
    for name in names:
        short = cut(name)
        budget -= len(msgspec.json.encode(short)) + 1
        if len(kept) == most or budget < 0:
            break
        kept.append(short)
    return kept
