"""The hub's one door to the card: whatever the journal is to store goes through here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.domain.errors import JournalError

T = TypeVar("T")


class Writer:
    """Writes in a thread of its own beside the event loop, one write after the other.

    Not in the pool that asyncio shares: the broker's name is looked up there, and a few look-ups that
    hang would leave no thread for an alarm.
    """

    def __init__(self, *, beside: bool = True) -> None:
        """``beside``: whether there is a thread at all; a lock-step hub has no use for it."""
        self._thread = ThreadPoolExecutor(1, "journal") if beside else None

    async def carefully(self, write: Callable[[], T]) -> T:
        """Do ``write``. It is finished even if we are cancelled meanwhile: what is half known to the
        caller must be whole on disk. Raises what it raises; JournalError if it cannot even begin."""
        if self._thread is None:
            return write()
        try:
            writing = asyncio.get_running_loop().run_in_executor(self._thread, write)
        except RuntimeError as error:
            raise JournalError(
                f"Nothing can be written ({error}): restart the service.", reason="closed"
            ) from error
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise

    def close(self) -> None:
        """Nobody writes any more; waits for the write that is under way."""
        if self._thread is not None:
            self._thread.shutdown()
