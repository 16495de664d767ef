"""Asking a hub through its control socket: without an event loop, so that ``ansim status`` starts
fast. The listening side is ``gateway.runtime.control``."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import msgspec

from gateway.domain.errors import AnsimError

NAME = "control.sock"

LONGEST_LINE = 65536
"""Bytes of a request. An answer may be longer: a home has a hundred sensors at most."""

LONGEST_PATH = 100
"""Bytes of a socket's path that Linux surely takes (it has room for 108)."""

Request = dict[str, Any]


class ControlError(AnsimError):
    """Raised when a hub does not answer on its control socket. Reasons: ``absent`` (nobody
    listens), ``denied``, ``silent`` (it listens and does not answer in time), ``refused``."""

    reason = "absent"


def ask(folder: Path, request: Request, seconds: float = 2.0) -> dict[str, Any]:
    """The answer of the hub that keeps its data in ``folder``. Raises ControlError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(seconds)
            with short_path(folder) as short:
                line.connect(short)
            line.sendall(msgspec.json.encode(request) + b"\n")
            parts: list[bytes] = []
            while not (parts and parts[-1].endswith(b"\n")):
                part = line.recv(LONGEST_LINE)
                if not part:
                    raise ControlError("The hub ended before it answered; ask again.")
                parts.append(part)
    except TimeoutError as error:
        raise ControlError(
            f"The hub did not answer within {seconds:g} s; look at its log or restart it.",
            reason="silent",
        ) from error
    except PermissionError as error:
        raise ControlError(
            "The hub's control socket belongs to another user; ask as that user or with sudo.",
            reason="denied",
        ) from error
    except OSError as error:
        raise ControlError("No hub is running here; start it (ansim run).") from error
    return msgspec.json.decode(b"".join(parts), type=dict[str, Any])


class short_path:  # noqa: N801 - reads as a word: with short_path(folder) as path
    """The socket's path, by way of the open folder where it is too long for the kernel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def __enter__(self) -> str:
        path = str(self._folder / NAME)
        if len(os.fsencode(path)) <= LONGEST_PATH:
            return path
        self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._handle}/{NAME}"

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
