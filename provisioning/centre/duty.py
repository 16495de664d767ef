"""Which of several centres on one store sends people's answers, watches the hubs and tells towns.

All of them receive and answer ``received``; these three would otherwise be done twice.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from provisioning.centre.store import Store, StoreError

LEASE = 20.0
"""Seconds until another centre takes over from one that was killed; it is renewed each second."""


def take(store: Store, centre: str, now: float) -> bool:
    """Take or keep the duty; False if another centre has it."""
    with store.transaction():
        holder = store.meta("duty")
        until = store.meta("duty until")
        mine = holder == centre
        if (
            not mine
            and holder is not None
            and isinstance(until, float)
            and now < until <= now + LEASE
        ):
            return False
        store.set_meta("duty", centre)
        store.set_meta("duty until", now + LEASE)
    return True


def give_up(store: Store, centre: str) -> None:
    """Leave the duty to whoever is there."""
    with store.transaction():
        if store.meta("duty") == centre:
            store.set_meta("duty until", 0.0)


class OnlyOne:
    """Holds a lock so that no two processes run under one id: their counters would not rise."""

    def __init__(self, folder: Path, centre: str) -> None:
        self._file = os.open(folder / f"{centre}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StoreError(
                f"{folder}: a centre with the id {centre} runs already; give this one another id."
            ) from None

    def release(self) -> None:
        """Let another process have the id."""
        os.close(self._file)
