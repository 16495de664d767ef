"""What comes in, what is owed for it, and the counters beside it: the words that the receiving
parts share."""

from __future__ import annotations

import sqlite3
from typing import Literal

from msgspec import Struct

from gateway.contract import messages as wire

Refusal = Literal["too-long", "bad-format", "bad-content", "missing-field"]
REFUSALS: dict[str, Refusal] = {
    "too-long": "too-long",
    "bad-format": "bad-format",
    "bad-content": "bad-content",
    "missing-field": "missing-field",
}
"""The words of the contract for what is wrong with a message."""


class Message(Struct, frozen=True):
    """A message that follows the contract. ``body`` is its data as it came, without the envelope;
    ``alert`` the (id, version) that a receipt names, also of a type that is not known here."""

    hub: str
    leaf: str
    envelope: wire.Envelope
    data: object
    body: str
    alert: tuple[str, int] | None = None


class Refused(Struct, frozen=True):
    """A message that does not follow the contract. ``hub`` and ``alert`` (id, version) only if
    they can be told for certain: then it is answered with ``rejected``."""

    topic: str
    reason: str
    detail: str
    size: int
    digest: str
    head: str
    hub: str | None = None
    alert: tuple[str, int] | None = None


class Due(Struct, frozen=True):
    """Receipts that one hub is owed, to be signed and sent now that the commit is done."""

    hub: str
    bootid: str
    receipts: list[wire.AlertReceipt | wire.RecordsReceipt]


class Fresh(Struct, frozen=True):
    """An alert version that is now shown: the highest of its alert, or one ``remade`` with
    another content by a hub that was set back."""

    hub: str
    data: wire.AlertData
    remade: bool = False


class Taken(Struct, frozen=True):
    """What one commit did."""

    new: int
    duplicates: int
    refused: int
    due: list[Due]
    fresh: list[Fresh]
    hubs: frozenset[str]


def count(db: sqlite3.Connection, name: str, by: int = 1) -> None:
    """Add to a named counter of the store."""
    if by:
        db.execute(
            "INSERT INTO counters VALUES (?,?) ON CONFLICT DO UPDATE SET value=value+?",
            (name, by, by),
        )
