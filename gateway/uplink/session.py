"""One MQTT session over mutual TLS, driven by our event loop through paho's external-loop hooks.

There are no threads but one: paho's ``reconnect`` blocks on name lookup, TCP and TLS handshake,
so it runs in a worker thread and the connected socket is then handed over to the loop; until then
nothing else touches the client. A session object is used for one connection only: what was not
received is the outbox's to know, so nothing that paho keeps may outlive the connection.

Waiting for the network is real time (`asyncio`), also where the rest runs on a virtual clock:
a broker does not answer faster because a simulated night is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.domain.errors import CertificateError
from gateway.uplink.client import TlsClient, connect, extras, new_client
from gateway.uplink.dialect import Dialect
from gateway.uplink.peer import OWN, WINDOW, Incoming, Peer, SessionError

log = logging.getLogger(__name__)

INBOX = 256
"""Messages read and not yet worked off. Some brokers (mosquitto 2.0.11) do not keep to the receive
maximum when they empty a long queue. What is beyond is counted and acknowledged unread: the centre
repeats an answer that shows no effect, while messages that are never acknowledged would fill the
window and hold up the newer ones behind them."""

TICK = 5.0
"""Seconds between two looks at keep-alive and unanswered messages."""


class Session:
    """One connection from open to end. Not reusable."""

    def __init__(
        self,
        peer: Peer,
        dialect: Dialect,
        *,
        on_landed: Callable[[object, bool], None],
        on_change: Callable[[], None],
    ) -> None:
        """``on_landed(token, taken)``: the broker acknowledged (or refused) a published message.
        ``on_change()``: there is room, news, or the session ended."""
        self.dialect = dialect
        self.end_reason: str | None = None
        self.dropped = 0
        self.unacknowledged = 0
        """Messages without PUBACK at the session's end: what the broker may have ended it for."""
        self._peer = peer
        self._on_landed = on_landed
        self._on_change = on_change
        self._window = WINDOW
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[bool]] = {}
        self._pending: dict[int, tuple[object, float]] = {}
        self._inbox: asyncio.Queue[Incoming | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._adopted = False
        self._timer: asyncio.TimerHandle | None = None
        self._client = self._make_client()

    @property
    def alive(self) -> bool:
        """Whether the session is open, as far as we know."""
        return self._adopted and self.end_reason is None

    @property
    def room(self) -> int:
        """How many messages may be published now."""
        return max(0, self._window - len(self._pending)) if self.alive else 0

    @property
    def pending(self) -> int:
        """Messages that the broker did not acknowledge yet."""
        return len(self._pending)

    @property
    def unread(self) -> int:
        """Messages that came in and were not taken by ``receive`` yet."""
        return self._inbox.qsize()

    async def open(self) -> None:
        """Connect; raises SessionError."""
        connecting = asyncio.ensure_future(asyncio.to_thread(connect, self._client, self._peer))
        try:
            async with asyncio.timeout(self._peer.answer_timeout):
                await asyncio.shield(connecting)
                self._adopt()
                await self._connack
        except TimeoutError as error:
            raise SessionError(
                "The broker does not answer; check the network and the broker's address.",
                reason="timeout",
            ) from error
        except CertificateError as error:
            raise SessionError(str(error), reason=error.reason) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise SessionError(
                "The broker hung up during the handshake; check the network and the broker."
            ) from error
        except ssl.SSLError as error:
            raise SessionError(
                f"The broker's identity was not accepted ({error.reason}); check the CA file and "
                "the name in the broker's certificate.",
                reason="tls",
            ) from error
        except OSError as error:
            raise SessionError(
                f"The broker cannot be reached ({error.strerror or error}); check the network.",
            ) from error
        finally:
            # A time-out cancels the future that was awaited: asking it for its error would raise.
            if (
                not self._connack.done()
                or self._connack.cancelled()
                or self._connack.exception() is not None
            ):
                self._end("not-opened")
                connecting.add_done_callback(self._abandon)

    async def subscribe(self, topics: Sequence[str]) -> bool:
        """Subscribe with QoS 1; False if the broker refused one. Raises SessionError."""
        result, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise SessionError("The session ended; it will be opened again.")
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._subacks[mid] = answer
        try:
            async with asyncio.timeout(self._peer.answer_timeout):
                granted = await answer
        except TimeoutError as error:
            raise SessionError(
                "The broker does not answer; check the broker.", reason="timeout"
            ) from error
        else:
            return granted
        finally:
            self._subacks.pop(mid, None)

    def publish(
        self,
        topic: str,
        payload: bytes,
        token: object,
        *,
        retain: bool = False,
        expiry: int | None = None,
    ) -> bool:
        """Hand over with QoS 1; False if the session has ended. ``token`` comes back through
        ``on_landed``; ``expiry`` in seconds (MQTT 5 only)."""
        if not self.alive:
            return False
        properties = None
        if expiry is not None:
            properties = extras(self._client, PacketTypes.PUBLISH, MessageExpiryInterval=expiry)
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._end("publish-failed")
            return False
        self._pending[info.mid] = (token, self._loop.time())
        return True

    async def receive(self) -> Incoming | None:
        """The next message; None once the session has ended. The broker hears that we have it
        only through ``done``."""
        return await self._inbox.get()

    def done(self, message: Incoming) -> None:
        """What ``message`` asked for is durable: the broker may forget it."""
        if message.qos and self.alive:
            self._client.ack(message.mid, message.qos)

    async def close(self) -> None:
        """Say goodbye, so that the will is not sent, and end. Waits at most a second."""
        if self.alive:
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._ended.wait()
        self._end("closed")

    def drop(self, reason: str) -> None:
        """End without a goodbye: the path is dead, and the will shall tell so."""
        self._end(reason)

    async def ended(self) -> None:
        """Wait until the session has ended."""
        await self._ended.wait()

    # -- paho, driven by the loop ------------------------------------------------------------

    def _make_client(self) -> TlsClient:
        client = new_client(self._peer, self.dialect)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_wrote
        return client

    def _adopt(self) -> None:
        sock = self._client.socket()
        if sock is None:
            raise ConnectionError("closed while connecting")
        self._adopted = True
        self._loop.add_reader(sock, self._readable)
        if self._client.want_write():
            self._loop.add_writer(sock, self._writable)
        self._timer = self._loop.call_later(self._pace(), self._tick)

    def _abandon(self, connecting: asyncio.Future[None]) -> None:
        """The worker thread ended after we had given up: close what it opened."""
        if not connecting.cancelled():
            connecting.exception()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _readable(self) -> None:
        try:
            while self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                sock = self._client.socket()
                # TLS may hold decrypted bytes that the loop's selector cannot see.
                if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                    break
        except Exception:  # whatever paho stumbles over in a peer's bytes
            log.exception("the broker's bytes could not be read")
            self._end("protocol")

    def _writable(self) -> None:
        self._client.loop_write()

    def _tick(self) -> None:
        self._client.loop_misc()
        oldest = next(iter(self._pending.values()), None)
        if oldest is not None and self._loop.time() - oldest[1] > self._peer.answer_timeout:
            self._end("no-puback")
        if self.alive:
            self._timer = self._loop.call_later(self._pace(), self._tick)

    def _pace(self) -> float:
        return min(TICK, self._peer.answer_timeout / 4)

    def _end(self, reason: str) -> None:
        if self.end_reason is not None:
            return
        self.end_reason = reason
        if self._timer is not None:
            self._timer.cancel()
        client, sock = self._client, self._client.socket()
        client.on_socket_close = client.on_socket_register_write = None
        client.on_socket_unregister_write = client.on_disconnect = None
        if sock is not None and self._adopted:
            self._release(sock)
            sock.close()
        self.unacknowledged = len(self._pending)
        self._pending.clear()
        waiting: list[asyncio.Future[Any]] = [self._connack, *self._subacks.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(
                    SessionError("The broker ended the session; try again.", reason="hung-up")
                )
                answer.exception()  # whoever waits gets it; nobody may be waiting any more
        self._inbox.put_nowait(None)
        self._ended.set()
        self._on_change()

    def _release(self, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    # -- paho's callbacks, all in the loop's thread except while connecting --------------------

    def _on_want_write(self, _client: Client, _data: Any, sock: Any) -> None:
        if self._adopted:
            self._loop.add_writer(sock, self._writable)

    def _on_wrote(self, _client: Client, _data: Any, sock: Any) -> None:
        if self._adopted and sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _on_socket_close(self, _client: Client, _data: Any, sock: Any) -> None:
        if self._adopted:
            self._release(sock)

    def _on_connect(
        self,
        _client: Client,
        _data: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._connack.done():
            return
        if not reason.is_failure:
            if self.dialect is Dialect.V5 and properties is not None:
                allowed = getattr(properties, "ReceiveMaximum", WINDOW + OWN)
                self._window = max(1, min(WINDOW, allowed - OWN))
            self._connack.set_result(None)
            return
        named = "version" if reason.getName() == "Unsupported protocol version" else "refused"
        self._connack.set_exception(
            SessionError(
                f"The broker refused the hub ({reason.getName()}); check its certificate and "
                "the broker's access list.",
                reason=named,
            )
        )

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # Not from within paho's own frame: it still works on the socket that we would close.
        self._loop.call_soon(self._end, f"broker:{reason.getName()}")

    def _on_subscribe(
        self,
        _client: Client,
        _data: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        answer = self._subacks.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(not any(reason.is_failure for reason in reasons))

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _props: Properties | None
    ) -> None:
        token, _ = self._pending.pop(mid, (None, 0.0))
        if token is not None:
            self._on_landed(token, not reason.is_failure)
            self._on_change()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if self._inbox.qsize() >= INBOX:
            self.dropped += 1
            if message.qos:
                self._client.ack(message.mid, message.qos)
            return
        payload = bytes(message.payload)
        self._inbox.put_nowait(Incoming(topic, payload, message.retain, message.mid, message.qos))
