"""The guards of all sensors, and what of them goes to disk with each commit.

The journal keeps named counters beside the observations and stores both in one commit; this is the
hand-over. Before a commit ``marks`` says what has to go along, after it ``stored`` says that it is
on disk, and ``hurry`` asks for a commit when a sensor's reservation runs out (``frames``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.security.frames import NOTHING, FrameGuard, Kept

_PREFIX: Final = "frame"


class FrameGuards:
    """``guards`` by sensor id."""

    def __init__(
        self,
        sensors: Iterable[tuple[str, bool]],
        counter: Callable[[str], int | None],
        *,
        now: float = 0.0,
        away: float = 0.0,
        hurry: Callable[[], None] = lambda: None,
        keys: Mapping[str, bytes] = {},
    ) -> None:
        """``sensors``: id and whether it is keyed. ``counter``: the journal's named counters.
        ``away``: seconds that nobody listened before ``now``, as far as known. ``hurry``: asks for
        a commit soon; it must not wait. ``keys``: of each keyed sensor, to notice a new one: no old
        frame can carry it, so the sensor begins anew."""
        self.hurry = hurry
        self._stored: dict[str, Kept] = {}
        self._pending: dict[str, Kept] = {}
        self._new_keys: dict[str, int] = {}
        self._asked = False
        self.guards: dict[str, FrameGuard] = {}
        for sensor, keyed in sensors:
            kept = _read(sensor, counter)
            self._stored[sensor] = kept
            key = _print(keys[sensor]) if sensor in keys else None
            before = counter(f"{_PREFIX}:key:{sensor}")
            if key is not None and before != key:
                self._new_keys[sensor] = key
                if before is not None:
                    kept = NOTHING
            self.guards[sensor] = FrameGuard(keyed=keyed, kept=kept, now=now, away=away)

    def __getitem__(self, sensor: str) -> FrameGuard:
        return self.guards[sensor]

    def marks(self, now: float) -> dict[str, int]:
        """Named counters for the commit that is being put together: those that changed."""
        return self._changed({sensor: guard.keep(now) for sensor, guard in self.guards.items()})

    def release(self) -> dict[str, int]:
        """The same for the last commit before a clean stop. The one before it should be an ordinary
        one (``marks``, ``stored``) after the last frame: what is still held is not told any more."""
        return self._changed({sensor: guard.release() for sensor, guard in self.guards.items()})

    def stored(self) -> None:
        """What ``marks`` said last is on disk; so there is never more than one commit under way.
        A commit that failed is not told here; the next ``marks`` says it again."""
        self._asked = False
        for sensor, kept in self._pending.items():
            self._stored[sensor] = kept
            if kept.last is not None:
                self._new_keys.pop(sensor, None)
            self.guards[sensor].stored(kept)
        self._pending = {}

    def look(self, sensor: str) -> None:
        """After each frame: ask for a commit if this sensor needs one, once."""
        if not self._asked and self.guards[sensor].short:
            self._asked = True
            self.hurry()

    @property
    def refused(self) -> dict[str, int]:
        """Frames refused since the start, by reason."""
        total: dict[str, int] = {}
        for guard in self.guards.values():
            for reason, count in guard.refused.items():
                total[reason.value] = total.get(reason.value, 0) + count
        return total

    def _changed(self, kept: Mapping[str, Kept]) -> dict[str, int]:
        changed: dict[str, int] = {}
        self._pending = {}
        for sensor, new in kept.items():
            if new != self._stored[sensor]:
                changed.update(_write(sensor, new, self._stored[sensor]))
                if sensor in self._new_keys and new.last is not None:
                    changed[f"{_PREFIX}:key:{sensor}"] = self._new_keys[sensor]
                self._pending[sensor] = new
        return changed


def _print(key: bytes) -> int:
    """32 bits that another key has not, and of which nobody makes a key."""
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big")


def _read(sensor: str, counter: Callable[[str], int | None]) -> Kept:
    """From the journal; before anything was kept, the counter of the last observation is."""
    last = counter(f"{_PREFIX}:last:{sensor}")
    if last is None:
        last = counter(f"sensor:{sensor}")
    used = counter(f"{_PREFIX}:used:{sensor}")
    return Kept(
        last,
        counter(f"{_PREFIX}:reserve:{sensor}"),
        NOTHING.used if used is None else used,
        bool(counter(f"{_PREFIX}:aside:{sensor}")),
    )


def _write(sensor: str, new: Kept, old: Kept) -> dict[str, int]:
    values: dict[str, tuple[int | None, int | None]] = {
        "last": (new.last, old.last),
        "reserve": (new.reserve, old.reserve),
        "used": (new.used, old.used),
        "aside": (int(new.aside), int(old.aside)),
    }
    return {
        f"{_PREFIX}:{name}:{sensor}": value
        for name, (value, before) in values.items()
        if value is not None and value != before
    }
