"""All enrolled BTHome sensors: bytes in, observations out, each frame judged on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from gateway.domain.enrolment import Radio
from gateway.domain.observation import Pressed, SensorFault, Switched, What
from gateway.domain.sensor import HAZARD_KINDS, Kind
from gateway.security.frame_store import FrameGuards
from gateway.security.frames import Accepted, FrameGuard, Reason, Refused
from gateway.sensing.bthome import Decoder, Ending, Flaw, Frame, Unreadable
from gateway.sensing.bthome_meaning import Meaning

Told = tuple[What, int | None]
"""An observation and the counter that is stored with it in one commit."""

HELD_MOST: Final = 16
"""Frames of a sensor that wait for a commit. One is usual; more is a disk that refuses, and then
the newest matter."""

HELD_LONGEST: Final = 120.0
"""Seconds after which a frame that waited is told as a state that was read, not as an event: twice
the longest time between two commits. A disk that refused for hours must not make this morning's
movement one of now."""


class _Ear:
    """One sensor: how its frames are read, judged and understood."""

    def __init__(self, radio: Radio, guard: FrameGuard) -> None:
        self.id = radio.sensor.id
        self.keyed = radio.key is not None
        self.danger = radio.sensor.kind in HAZARD_KINDS or radio.sensor.kind is Kind.HELP
        self.decoder = Decoder(radio.address, radio.key)
        self.guard = guard
        self.meaning = Meaning(radio.sensor)
        self.held: deque[tuple[int, float, list[Told]]] = deque(maxlen=HELD_MOST)


class BthomeSensors:
    """Is a ``Decode`` of ``gateway.sensing.adverts``. For the event loop's thread only."""

    def __init__(
        self,
        radios: Iterable[Radio],
        guards: FrameGuards,
        now: Callable[[], float],
        offer: Callable[[What, int | None], None],
    ) -> None:
        """``now``: seconds of the clock that ``guards`` were made with. ``offer``: where goes what
        is no answer to a frame: faults, warnings in refused frames, what had to wait for a
        commit."""
        self.counters: dict[str, int] = {}
        self._guards = guards
        self._now = now
        self._offer = offer
        self._ears = {radio.address: _Ear(radio, guards[radio.sensor.id]) for radio in radios}

    def __call__(self, address: str, data: bytes) -> Sequence[Told] | None:
        """What a frame of an enrolled sensor says. Empty: believed, but no news (yet). None: not
        to be believed, so not even a sign of life."""
        ear = self._ears.get(address)
        if ear is None:
            return None
        now = self._now()
        guard = ear.guard
        if ear.keyed and guard.may_try(now) is not None:
            self._faults(ear)
            return None
        frame = ear.decoder.decode(data)
        if isinstance(frame, Unreadable):
            self._unreadable(ear, frame, now)
            return None
        if frame.ending is not Ending.COMPLETE:
            self._count(f"bthome-{frame.ending.value}")
        counter = frame.counter if ear.keyed else frame.packet_id
        verdict = guard.judge(counter, frame.payload, now)
        self._faults(ear)
        if isinstance(verdict, Refused):
            return self._refused(ear, frame, verdict, now)
        told = self._accepted(ear, frame, verdict, counter, now)
        self._guards.look(ear.id)
        return told

    def stored(self) -> None:
        """A commit with the guards' marks is on disk: tell what had to wait for it."""
        self._guards.stored()
        late = self._now() - HELD_LONGEST
        for ear in self._ears.values():
            while ear.held and ear.guard.covers(ear.held[0][0]):
                _counter, at, waited = ear.held.popleft()
                for what, counter in waited:
                    if at < late and isinstance(what, Switched):
                        what = replace(what, fresh=False)  # noqa: PLW2901 - the same, only later
                    self._offer(what, counter)
            self._guards.look(ear.id)

    def _accepted(
        self, ear: _Ear, frame: Frame, verdict: Accepted, counter: int | None, now: float
    ) -> list[Told]:
        if not verdict.sure:
            self._count("bthome-in-doubt")
            return [(w, counter) for w in ear.meaning.warnings(frame, now, presses=True)]
        told: list[Told] = [
            (what, counter) for what in ear.meaning.of(frame, now, fresh=verdict.fresh)
        ]
        if not verdict.held or counter is None:
            return told
        # A call for help and a fire wait for no disk; what counts as life does.
        waits = [t for t in told if not (ear.danger and isinstance(t[0], Pressed | Switched))]
        if waits:
            if ear.held and counter <= ear.held[-1][0]:
                ear.held.clear()  # from before a re-arming: no mark will ever cover it
            ear.held.append((counter, now, waits))
            self._count("bthome-held")
        return [t for t in told if t not in waits]

    def _refused(self, ear: _Ear, frame: Frame, verdict: Refused, now: float) -> list[Told] | None:
        if verdict.authentic:
            for what in ear.meaning.warnings(frame, now, presses=False):
                self._offer(what, None)  # without its counter: it must not become the last one
            return None
        # An unkeyed sensor that says the same again is there, as far as anybody can know.
        return None if ear.keyed or verdict.reason is not Reason.REPEATED else []

    def _unreadable(self, ear: _Ear, frame: Unreadable, now: float) -> None:
        self._count(f"bthome-{frame.flaw.value}")
        if frame.flaw is Flaw.PLAIN:
            ear.guard.plain(now)
        elif frame.flaw in (Flaw.BAD_MIC, Flaw.NO_KEY):
            ear.guard.bad_mic(now)
        self._faults(ear)

    def _faults(self, ear: _Ear) -> None:
        for fault, present in ear.guard.faults():
            self._offer(SensorFault(ear.id, fault, present), None)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1
