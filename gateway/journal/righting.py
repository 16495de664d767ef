"""An alert stands in two rows, and a flipped bit may have made them say different things. The chain
tells which of them is as it was written: its links hold a digest of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert, Level
from gateway.domain.ids import is_ulid, ulid
from gateway.journal import chain
from gateway.journal.chain import Head


class Seat(Struct, frozen=True):
    """Where a message stood in the old file: its lane and number, its place in the chain, and when
    it was stored (wall seconds)."""

    lane: str
    sequence: int
    place: int | None
    created: float


class Small(Struct, frozen=True):
    """What the small row of the same lane and number says: id, version and level, and the receipt
    (wall seconds, who gave it, the number of the answer, its place in the chain) if it has one."""

    alert_id: str
    version: int
    level: int
    received: float | None = None
    receiver: str = ""
    answer: int | None = None
    receipt_place: int | None = None


def righted(
    alert: Alert,
    body: str,
    seat: Seat,
    small: Small | None,
    links: Mapping[int, bytes],
    ids: Mapping[str, int],
) -> Alert:
    """The version as it was written, if the chain knows; else the likelier of both, with an id that
    a centre takes: without one it would wait for ever. ``links``: place -> link, of all rows;
    ``ids``: how many rows of the file name an alert."""
    candidates = list(_candidates(alert, body, small))
    for one, text in candidates:
        if _follows(one, text, seat, links):
            return one
    for one, _ in candidates:
        if small is not None and _receipt_follows(one, small, links):
            return one
    sound = [one for one, _ in candidates if is_ulid(one.id) and one.version > 0]
    if (
        sound
    ):  # of two that stand alone the small row: a body is ten times as long, and as often hit
        return max(reversed(sound), key=lambda one: ids.get(one.id, 0))
    made = ulid(seat.created, alert.id, alert.version)
    return msgspec.structs.replace(alert, id=made, version=max(1, alert.version))


def _candidates(alert: Alert, body: str, small: Small | None) -> Iterator[tuple[Alert, str]]:
    """As the body says, then as the small row does."""
    yield alert, body
    if small is not None and small.level in set(Level):
        other = msgspec.structs.replace(
            alert, id=small.alert_id, version=small.version, level=Level(small.level)
        )
        yield other, msgspec.json.encode(other).decode()


def _follows(alert: Alert, body: str, seat: Seat, links: Mapping[int, bytes]) -> bool:
    if seat.place is None or seat.place - 1 not in links:
        return False
    version = (
        alert.id,
        alert.version,
        seat.lane,
        seat.sequence,
        int(alert.level),
        alert.open,
        float(alert.at.wall),
    )
    head = chain.next_version(Head(seat.place - 1, links[seat.place - 1]), version, body)
    return head.link == links.get(seat.place)


def _receipt_follows(alert: Alert, small: Small, links: Mapping[int, bytes]) -> bool:
    """Whether the centre's receipt in the small row was for this id and version."""
    place = small.receipt_place
    if place is None or place - 1 not in links or small.received is None:
        return False
    receipt = (alert.id, alert.version, small.received, small.receiver, small.answer)
    return chain.next_receipt(Head(place - 1, links[place - 1]), receipt).link == links.get(place)
