"""The paho client of one session, and how it connects. Everything here blocks or is set-up."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.domain.errors import CertificateError
from gateway.uplink.dialect import Dialect
from gateway.uplink.peer import LARGEST, OWN, SESSION_KEPT, WINDOW, Peer


class TlsClient(Client):
    """paho leaves the socket of a failed handshake open, one descriptor for each attempt; this one
    closes it. It also judges the dates of the broker's certificates before a word is said: a paho
    that would no longer ask here fails all our connections and never makes an unjudged one, because
    ``connect`` looks at ``judged``."""

    judged = False
    check: Callable[[ssl.SSLSocket], None]

    def _create_socket(self) -> ssl.SSLSocket:
        if self._ssl_context is None:
            raise ConnectionError("no TLS context")
        raw = socket.create_connection((self._host, self._port), self._connect_timeout)
        # Nagle and delayed acknowledgements together cost 40 ms for each small packet that follows
        # another (a PUBACK, then an answer): 96 ms a round trip measured on one machine, 7 without.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            secure = self._ssl_context.wrap_socket(raw, server_hostname=self._host)
        except BaseException:
            raw.close()
            raise
        # Who hangs up before the handshake leaves Python with a socket that it takes for one to be
        # connected later: without any TLS, and without an error.
        if secure.version() is None:
            secure.close()
            raise ConnectionError("closed while connecting")
        try:
            self.check(secure)
        except BaseException:
            secure.close()
            raise
        self.judged = True
        return secure


def new_client(peer: Peer, dialect: Dialect) -> TlsClient:
    """A client without connection. It keeps its subscriptions at the broker (no clean start), so
    that answers given while the hub is away reach it when it is back."""
    client = TlsClient(
        CallbackAPIVersion.VERSION2,
        client_id=peer.client_id,
        clean_session=None if dialect is Dialect.V5 else False,
        protocol=MQTTProtocolVersion(int(dialect)),
        # With True, paho answers a refused version by a blocking reconnect inside the loop.
        reconnect_on_failure=False,
        # The broker shall forget a message only when its effect is on disk.
        manual_ack=True,
    )
    client.connect_timeout = peer.answer_timeout
    client.check = peer.check
    client.max_inflight_messages_set(WINDOW + OWN)
    return client


def connect(client: TlsClient, peer: Peer) -> None:
    """Look up, connect, shake hands and send CONNECT: blocks, so it runs in a worker thread.

    Raises OSError, ssl.SSLError or CertificateError.
    """
    client.tls_set_context(peer.context())
    if peer.will is not None:
        topic, payload = peer.will
        client.will_set(
            topic,
            payload,
            1,
            retain=True,
            properties=extras(client, PacketTypes.WILLMESSAGE, WillDelayInterval=peer.will_delay),
        )
    client.connect_async(
        peer.host,
        peer.port,
        peer.keep_alive,
        clean_start=False,
        properties=extras(
            client,
            PacketTypes.CONNECT,
            SessionExpiryInterval=SESSION_KEPT,
            ReceiveMaximum=WINDOW + OWN,
            MaximumPacketSize=LARGEST,
        ),
    )
    client.reconnect()
    if not client.judged:
        raise CertificateError(
            "The MQTT library connected in a way of its own; install the version of the lock file.",
            reason="no-chain",
        )


def extras(client: Client, packet: int, **values: int) -> Properties | None:
    """MQTT 5's additions to a packet; None for 3.1.1, which has none."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        return None
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
