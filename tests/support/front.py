"""Something between hub and broker that cannot bear certain bytes: a broker with a bug, a middlebox.

It ends TLS with the broker's certificate and hands everything on as the hub, in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from gateway.security.tls import client_context, server_context
from tests.support.broker import Town

CHUNK = 65536


class Front:
    """Listens on ``port``. ``spoilt(data)`` of what the hub sends ends the connection, unsent."""

    def __init__(self, town: Town, target: int) -> None:
        hub, broker = town.hub, town.broker
        self.spoilt: Callable[[bytes], bool] = lambda _data: False
        self.ended = 0
        self.accepted = 0
        self.port = 0
        self._target = target
        self._client = client_context(hub / "ca.crt", hub / "hub.crt", hub / "hub.key")
        self._server_context = server_context(
            broker / "ca.crt", broker / "broker.crt", broker / "broker.key"
        )
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._server_context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("localhost", self._target, ssl=self._client)
        pumps = [
            asyncio.ensure_future(self._up(reader, far)),
            asyncio.ensure_future(self._down(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, far):
                end.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self.spoilt(data):
                self.ended += 1
                return
            far.write(data)
            await far.drain()

    async def _down(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            near.write(data)
            await near.drain()
