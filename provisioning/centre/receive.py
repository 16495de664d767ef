"""From the broker's bytes into the store, and what each hub is then owed. No network in here.

The order is the promise: judged, committed, and only then answered and acknowledged to the broker.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from gateway.contract import fields, topics
from gateway.contract.decode import decode
from gateway.domain.errors import ContractError
from provisioning.centre import schemas
from provisioning.centre.intake import Fresh, Message, Refused, Taken
from provisioning.centre.store import Store

HEAD = 64
"""Bytes of a refused message that are kept, as hexadecimal: enough to see what it was meant to be,
not enough to hold a life."""

UNKNOWN_TOPIC = "unknown-topic"


class _Data(Struct):
    data: msgspec.Raw


class _Named(Struct):
    alert_id: str
    version: int


class _NamedAlert(Struct):
    data: _Named


_DATA = msgspec.json.Decoder(_Data)
_NAMED = msgspec.json.Decoder(_NamedAlert)


def judge(tenant: str, topic: str, payload: bytes) -> Message | Refused:
    """What a message is: checked against topic, schema and types. Never raises."""
    hub: str | None = None
    try:
        where = topics.parse(topic)
        if (
            not isinstance(where, topics.HubTopic)
            or where.tenant != tenant
            or where.direction != "up"
        ):
            return _refused(topic, payload, UNKNOWN_TOPIC, "not one of our hubs' topics")
        hub = where.hub
        event = decode(where.leaf, payload, hub=hub)
        schemas.check(where.leaf, event, payload)
        # as it came: what a newer hub added is kept
        body = bytes(_DATA.decode(payload).data).decode()
        alert = _alert_of(payload) if event.lane == "alert" else None
        if event.lane == "alert" and alert is None:
            return _refused(topic, payload, "missing-field", "lane alert without an alert", hub)
        return Message(hub, where.leaf, event, event.data, body, alert)
    except ContractError as error:
        return _refused(topic, payload, error.reason, str(error), hub)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _refused(topic, payload, "bad-format", type(error).__name__, hub)


def _alert_of(payload: bytes) -> tuple[str, int] | None:
    """The alert that a message is about, if only that much of it can be read."""
    if len(payload) > 16 * fields.MAX_BYTES:
        return None  # nobody's message; not worth the parsing
    try:
        named = _NAMED.decode(payload).data
        msgspec.convert(named.alert_id, fields.Ulid)
        msgspec.convert(named.version, fields.Version)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return (named.alert_id, named.version) if named.version <= fields.MAX_COUNTER else None


def _refused(
    topic: str, payload: bytes, reason: str, detail: str, hub: str | None = None
) -> Refused:
    alert = None if hub is None else _alert_of(payload)
    return Refused(
        topic=topic.encode("utf-8", "replace").decode()[:200],
        reason=reason,
        detail=detail[:300],
        size=len(payload),
        digest=hashlib.sha256(payload).hexdigest(),
        head=payload[:HEAD].hex(),
        hub=hub,
        alert=alert,
    )


class Receiver:
    """Takes batches of raw messages into the store."""

    def __init__(
        self,
        store: Store,
        tenant: str,
        *,
        wall: Callable[[], float],
        also: Callable[[list[Fresh]], None] | None = None,
    ) -> None:
        """``also`` stores what follows from new alert versions, in their commit."""
        self._also = also
        self._store = store
        self._tenant = tenant
        self._wall = wall

    def take(self, batch: Sequence[tuple[str, bytes]]) -> list[Taken]:
        """Store a batch of (topic, payload) and say what is owed for it.

        One commit for all of it. If one message cannot be stored as it is, each gets its own
        commit and only that one is quarantined. Raises sqlite3.OperationalError if nothing can be
        stored now (full disk, locked file): then nothing is answered, and it must be tried again.
        """
        judged = [judge(self._tenant, topic, payload) for topic, payload in batch]
        try:
            return [self._commit(judged)]
        except sqlite3.OperationalError:
            raise
        except (sqlite3.Error, OverflowError, ValueError):
            return [self._alone(one, *raw) for one, raw in zip(judged, batch, strict=True)]

    def _commit(self, judged: Sequence[Message | Refused]) -> Taken:
        return self._store.commit(
            [one for one in judged if isinstance(one, Message)],
            [one for one in judged if isinstance(one, Refused)],
            now=self._wall(),
            also=self._also,
        )

    def _alone(self, one: Message | Refused, topic: str, payload: bytes) -> Taken:
        try:
            return self._commit([one])
        except sqlite3.OperationalError:
            raise
        except (sqlite3.Error, OverflowError, ValueError) as error:
            hub = one.hub
            reason = f"cannot be stored: {type(error).__name__}"
            return self._commit([_refused(topic, payload, "bad-content", reason, hub)])
