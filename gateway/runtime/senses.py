"""The hub's senses: the radio and the wires of this home, made ready to run beside each other.

What is heavy is imported only where a home has such a sensor: a home without radio knows no bleak.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from gateway.domain.enrolment import Radio, Wire
from gateway.domain.errors import SensingError
from gateway.domain.instant import Clock, Instant
from gateway.domain.observation import Offer
from gateway.engine.timeline import kernel_boot
from gateway.runtime.sources import Source
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.security.frame_store import FrameGuards
    from gateway.sensing.ble import Actions, BleSource
    from gateway.sensing.bthome_sensors import BthomeSensors
    from gateway.sensing.gpio import GpioSource

DEADLINE: Final = 150.0
"""Seconds without a round of a source that count as hung. A round waits at most for a helper (60 s)
and a start of the scanner (45 s); R2 asks for 11 minutes at most."""

RADIO: Final = "radio"
"""The radio's name among the parts that may be at fault."""


class Ether:
    """The radio of a home that has Bluetooth sensors: source, decoder and guard, which know each
    other. What goes to disk with each commit is the guard's (``hub.Along``)."""

    def __init__(self, source: BleSource, sensors: BthomeSensors, guards: FrameGuards) -> None:
        self.source = source
        self._sensors = sensors
        self._guards = guards

    def marks(self, now: float) -> Mapping[str, int]:
        return self._guards.marks(now)

    def release(self) -> Mapping[str, int]:
        return self._guards.release()

    def stored(self) -> None:
        self._sensors.stored()

    @property
    def counters(self) -> dict[str, int]:
        """What came of the frames since the start, for heartbeat and status."""
        refused = {f"bthome-refused-{why}": n for why, n in self._guards.refused.items()}
        return {**self.source.counters, **self._sensors.counters, **refused}

    @property
    def state(self) -> str:
        """How the radio is, in one word: "hears", "flood", or why it is deaf."""
        if self.source.trouble is not None:
            return self.source.trouble.value
        return "flood" if self.source.flooded else "hears"

    @property
    def mode(self) -> str | None:
        """How the scanner listens now, "active" or "passive"; None while none runs."""
        return None if self.source.mode is None else self.source.mode.value

    def set_aside(self) -> list[str]:
        """Sensors that wait for a person to re-arm them."""
        return sorted(i for i, guard in self._guards.guards.items() if guard.aside)

    def rearm(self, sensor: str, now: float) -> None:
        """A person on site vouches for a sensor's next frame. Raises SensingError."""
        guard = self._guards.guards.get(sensor)
        if guard is None:
            known = ", ".join(sorted(self._guards.guards)) or "none"
            raise SensingError(
                f"There is no Bluetooth sensor {sensor!r} here; take one of: {known}.",
                reason="unknown-sensor",
            )
        if not guard.keyed:
            raise SensingError(
                f"{sensor} has no key, so it is never set aside; nothing needs to be done.",
                reason="unkeyed-sensor",
            )
        guard.rearm(now)


class Sense(Source, Protocol):
    """A source that is real hardware: it says with each of its rounds that it goes on."""

    on_progress: Callable[[], None]


