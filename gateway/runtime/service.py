"""What systemd wants to hear: ready, alive, stopping. Without systemd all of it is silent."""

from __future__ import annotations

import os
from collections.abc import Callable


def notifier() -> Callable[[str], None]:
    """Sends a state to the service manager; does nothing where there is none to hear it."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return _unheard
    try:
        from systemd.daemon import notify
    except ImportError:
        return _unheard

    def send(state: str) -> None:
        notify(state)

    return send


def watchdog_seconds() -> float | None:
    """How often the service manager wants to hear that we live; None if it does not ask."""
    if os.environ.get("WATCHDOG_PID") not in (None, str(os.getpid())):
        return None
    try:
        seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def started_by_service() -> bool:
    """Whether systemd started the program, so that nobody waits for its error message."""
    return "INVOCATION_ID" in os.environ


def _unheard(state: str) -> None:
    pass
