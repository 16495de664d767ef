"""A centre that does what a test tells it: answers, stays silent, lies. Independent of the hub's
uplink and of the reference centre: plain paho with its own thread."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.contract import topics
from gateway.contract.decode import decode, hub_of
from gateway.contract.messages import (
    AlertData,
    AlertEvent,
    AlertReceipt,
    Answer,
    CentreStateData,
    Envelope,
    NoteEvent,
    RecordsReceipt,
    TelemetryEvent,
)
from gateway.security.keys import load_signing_key
from gateway.security.signing import ANSWER, CENTRE_STATE, Signer
from gateway.security.tls import client_context
from tests.support.broker import CENTRE, TENANT

AT = "2026-03-01T08:00:00.000+09:00"
CONNECT_SECONDS = 5.0

Parts = Sequence[AlertReceipt | RecordsReceipt]
Script = Callable[["ScriptedCentre", Any], None]


def silent(_centre: ScriptedCentre, _event: Any) -> None:
    """Listens and says nothing."""


def receiving(centre: ScriptedCentre, event: Any) -> None:
    """Answers `received` to each alert, and the last number to records."""
    if isinstance(event, AlertEvent):
        centre.receive(event)
    elif isinstance(event, NoteEvent | TelemetryEvent):
        up_to = int(event.sequence)
        centre.answer(event, [RecordsReceipt(journalid=event.journalid, up_to=up_to)])


class _Client(Client):
    """paho leaves the socket of a failed handshake open; with a broker that restarts those are many."""

    def _create_socket(self) -> ssl.SSLSocket:
        assert self._ssl_context is not None
        raw = socket.create_connection((self._host, self._port), CONNECT_SECONDS)
        try:
            secure = self._ssl_context.wrap_socket(raw, server_hostname=self._host)
        except BaseException:
            raw.close()
            raise
        if secure.version() is None:  # hung up before the handshake
            secure.close()
            raise ConnectionError("closed while connecting")
        return secure


class ScriptedCentre:
    """``heard`` holds every message as (leaf, event), in order."""

    def __init__(
        self, port: int, folder: Path, script: Script = receiving, *, persistent: bool = False
    ) -> None:
        """``persistent``: the broker keeps its subscription and what comes while it is away."""
        self.heard: list[tuple[str, Any]] = []
        self.script = script
        self.signer = Signer(load_signing_key(folder / "signing.key"), CENTRE)
        self.counter = 0
        self.at = AT
        self._port = port
        self._persistent = persistent
        self._ready = threading.Event()
        self._client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"centre-{CENTRE}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        self._client.tls_set_context(
            client_context(folder / "ca.crt", folder / "centre.crt", folder / "centre.key")
        )
        self._client.reconnect_delay_set(0.02, 0.1)  # type: ignore[arg-type]
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        properties = None
        if self._persistent:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 86400
        self._client.connect(
            "localhost", self._port, clean_start=not self._persistent, properties=properties
        )
        self._client.loop_start()
        assert self._ready.wait(CONNECT_SECONDS), "the scripted centre did not connect"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    # -- what it heard -------------------------------------------------------------------------

    def events(self, leaf: str) -> list[Any]:
        return [event for heard, event in list(self.heard) if heard == leaf]

    def alerts(self) -> list[AlertData]:
        return [event.data for event in self.events("alert")]

    # -- what it says --------------------------------------------------------------------------

    def receive(self, event: AlertEvent) -> None:
        receipt = AlertReceipt(event.data.alert_id, event.data.version, "received")
        self.answer(event, [receipt])

    def answer(self, event: Envelope, parts: Parts) -> bytes:
        """Answer to the hub and the run of its program that sent ``event``."""
        return self.say(parts, hub=hub_of(event), boot=event.bootid)

    def say(
        self,
        parts: Parts,
        *,
        hub: str,
        boot: str,
        to: str | None = None,
        counter: int | None = None,
        signer: Signer | None = None,
    ) -> bytes:
        """Send a signed answer; returns its bytes. ``to``: the topic's hub, if another."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        answer = Answer(
            hub=hub, bootid=boot, centre=CENTRE, counter=counter, at=self.at, answers=list(parts)
        )
        token = (signer or self.signer).sign(msgspec.json.encode(answer), ANSWER).encode()
        self.raw(to or hub, token)
        return token

    def raw(self, hub: str, payload: bytes, *, leaf: str = "ack", qos: int = 1) -> None:
        """Send any bytes to ``dn/``."""
        topic = f"{topics.PREFIX}/{TENANT}/{hub}/dn/{leaf}"
        self._client.publish(topic, payload, qos=qos)

    def announce(self, state: str) -> None:
        """Publish the centre's retained state."""
        data = CentreStateData(centre=CENTRE, state=state, at=AT)  # type: ignore[arg-type]
        token = self.signer.sign(msgspec.json.encode(data), CENTRE_STATE)
        topic = topics.centre_state(TENANT, CENTRE)
        self._client.publish(topic, token, qos=1, retain=True).wait_for_publish(CONNECT_SECONDS)

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe(topics.centre_subscription(TENANT), qos=1)

    def _on_subscribe(self, *_: Any) -> None:
        self._ready.set()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        leaf = message.topic.rsplit("/", 1)[1]
        event = decode(leaf, bytes(message.payload))
        self.heard.append((leaf, event))
        if not message.retain:
            self.script(self, event)


def forger() -> Signer:
    """Signs under the centre's name with a key of its own."""
    return Signer(Ed25519PrivateKey.generate(), CENTRE)
