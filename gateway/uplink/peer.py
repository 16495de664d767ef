"""What a session is given and what it gives: peer, incoming message, error, and the limits."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from msgspec import Struct

from gateway.domain.errors import AnsimError

WINDOW = 16
"""Journalled messages handed to the broker and not yet acknowledged by it. More would only move
the outbox from the disk into RAM."""

OWN = 4
"""State, birth, snapshot and heartbeat may go beyond that; together they are mosquitto's 20."""

LARGEST = 65536
"""Bytes of the largest packet we let an MQTT 5 broker send: eight times what a centre may send,
so that a centre's mistake is still seen and counted, but megabytes never cross the line (R11)."""

SESSION_KEPT = 7 * 86400
"""Seconds for which the broker keeps our subscriptions and unacknowledged answers. A person's
`accepted` or `closed` must reach a hub that was away for a long weekend."""


class SessionError(AnsimError):
    """Raised when no session came about: reason is "unreachable", "tls", "certificate", "timeout",
    "version", "hung-up" or "refused"; "expired", "not-yet-valid" or "no-chain" for the dates of the
    broker's certificates."""

    reason = "unreachable"


class Incoming(Struct, frozen=True):
    """A message of the broker. ``topic`` is empty if it was no text."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int


class Peer(Struct, frozen=True):
    """Where a session goes and as whom. ``context`` is called in the worker thread at each
    attempt, so that renewed certificates are used without a restart. ``check`` is called there after
    the handshake, before anything is said: CertificateError if the dates of the chain do not hold.
    A centre, which has a clock, lets OpenSSL judge them and needs none.
    ``will`` is None where none may be left (the second path)."""

    host: str
    port: int
    client_id: str
    context: Callable[[], ssl.SSLContext]
    will: tuple[str, bytes] | None
    keep_alive: int
    will_delay: int
    answer_timeout: float
    check: Callable[[ssl.SSLSocket], None] = lambda _connection: None
