"""A hub that is all ears: BTHome sensors, their guards, and a journal that is a dict.

The journal changes only in ``commit`` (or ``begin`` and ``finish``, to play what comes between), so
a plug can be pulled at any moment. What is told is counted as evidence of life by the engine's own
rule, for the frame that it came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.domain.enrolment import Radio
from gateway.domain.observation import Pressed, SensorFault, Switched, What
from gateway.domain.sensor import Kind, Sensor
from gateway.engine.evidence import is_activity
from gateway.security.frame_store import FrameGuards
from gateway.security.frames import FrameGuard
from gateway.sensing.bthome_sensors import BthomeSensors
from tests.support.bthome_frames import ADDRESS, KEY, seal

ID = "hall"


def radio(kind: Kind = Kind.MOTION, *, key: bytes | None = KEY) -> Radio:
    return Radio(Sensor(ID, kind, source="ble", keyed=key is not None), ADDRESS, key)


def payload(counter: int, objects: str = "2101") -> bytes:
    """A packet id that goes with the counter, and what the device has to say."""
    return bytes([0, counter & 0xFF]) + bytes.fromhex(objects)


def motion(counter: int, objects: str = "2101", *, key: bytes = KEY) -> bytes:
    """A frame of the real sensor."""
    return seal(payload(counter, objects), counter, key=key)


def press(counter: int) -> bytes:
    return motion(counter, "3a01")


class Hub:
    """One sensor, ``hall``. Starts at once; ``kill`` and ``stop`` end in a new start."""

    def __init__(
        self,
        kind: Kind = Kind.MOTION,
        *,
        key: bytes | None = KEY,
        disk: dict[str, int] | None = None,
        prompt: bool = False,
    ) -> None:
        """``prompt``: a commit that is asked for happens before the next frame."""
        self.now = 0.0
        self.disk: dict[str, int] = {} if disk is None else disk
        self.kept: list[What] = []
        """What was told and is on disk."""
        self.told: list[What] = []
        """What was told, on disk or not; since the beginning."""
        self.life: Counter[bytes] = Counter()
        """How often each frame counted as evidence of life."""
        self.refused: Counter[str] = Counter()
        self.asked = 0
        self._radio = radio(kind, key=key)
        self._prompt = prompt
        self._frames: dict[int, bytes] = {}
        self._hearing = b""
        self._batch: list[tuple[What, int | None]] = []
        self._flight: tuple[dict[str, int], list[tuple[What, int | None]]] | None = None
        self._start(away=0.0)

    def _start(self, away: float) -> None:
        self.guards = FrameGuards(
            [(ID, self._radio.key is not None)],
            self.disk.get,
            now=self.now,
            away=away,
            hurry=self._hurry,
        )
        self.sensors = BthomeSensors([self._radio], self.guards, lambda: self.now, self._offer)

    @property
    def guard(self) -> FrameGuard:
        return self.guards[ID]

    # -- what happens ----------------------------------------------------------------------------

    def hear(self, frame: bytes, address: str = ADDRESS) -> Sequence[What] | None:
        """None: not to be believed. Else what is told at once."""
        if len(frame) > 8 and frame[0] & 1:
            self._frames[int.from_bytes(frame[-8:-4], "little")] = frame
        self._hearing = frame
        told = self.sensors(address, frame)
        if told is not None:
            for what, counter in told:
                self._offer(what, counter)
        pressed = any(isinstance(what, Pressed) for what, _counter in told or ())
        if not self.committing and ((self._prompt and self.asked) or pressed):
            self.commit()  # an alarm flushes the batch
        return None if told is None else [what for what, _counter in told]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def commit(self) -> None:
        self.begin()
        self.finish()

    def begin(self) -> None:
        """A commit is put together: what was told until now, and the guards' marks."""
        assert self._flight is None
        self.asked = 0
        self._flight = self.guards.marks(self.now), self._batch
        self._batch = []

    def finish(self) -> None:
        """It is on disk."""
        assert self._flight is not None
        marks, batch = self._flight
        self._flight = None
        self._write(marks, batch)
        self.sensors.stored()

    def fail(self) -> None:
        """The disk refused it. What was told stays in the queue."""
        assert self._flight is not None
        self._batch = self._flight[1] + self._batch
        self._flight = None

    @property
    def committing(self) -> bool:
        return self._flight is not None

    def stop(self, away: float = 0.0) -> None:
        """Cleanly, and start again."""
        if self._flight is not None:
            self.finish()
        self.commit()
        self._write(self.guards.release(), self._batch)
        self._again(away)

    def kill(self, away: float = 0.0) -> None:
        """kill -9, or the plug: what is not on disk is gone. Start again."""
        self._again(away)

    def rearm(self) -> None:
        """A technician stands beside the sensor."""
        self.guard.rearm(self.now)

    # -- what came of it -------------------------------------------------------------------------

    def aside(self) -> bool:
        return self.guard.aside

    def faults(self, name: str) -> list[bool]:
        """Begins (True) and ends of a fault, as they were told."""
        return [w.present for w in self.told if isinstance(w, SensorFault) and w.fault == name]

    def switched(self) -> list[tuple[bool, bool]]:
        """(on, fresh) of each."""
        return [(w.on, w.fresh) for w in self.told if isinstance(w, Switched)]

    def lively(self, frames: Sequence[bytes]) -> int:
        """How many of these frames count as life if they are heard now, each once."""
        before = self.life.total()
        for frame in frames:
            self.hear(frame)
        if not self.committing:
            self.commit()
        return self.life.total() - before

    # -- inside ----------------------------------------------------------------------------------

    def _again(self, away: float) -> None:
        self._batch, self._flight, self.asked = [], None, 0
        self._frames = {}
        self.now += away
        self._start(away)

    def _write(self, marks: dict[str, int], batch: list[tuple[What, int | None]]) -> None:
        self.disk.update(marks)
        for what, counter in batch:
            self.kept.append(what)
            if counter is not None:
                self.disk[f"sensor:{ID}"] = counter
        batch.clear()

    def _hurry(self) -> None:
        self.asked += 1

    def _offer(self, what: What, counter: int | None) -> None:
        self._batch.append((what, counter))
        self.told.append(what)
        if self._is_life(what):
            self.life[self._hearing if counter is None else self._frames[counter]] += 1

    def _is_life(self, what: What) -> bool:
        sensor = self._radio.sensor
        if isinstance(what, Switched):
            return is_activity(sensor, what)
        return isinstance(what, Pressed) and sensor.keyed
