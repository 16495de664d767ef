"""Which sensors live, and whether the home is seen (R13, R15): silence is not inactivity."""

from __future__ import annotations

from math import ceil

from msgspec import Struct

from gateway.domain.health import SensorState
from gateway.domain.household import Household
from gateway.domain.instant import HOUR
from gateway.domain.sensor import ACTIVITY_KINDS, Sensor, Supervision

STALE_INTERVALS = 3
"""Missed signs of life after which a sensor is stale (R13)."""

LOST_FREQUENT = 2 * HOUR
"""A sensor that speaks at least every ten minutes is lost after this (R13; peers take 72 h)."""

LOST_SELDOM = 24 * HOUR
"""Any other sensor that promised to speak is lost after this (R13)."""

FREQUENT = 600.0
"""Seconds: the longest interval that counts as frequent (R13)."""

PROOF = 14 * 60.0
"""Seconds that a sign of life proves a sensor: R15 allows 15 minutes until blindness is told,
one of them is left for telling."""

DEAF_GRACE = 120.0
"""Seconds that a source which says itself that it is deaf may take to come back before that is
blindness: a restart of the radio takes seconds, and the centre shall not hear of each."""

SEEN_SHARE = 3
"""The home is seen while at least one in this many of the sensors that can prove it is alive [D]:
half of them may fail and the watch goes on with the fault told; "all but one" is blindness."""


UNPROVING = frozenset({"wire", "stuck", "replay"})
"""Faults in which a sensor's words may be nobody's: a bridged wire, a contact that never moves, old
frames said again. With "downgrade" and "bad-key" somebody tries, but the real frames still count."""

SOURCE_FAULTS = {
    "gpio": frozenset({"wire", "stuck"}),
    "ble": frozenset({"replay", "downgrade", "bad-key", "tamper-evidence", "stuck"}),
}
"""What a source can find, and so can end. A sensor that moved from one to the other leaves the
faults of the former behind."""


class Sense(Struct):
    """``heard`` is the last sign of life (engine seconds; the start counts as one); ``excused``
    are seconds since then in which the hub was off and could not have heard it. ``faults`` are
    those that its source told and has not taken back: they outlast a restart of the hub, after
    which each source tells what it finds again."""

    heard: float
    state: SensorState = SensorState.OK
    excused: float = 0.0
    faults: list[str] = []


class Senses(Struct):
    """``deaf`` holds since when a source is deaf; ``blind`` since when the home is not seen,
    ``tell`` when that will be told; until ``grace`` after a start the radio may still be silent.
    ``off`` is True while hours are lived through in which the hub was off; ``rebooted`` is when the
    last such hours ended."""

    sensors: dict[str, Sense] = {}
    deaf: dict[str, float] = {}
    blind: float | None = None
    tell: float | None = None
    grace: float = 0.0
    off: bool = False
    rebooted: float = 0.0


