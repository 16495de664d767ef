"""A plain MQTT client for tests: says, hears, and waits for what happens without sleeping."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any, NamedTuple, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.security.tls import client_context

PATIENCE = 10.0
"""Seconds after which something that should have happened has not."""


class Happened(NamedTuple):
    """``what`` is connected, subscribed, published or disconnected."""

    what: str
    detail: str


class Talker:
    """Connected when it is made. ``role`` is hub or centre: the name of its files in ``folder``."""

    def __init__(
        self,
        port: int,
        folder: Path,
        role: str,
        *,
        client_id: str = "",
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> None:
        self._happened: queue.Queue[Happened] = queue.Queue()
        self._messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or role,
            protocol=protocol,
            reconnect_on_failure=False,
        )
        client.tls_set_context(
            client_context(folder / "ca.crt", folder / f"{role}.crt", folder / f"{role}.key")
        )
        client.on_connect = lambda *a: self._tell("connected", a[3])
        client.on_disconnect = lambda *a: self._tell("disconnected", a[3])
        client.on_subscribe = lambda *a: self._tell("subscribed", a[3][0])
        client.on_publish = lambda *a: self._tell("published", a[3])
        client.on_message = self._heard
        client.connect("localhost", port, keepalive=50)
        client.loop_start()
        self.expect("connected")

    def subscribe(self, topic: str) -> str:
        """What the broker answered."""
        self.client.subscribe(topic, 1)
        return self.expect("subscribed").detail

    def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> str:
        """What the broker answered."""
        self.client.publish(topic, payload, 1, retain)
        return self.expect("published").detail

    def expect(self, what: str) -> Happened:
        """The next thing that happens beside messages, which must be this."""
        happened = self._happened.get(timeout=PATIENCE)
        assert happened.what == what, happened
        return happened

    def heard(self) -> tuple[str, bytes]:
        """The next message: topic and payload."""
        return self._messages.get(timeout=PATIENCE)

    def nothing_more(self) -> bool:
        """Whether nothing is waiting to be looked at."""
        return self._happened.empty() and self._messages.empty()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()  # waits for the thread, which ends with the connection
        connection = self.client.socket()
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, what: str, reason: Any) -> None:
        self._happened.put(Happened(what, str(reason)))

    def _heard(self, _client: object, _data: object, message: MQTTMessage) -> None:
        self._messages.put((message.topic, bytes(message.payload)))
