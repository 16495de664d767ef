"""What goes up, as parcels: topic, bytes, and how the broker shall treat them (section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.contract import topics
from gateway.contract.encode import Encoder, leaf_of
from gateway.contract.messages import BirthData, HeartbeatData
from gateway.domain.alert import Alert, Level, Quiet
from gateway.domain.decisions import Summary
from gateway.domain.instant import Clock
from gateway.journal import OutboxRow

STAND_IN = 1.0
"""Seconds of the empty summary that stands in for a note which cannot be sent."""


class Parcel(Struct, frozen=True):
    """One message for the broker. ``expiry`` in seconds, None for never."""

    topic: str
    payload: bytes
    retain: bool
    expiry: int | None


class Outgoing:
    """Encodes at the moment of sending and counts the lanes that are not journalled.

    ContractError where something cannot be encoded.
    """

    def __init__(self, encoder: Encoder, *, tenant: str, hub: str, clock: Clock) -> None:
        self._encoder = encoder
        self._tenant = tenant
        self._hub = hub
        self._clock = clock
        self._session = 0
        self._heartbeats = 0

    def will(self) -> Parcel:
        """What the broker says when it loses the hub."""
        return self._parcel("state", self._encoder.state("lost", 0, self._clock.now()))

    def state(self, state: Literal["online", "offline"]) -> Parcel:
        """Whether the hub is connected."""
        self._session += 1
        return self._parcel("state", self._encoder.state(state, self._session, self._clock.now()))

    def birth(self, data: BirthData) -> Parcel:
        """What this hub is."""
        self._session += 1
        return self._parcel("birth", self._encoder.birth(data, self._session, self._clock.now()))

    def alarms(self, alerts: Sequence[Alert]) -> Parcel:
        """The snapshot of all alarms."""
        self._session += 1
        return self._parcel(
            "alarms", self._encoder.alarms(alerts, self._session, self._clock.now())
        )

    def heartbeat(self, data: HeartbeatData) -> Parcel:
        """A heartbeat."""
        self._heartbeats += 1
        payload = self._encoder.heartbeat(data, self._heartbeats, self._clock.now())
        return self._parcel("hb", payload, topics.HEARTBEAT_EXPIRY)

    def row(self, row: OutboxRow, *, bare: bool = False) -> Parcel:
        """A journalled message. ``bare``: only what nobody can do without, for a message that
        could not be sent whole. Of an alert that is its facts without explanation and circumstance;
        of a record its number alone, because the receipts of all behind it wait for that."""
        message = _bare(row.message) if bare else row.message
        payload = self._encoder.journalled(
            message, row.sequence, created=row.created, now=self._clock.now().wall
        )
        return self._parcel(leaf_of(message), payload)

    def _parcel(self, leaf: str, payload: bytes, expiry: int | None = None) -> Parcel:
        topic = topics.up(self._tenant, self._hub, leaf)
        return Parcel(topic, payload, leaf in topics.RETAINED, expiry)


def _bare(message: Alert | Summary) -> Alert | Summary:
    if isinstance(message, Summary):
        return replace(message, events={}, blind=True)
    if message.level is Level.NOTE:
        return Summary(message.at.wall, STAND_IN, {}, away=False, blind=True)
    return replace(message, by="", service=None, suspect=(), quiet=Quiet(), explanation=None)
