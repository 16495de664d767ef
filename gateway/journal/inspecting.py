"""What a person may want to see of a journal: every version of every alert with its receipt, and
whether the whole of it still is what was once written. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.journal import chain, outbox, schema
from gateway.journal.chain import Head, Verified
from gateway.journal.schema import Unusable


class Line(Struct, frozen=True):
    """A version of an alert as it lies in the journal.

    ``alert``     None where what it said cannot be read
    ``lane``      "alert" or "record"; ``sequence`` its number there
    ``stored``    wall seconds of its commit
    ``received``  wall seconds of the centre's receipt, by ``receiver`` in its answer ``answer``;
                  None while it waits. Notes of level 0 are received up to a number, without a time
    ``place``     its place in the hash chain; ``receipt_place`` that of its receipt
    """

    alert_id: str
    version: int
    lane: str
    sequence: int
    alert: Alert | None
    stored: float
    waits: bool
    received: float | None
    receiver: str | None
    answer: int | None
    place: int | None
    receipt_place: int | None


class Report(Struct, frozen=True):
    """``damage`` is what is wrong with the file itself, None if nothing; ``chain`` is None where
    it could not even be followed."""

    damage: str | None
    chain: Verified | None

    @property
    def whole(self) -> bool:
        return self.damage is None and self.chain is not None and self.chain.whole


_LINES = (
    "SELECT a.id, a.version, a.lane, a.sequence, coalesce(o.body, r.body), "
    "coalesce(o.created, r.created), a.received, a.receiver, a.answer, "
    "coalesce(o.place, r.place), a.receipt_place, coalesce(c.value, 0) FROM alert a "
    "LEFT JOIN outbox_alert o ON a.lane = 'alert' AND o.sequence = a.sequence "
    "LEFT JOIN outbox_record r ON a.lane = 'record' AND r.sequence = a.sequence "
    "LEFT JOIN counter c ON c.name = 'lane:record' "
)


def lines(connection: sqlite3.Connection, alert_id: str | None = None) -> list[Line]:
    """All versions of all alerts, or of those whose id begins with ``alert_id``; in the order in
    which alerts began. Raises sqlite3.Error."""
    rows = connection.execute(
        _LINES + "WHERE substr(a.id, 1, length(?)) = ? ORDER BY a.id, a.version",
        (alert_id or "", alert_id or ""),
    )
    return [
        Line(
            alert_id=row[0],
            version=row[1],
            lane=row[2],
            sequence=row[3],
            alert=None if row[4] is None else outbox.decoded_alert(row[4]),
            stored=row[5] or 0.0,
            waits=row[6] is None if row[2] == outbox.ALERT else row[3] > row[11],
            received=row[6],
            receiver=row[7],
            answer=row[8],
            place=row[9],
            receipt_place=row[10],
        )
        for row in rows
    ]


def report(connection: sqlite3.Connection, known: Iterable[Head] = ()) -> Report:
    """Look at every page, then follow the chain. Takes seconds on a memory card."""
    damage = None
    try:
        schema.check(connection, everything=True)
    except Unusable as error:
        damage = error.reason
    except sqlite3.Error as error:
        damage = str(error)
    try:
        followed = chain.verify(connection, known)
    except (sqlite3.Error, ValueError, TypeError) as error:
        return Report(damage or str(error), None)
    return Report(damage, followed)
