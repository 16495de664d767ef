"""The control socket: one JSON object a line in, one a line out. Only for the hub's own user.

It tells how the hub is. Under ``--lockstep`` it also moves the virtual clock; nothing that comes in
here can change what a hub in service decides or whom it tells.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from gateway.domain.errors import AnsimError
from gateway.runtime.asking import LONGEST_LINE, NAME, Request, short_path

log = logging.getLogger("ansim")

Handler = Callable[[Request], Awaitable[Mapping[str, Any]]]


class Control:
    """Listens in the data folder and hands each request to the handler of its ``do``."""

    def __init__(self, folder: Path, handlers: Mapping[str, Handler]) -> None:
        self._folder = folder
        self._handlers = dict(handlers)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen. A socket that a killed run left behind is replaced."""
        path = self._folder / NAME
        with suppress(FileNotFoundError):
            path.unlink()
        before = os.umask(0o177)  # 0600 from the first moment on
        try:
            with short_path(self._folder) as short:
                self._server = await asyncio.start_unix_server(
                    self._serve, path=short, limit=LONGEST_LINE
                )
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server is not None:
            self._server.close()
            self._server = None
        with suppress(FileNotFoundError):
            (self._folder / NAME).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.IncompleteReadError):
            pass  # gone, or a line without end: nothing to say to it
        finally:
            with suppress(ConnectionError):
                writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = msgspec.json.decode(line, type=dict[str, Any])
            handler = self._handlers[str(request.get("do"))]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {"ok": False, "error": "not a JSON object"}
        except KeyError:
            known = ", ".join(sorted(self._handlers))
            return {"ok": False, "error": f"unknown request; use do: {known}"}
        try:
            return {"ok": True, **await handler(request)}
        except AnsimError as error:
            return {"ok": False, "error": str(error), "reason": error.reason}
        except Exception as error:  # a request must not end the hub (invariant 8)
            log.exception("control request failed")
            return {"ok": False, "error": type(error).__name__}