class Supervisor:
    """Judges signs of life. Says what changed; alerts are made by the engine."""

    def __init__(self, senses: Senses, household: Household) -> None:
        self._senses = senses
        self._by_id = {sensor.id: sensor for sensor in household.sensors}
        self._provers = [
            sensor
            for sensor in household.sensors
            if sensor.kind in ACTIVITY_KINDS and _can_prove(sensor)
        ]
        self._need = max(1, ceil(len(self._provers) / SEEN_SHARE))
        self._timed = [s for s in household.sensors if _lost_after(s) is not None]
        self._speaking = [s for s in self._timed if s.supervision is not Supervision.WIRED]

    def begin(self, now: float) -> None:
        """The watch starts: every sensor has from now on to show that it lives."""
        self.adopt(now)

    def adopt(self, now: float) -> list[str]:
        """Bring the list of sensors up to date with the household; those that are new have from
        now on to show that they live. Returns the ids of those that are gone."""
        gone = sorted(set(self._senses.sensors) - set(self._by_id))
        for sensor_id in gone:
            del self._senses.sensors[sensor_id]
        for sensor in self._by_id.values():
            if sensor.id not in self._senses.sensors:
                wired = sensor.supervision is Supervision.WIRED
                state = SensorState.OK if wired else SensorState.UNPROVEN
                self._senses.sensors[sensor.id] = Sense(now, state)
        return gone

    def heard(self, sensor_id: str, now: float) -> SensorState:
        """A sign of life. Returns the state before it."""
        sense = self._senses.sensors[sensor_id]
        before = sense.state
        sense.heard = now
        sense.excused = 0.0
        sense.state = SensorState.OK
        return before

    def excuse(self, seconds: float) -> None:
        """The hub was off for so long: no sensor is to blame for that silence."""
        for sense in self._senses.sensors.values():
            sense.excused += seconds

    def fault(self, sensor_id: str, fault: str, present: bool) -> None:
        """A source found something wrong with a sensor, or right again. It is no sign of life."""
        faults = self._senses.sensors[sensor_id].faults
        if present and fault not in faults:
            faults.append(fault)
        elif not present and fault in faults:
            faults.remove(fault)

    def outdated(self) -> list[tuple[str, str]]:
        """Faults (sensor, fault) that the sensor's source of today cannot know. Forgets them."""
        found = []
        for sensor in self._by_id.values():
            told = SOURCE_FAULTS.get(sensor.source)
            faults = self._senses.sensors[sensor.id].faults
            for fault in [f for f in faults if told is not None and f not in told]:
                faults.remove(fault)
                found.append((sensor.id, fault))
        return found

    def states(self) -> dict[str, SensorState]:
        """Every sensor's state as it may be told: one that must not prove anything is no more than
        unproven, however lively it sounds."""
        return {
            i: SensorState.UNPROVEN
            if sense.state is SensorState.OK and _is_unsound(sense)
            else sense.state
            for i, sense in self._senses.sensors.items()
        }

    def source(self, source: str, alive: bool, now: float) -> None:
        """A source went deaf or hears again. Its wired sensors are read at once."""
        if not alive:
            self._senses.deaf.setdefault(source, now)
        elif self._senses.deaf.pop(source, None) is not None:
            for sensor in self._by_id.values():
                if sensor.source == source and sensor.supervision is Supervision.WIRED:
                    self._senses.sensors[sensor.id].heard = now

    def judge(self, now: float) -> tuple[list[str], list[str]]:
        """Bring the states up to date. Returns (sensors newly lost, sensors found again)."""
        lost: list[str] = []
        found: list[str] = []
        for sensor in self._by_id.values():
            sense = self._senses.sensors[sensor.id]
            state = self._state(sensor, sense, now)
            if state is not sense.state:
                if state is SensorState.LOST:
                    lost.append(sensor.id)
                elif sense.state is SensorState.LOST:
                    found.append(sensor.id)
                sense.state = state
        return lost, found

    def seen_until(self) -> float | None:
        """Engine second until which the home is proven to be seen if nothing more is heard;
        None while wired sensors prove it without end."""
        ends: list[float] = []
        endless = 0
        for sensor in self._provers:
            end = self._proves_until(sensor)
            if end is None:
                endless += 1
                if endless == self._need:
                    return None
            else:
                ends.append(end)
        ends.sort(reverse=True)
        place = self._need - endless - 1
        return ends[place] if place < len(ends) else 0.0

    def proven(self, now: float) -> list[str]:
        """The sensors that prove at this moment that the home is seen, in the household's order."""
        if self._senses.off or not self._senses.sensors:
            return []  # the hub was off, or the watch has not begun
        ends = ((sensor.id, self._proves_until(sensor)) for sensor in self._provers)
        return [sensor for sensor, end in ends if end is None or now < end]

    def _proves_until(self, sensor: Sensor) -> float | None:
        """Engine second until which this sensor proves something; None for a wired one that is
        read; long ago for one whose words may be nobody's."""
        sense = self._senses.sensors[sensor.id]
        if sense.faults and _is_unsound(sense):
            return 0.0
        deaf = self._senses.deaf.get(sensor.source)
        if sensor.supervision is Supervision.WIRED:
            return None if deaf is None else deaf + DEAF_GRACE
        end = sense.heard + PROOF
        return end if deaf is None else min(end, deaf + DEAF_GRACE)

    def due(self, now: float) -> float | None:
        """When the next sensor becomes stale or lost, or the home unseen."""
        times: list[float] = []
        for sensor in self._timed if self._senses.deaf else self._speaking:
            sense = self._senses.sensors[sensor.id]
            start = self._start(sensor, sense)
            if start is None:
                continue
            for limit in (_stale_after(sensor), _lost_after(sensor)):
                if limit is not None and start + limit > now:
                    times.append(start + limit)
        if self._senses.blind is None:
            until = self.seen_until()
            if until is not None:
                times.append(max(until, now))
        if self._senses.tell is not None:
            times.append(self._senses.tell)
        return min(times, default=None)

    def suspect(self) -> tuple[str, ...]:
        """Sensors that are stale or lost, or whose words may be nobody's."""
        bad = (SensorState.STALE, SensorState.LOST)
        return tuple(
            i
            for i, sense in self._senses.sensors.items()
            if (sense.state is not SensorState.OK and sense.state in bad)
            or (sense.faults and _is_unsound(sense))
        )

    def lost(self) -> tuple[str, ...]:
        """Sensors that are lost, or whose words may be nobody's. One that is stale may only have
        missed a few signs of life."""
        return tuple(
            i
            for i, sense in self._senses.sensors.items()
            if sense.state is SensorState.LOST or (sense.faults and _is_unsound(sense))
        )

    def _start(self, sensor: Sensor, sense: Sense) -> float | None:
        """Since when silence counts against a sensor; None for a wired one that is read."""
        if sensor.supervision is Supervision.WIRED:
            return self._senses.deaf.get(sensor.source)
        return sense.heard + sense.excused

    def _state(self, sensor: Sensor, sense: Sense, now: float) -> SensorState:
        start = self._start(sensor, sense)
        if start is None:
            return SensorState.OK
        lost = _lost_after(sensor)
        if lost is not None and now >= start + lost:
            return SensorState.LOST
        stale = _stale_after(sensor)
        if stale is not None and now >= start + stale:
            return SensorState.STALE
        if sense.state in (SensorState.STALE, SensorState.LOST):
            return SensorState.OK
        return sense.state


def _is_unsound(sense: Sense) -> bool:
    return not UNPROVING.isdisjoint(sense.faults)


def _can_prove(sensor: Sensor) -> bool:
    """Whether a sensor can prove the home to be seen at all. A beacon that is slower than a proof
    lasts would only make an ordinary hour look blind; without a key anybody can be that beacon, and
    what it sees is no activity anyway (T1)."""
    if not sensor.keyed:
        return False
    if sensor.supervision is Supervision.BEACON:
        return sensor.interval is None or sensor.interval < PROOF
    return sensor.supervision is Supervision.WIRED


def _stale_after(sensor: Sensor) -> float | None:
    if sensor.supervision is Supervision.WIRED:
        return DEAF_GRACE
    return None if sensor.interval is None else STALE_INTERVALS * sensor.interval


def _lost_after(sensor: Sensor) -> float | None:
    if sensor.supervision is Supervision.WIRED:
        return LOST_FREQUENT
    if sensor.interval is None:
        return None
    if sensor.interval <= FREQUENT:
        return LOST_FREQUENT
    return max(LOST_SELDOM, sensor.interval + HOUR)  # one that reports daily may be an hour late