class Senses:
    """``sources`` are to be run; ``ether`` and ``wires`` may be asked how they are."""

    def __init__(self, ether: Ether | None, wires: GpioSource | None) -> None:
        self.ether = ether
        self.wires = wires
        self.end: Callable[[], None] = lambda: None
        """Ends the hub in order; set by whoever runs it."""
        self.left = False
        """Whether the recovery of the radio asked for that end."""

    def leave(self) -> None:
        """The ladder's rung "exit"."""
        self.left = True
        self.end()

    @property
    def sources(self) -> tuple[Sense, ...]:
        ble: tuple[Sense, ...] = () if self.ether is None else (self.ether.source,)
        return ble if self.wires is None else (*ble, self.wires)

    @property
    def counters(self) -> dict[str, int]:
        """Everything that was counted since the start."""
        heard = {} if self.ether is None else self.ether.counters
        return heard if self.wires is None else {**heard, **self.wires.counters}

    def faults(self) -> dict[str, str]:
        """Parts that are wrong now, and how: the radio that is deaf or flooded."""
        state = "hears" if self.ether is None else self.ether.state
        return {} if state == "hears" else {RADIO: state}

    def problems(self) -> dict[str, str]:
        """What is wrong with single sensors, as machine-readable reasons."""
        wired = {} if self.wires is None else self.wires.problems
        aside = [] if self.ether is None else self.ether.set_aside()
        return {
            **{sensor: error.reason for sensor, error in wired.items()},
            **dict.fromkeys(aside, "set-aside"),
        }

    def rearm(self, sensor: str, now: float) -> None:
        """See ``Ether.rearm``. Raises SensingError."""
        if self.ether is None:
            raise SensingError(
                "This hub has no Bluetooth sensors; nothing needs to be re-armed.",
                reason="unknown-sensor",
            )
        self.ether.rearm(sensor, now)


def senses(
    settings: Settings,
    clock: Clock,
    *,
    played: Collection[str],
    counter: Callable[[str], int | None],
    last: Instant | None,
    offer: Offer,
    hurry: Callable[[], None],
    actions: Callable[[Senses], Actions] | None = None,
) -> Senses:
    """The radio and the wires that ``settings`` enrol, without the sensors that are ``played``.

    ``counter``  the journal's named counters
    ``last``     until when the run before is known to have watched
    ``offer``    the hub's door for what is no answer to a frame
    ``hurry``    asks the hub for a commit
    ``actions``  what the recovery ladder may do beyond its own process
    """
    sections = [section for section in settings.sensors if section.id not in played]
    radios = [radio for section in sections if (radio := section.radio()) is not None]
    wires = [wire for section in sections if (wire := section.wire()) is not None]
    made = Senses(None, _gpio(wires, clock) if wires else None)
    if radios:
        made.ether = _ether(
            settings,
            radios,
            clock,
            counter=counter,
            away=_away(last, clock.now()),
            offer=offer,
            hurry=hurry,
            actions=None if actions is None else actions(made),
        )
    return made


def _gpio(wires: Iterable[Wire], clock: Clock) -> GpioSource:
    from gateway.sensing.gpio import GpioSource

    return GpioSource(list(wires), clock)


def _ether(
    settings: Settings,
    radios: list[Radio],
    clock: Clock,
    *,
    counter: Callable[[str], int | None],
    away: float,
    offer: Offer,
    hurry: Callable[[], None],
    actions: Actions | None,
) -> Ether:
    from gateway.security.frame_store import FrameGuards
    from gateway.sensing.ble import BleSource
    from gateway.sensing.bthome_sensors import BthomeSensors
    from gateway.sensing.modes import Mode

    def now() -> float:
        return clock.now().boottime

    guards = FrameGuards(
        [(radio.sensor.id, radio.key is not None) for radio in radios],
        counter,
        now=now(),
        away=away,
        hurry=hurry,
        keys={radio.sensor.id: radio.key for radio in radios if radio.key is not None},
    )
    sensors = BthomeSensors(radios, guards, now, offer)
    adapter = settings.radio.adapter
    source = BleSource(
        radios,
        clock,
        sensors,
        adapter=None if adapter is None else adapter.upper(),
        mode=Mode(settings.radio.scan),
        actions=actions,
    )
    return Ether(source, sensors, guards)


def _away(last: Instant | None, now: Instant) -> float:
    """Seconds that nobody listened before ``now``, as far as known."""
    if last is None:
        return 0.0
    same = kernel_boot(last.boot) == kernel_boot(now.boot)
    gone = now.boottime - last.boottime if same else now.wall - last.wall
    return max(0.0, gone)
