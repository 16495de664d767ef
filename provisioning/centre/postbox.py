"""What hubs are owed, from the commit until the broker has it. Pure: no network, no store.

A receipt that waits is merged with newer ones, so that a slow broker meets a short list.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from gateway.contract import messages as wire
from provisioning.centre.intake import Due

TOGETHER = 25
"""Receipts in one answer: with the longest role and service names a signed answer of that many
still fits into 8 KiB (measured: a plain ``received`` is 150 bytes before base64)."""


class Parcel(Struct, frozen=True):
    """Parts of one answer to one hub."""

    hub: str
    bootid: str
    parts: list[wire.AlertReceipt | wire.RecordsReceipt]


class Postbox:
    """Receipts by hub, the hub that waits longest first."""

    def __init__(self) -> None:
        self._owed: dict[
            str, dict[tuple[object, ...], wire.AlertReceipt | wire.RecordsReceipt]
        ] = {}
        self._boots: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._owed)

    def put(self, dues: Iterable[Due]) -> None:
        """Receipts that are committed."""
        for due in dues:
            self._boots[due.hub] = due.bootid
            owed = self._owed.setdefault(due.hub, {})
            for receipt in due.receipts:
                owed[_key(receipt)] = receipt

    def take(self) -> Parcel | None:
        """The next answer to sign and send; None if nothing is owed."""
        for hub, owed in self._owed.items():
            keys = list(owed)[:TOGETHER]
            parts = [owed.pop(key) for key in keys]
            if not owed:
                del self._owed[hub]
                boot = self._boots.pop(hub)
            else:
                boot = self._boots[hub]
                self._owed[hub] = self._owed.pop(hub)  # to the end: the others' turn
            return Parcel(hub, boot, parts)
        return None


def _key(receipt: wire.AlertReceipt | wire.RecordsReceipt) -> tuple[object, ...]:
    if isinstance(receipt, wire.RecordsReceipt):
        return ("records", receipt.journalid)
    return ("alert", receipt.alert_id, receipt.version, receipt.state)


def payload(parcel: Parcel, *, centre: str, counter: int, at: str) -> bytes:
    """The answer's payload, ready to be signed."""
    return msgspec.json.encode(
        wire.Answer(
            hub=parcel.hub,
            bootid=parcel.bootid,
            centre=centre,
            counter=counter,
            at=at,
            answers=parcel.parts,
        )
    )
