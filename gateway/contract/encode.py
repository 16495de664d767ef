"""Domain objects into bytes for the wire, at the moment they are sent.

An alert can always be encoded: texts that are too long are cut and lists that are too long
shortened, because a message that the centre must refuse would be an alert lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict

import msgspec

from gateway.contract import fields
from gateway.contract import messages as wire
from gateway.contract.codes import CAP_SEVERITY, PRIORITY, scaip
from gateway.contract.explaining import explanation
from gateway.contract.fitting import NAMES_BYTES, cut, cuts, tenths
from gateway.contract.sentences import sentence
from gateway.domain.alert import Alert, Level, Quiet
from gateway.domain.decisions import Summary
from gateway.domain.errors import ContractError
from gateway.domain.health import SensorState, Watch
from gateway.domain.household import Household
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant, iso

OLD_AFTER = 60.0
"""Seconds on the hub after which a message is marked old (R9)."""

SENSORS_MOST = 64
"""Sensors named in one message; a home has about ten. The worst names still fit 8 KiB."""

LAST_SECOND = 253_000_000_000.0
"""A wall second in the year 9987, the end of what a calendar can say."""

SUSPECTS_MOST = 24
FAULTS_MOST = 16
COUNTERS_MOST = 32

_ENCODER = msgspec.json.Encoder()


def leaf_of(message: Alert | Summary) -> Literal["alert", "event", "telemetry"]:
    """The last word of the topic that a journalled message is sent to."""
    if isinstance(message, Summary):
        return "telemetry"
    return "event" if message.level is Level.NOTE else "alert"


def lane_of(message: Alert | Summary) -> Literal["alert", "record"]:
    """The lane in which a message is counted."""
    return "alert" if leaf_of(message) == "alert" else "record"


class Encoder:
    """Encodes all that one hub says in one run of its program.

    ``boot`` names that run and ``journal`` the journal that it writes.
    """

    def __init__(self, household: Household, *, boot: str, journal: str) -> None:
        self._hub = household.hub
        self._offset = household.utc_offset
        self._kinds = {sensor.id: sensor.kind for sensor in household.sensors}
        self._boot = boot
        self._journal = journal

    # -------------------------------------------------------- journalled: alert, event, telemetry

    def journalled(
        self, message: Alert | Summary, sequence: int, *, created: float, now: float
    ) -> bytes:
        """A row of the outbox as it is sent at wall second ``now``; to ``up/`` + leaf_of(row)."""
        if isinstance(message, Summary):
            return self.telemetry(message, sequence)
        return self.alert(message, sequence, old=now - created > OLD_AFTER)

    def alert(self, alert: Alert, sequence: int, *, old: bool = False) -> bytes:
        """One version of an alert; level 0 becomes a note in the record lane."""
        kind = wire.NoteEvent if alert.level is Level.NOTE else wire.AlertEvent
        lane = lane_of(alert)
        return _bytes(
            kind(
                **self._envelope(lane, sequence, alert.at.wall),
                clock=_clock(alert.at.synced),
                data=self._alert_data(alert, old),
            )
        )

    def telemetry(self, summary: Summary, sequence: int, *, synced: bool = True) -> bytes:
        """Ten minutes of counts."""
        busiest = sorted(summary.events, key=lambda sensor: (-summary.events[sensor], sensor))
        told = set(cuts(busiest, SENSORS_MOST, 4 * NAMES_BYTES))
        return _bytes(
            wire.TelemetryEvent(
                **self._envelope("record", sequence, summary.start + summary.seconds),
                clock=_clock(synced),
                data=wire.TelemetryData(
                    start=self.time(summary.start),
                    seconds=round(summary.seconds),
                    events={
                        cut(sensor): count
                        for sensor, count in sorted(summary.events.items())
                        if cut(sensor) in told
                    },
                    away=summary.away,
                    blind=summary.blind,
                ),
            )
        )

    # -------------------------------------------------------- of the session and the moment

    def state(
        self, state: Literal["online", "offline", "lost"], sequence: int, at: Instant
    ) -> bytes:
        """``lost`` is made when the session begins and told by the broker when it breaks, so it
        stands outside the count: its sequence is 0 whatever is given."""
        number = 0 if state == "lost" else sequence
        return _bytes(
            wire.StateEvent(
                **self._envelope("session", number, at.wall, state),
                clock=_clock(at.synced),
                data=wire.StateData(state=state),
            )
        )

    def birth(self, data: wire.BirthData, sequence: int, at: Instant) -> bytes:
        """What this hub is."""
        return _bytes(
            wire.BirthEvent(
                **self._envelope("session", sequence, at.wall), clock=_clock(at.synced), data=data
            )
        )

    def heartbeat(self, data: wire.HeartbeatData, sequence: int, at: Instant) -> bytes:
        """A heartbeat."""
        return _bytes(
            wire.HeartbeatEvent(
                **self._envelope("heartbeat", sequence, at.wall),
                clock=_clock(at.synced),
                data=data,
            )
        )

    def alarms(self, alerts: Iterable[Alert], sequence: int, at: Instant) -> bytes:
        """The snapshot: open ones first, highest level first, then the newest; as many as fit."""
        ordered = sorted(alerts, key=lambda a: (not a.open, -a.level, -a.at.wall, a.id))
        lines = [
            wire.AlarmLine(
                alert_id=alert.id,
                version=alert.version,
                type=alert.type,
                level=alert.level,
                state=alert.state,
                at=self.time(alert.at.wall),
                open=alert.open,
            )
            for alert in ordered
        ]
        base = self._envelope("session", sequence, at.wall)
        kept = len(lines)
        while True:
            data = wire.AlarmsData(alarms=lines[:kept], more=len(lines) - kept)
            payload = _ENCODER.encode(wire.AlarmsEvent(**base, clock=_clock(at.synced), data=data))
            if len(payload) <= fields.MAX_BYTES or kept == 0:
                return payload
            kept = min(kept - 1, kept * fields.MAX_BYTES // len(payload))

    # -------------------------------------------------------- parts

    def birth_data(
        self,
        household: Household,
        *,
        version: str,
        settings: str,
        model: str | None,
        heartbeat_s: int,
    ) -> wire.BirthData:
        """What a hub is, from its household."""
        lines = [
            wire.SensorLine(
                id=cut(s.id), kind=s.kind.value, room=s.room.value, supervision=s.supervision.value
            )
            for s in household.sensors[:SENSORS_MOST]
        ]
        data = wire.BirthData(
            contract=fields.CONTRACT,
            version=cut(version),
            settings=cut(settings),
            model=None if model is None else cut(model),
            heartbeat_s=heartbeat_s,
            risk_group=household.risk_group.value,
            ceilings_s=list(household.ceilings),
            sensors=lines,
            more_sensors=len(household.sensors) - len(lines),
        )
        while len(_ENCODER.encode(data)) > fields.MAX_BYTES - 1024 and lines:
            lines = lines[:-1]
            data = msgspec.structs.replace(
                data, sensors=lines, more_sensors=len(household.sensors) - len(lines)
            )
        return data

    def heartbeat_data(
        self,
        watch: Watch,
        *,
        interval_s: int,
        uptime_s: float,
        queue: wire.QueueData,
        alert_sequence: int,
        record_sequence: int,
        power: Literal["mains", "battery", "unknown"],
        version: str,
        settings: str,
        model: str | None,
        faults: Sequence[str] = (),
        counters: Mapping[str, int] | None = None,
        chain: wire.ChainData | None = None,
    ) -> wire.HeartbeatData:
        """A heartbeat's data from what the engine can honestly say (``watch``) and the rest."""
        paused = watch.paused_until_wall
        seen = watch.last_activity_wall
        return wire.HeartbeatData(
            watching=watch.watching,
            reasons=cuts(watch.reasons, FAULTS_MOST),
            interval_s=interval_s,
            uptime_s=round(uptime_s, 1),
            inactive_s=tenths(watch.silence),
            covered_s=tenths(watch.covered),
            last_activity_at=None if seen is None else self.time(seen),
            away=watch.away,
            paused_until=None if paused is None else self.time(paused),
            sensors=_sensor_counts(watch.sensors),
            queue=queue,
            alert_sequence=alert_sequence,
            record_sequence=record_sequence,
            power=power,
            version=cut(version),
            settings=cut(settings),
            model=None if model is None else cut(model),
            faults=cuts(faults, FAULTS_MOST),
            counters=_counts(counters or {}),
            chain=chain,
        )

    def time(self, wall: float) -> str:
        """A wall second in the home's offset; a clock gone wild is held inside the calendar."""
        return iso(min(max(wall, 0.0), LAST_SECOND), self._offset)

    def _alert_data(self, alert: Alert, old: bool) -> wire.AlertData:
        device, status = scaip(alert, self._kinds)
        return wire.AlertData(
            alert_id=alert.id,
            version=alert.version,
            type=alert.type,
            level=alert.level,
            state=alert.state,
            raised_at=self.time(alert.raised.wall),
            at=self.time(alert.at.wall),
            subject=cut(alert.subject),
            because=cut(alert.because),
            open=alert.open,
            cause=alert.cause,
            sentence_ko=sentence(alert, "ko")[: fields.MAX_TEXT],
            sentence_en=sentence(alert, "en")[: fields.MAX_TEXT],
            quiet=self._quiet(alert.quiet),
            away=alert.away,
            suspect_sensors=cuts(alert.suspect, SUSPECTS_MOST),
            outcome=alert.outcome,
            service=None if alert.service is None else cut(alert.service),
            by=cut(alert.by),
            presses=alert.presses,
            days_left=alert.days_left,
            explanation=explanation(alert.explanation, alert.quiet),
            scaip_type=device,
            scaip_status=status,
            scaip_pri=PRIORITY[alert.level],
            cap_severity=CAP_SEVERITY.get(alert.level),
            old=old,
        )

    def _quiet(self, quiet: Quiet) -> fields.Quiet:
        seen = quiet.last_activity
        return fields.Quiet(
            last_activity_at=None if seen is None else self.time(seen.wall),
            room=None if quiet.room is None else quiet.room.value,
            sensor=None if quiet.sensor is None else cut(quiet.sensor),
            silence_s=tenths(quiet.silence),
            covered_s=tenths(quiet.covered),
        )

    def _envelope(
        self,
        lane: Literal["alert", "record", "heartbeat", "session"],
        sequence: int,
        wall: float,
        what: str = "",
    ) -> _Envelope:
        epoch = self._journal if lane in ("alert", "record") else self._boot
        return {
            "id": ulid(wall, self._hub, epoch, lane, sequence, what),
            "source": f"urn:ansim:hub:{self._hub}",
            "time": self.time(wall),
            "sequence": f"{sequence:012d}",
            "bootid": self._boot,
            "journalid": self._journal,
        }


class _Envelope(TypedDict):
    """The envelope's fields that no message type fixes."""

    id: str
    source: str
    time: str
    sequence: str
    bootid: str
    journalid: str


def _bytes(event: wire.Envelope) -> bytes:
    payload = _ENCODER.encode(event)
    if len(payload) > fields.MAX_BYTES:
        raise ContractError(
            f"a message of {len(payload)} bytes; shorten the names of sensors", reason="too-long"
        )
    return payload


def _clock(synced: bool) -> Literal["synced", "unsynced"]:
    return "synced" if synced else "unsynced"


def _counts(counters: Mapping[str, int]) -> dict[str, int]:
    named = {cut(name): count for name, count in sorted(counters.items())}
    return {name: named[name] for name in cuts(named, COUNTERS_MOST)}


def _sensor_counts(sensors: Mapping[str, SensorState]) -> wire.SensorCounts:
    names: dict[SensorState, list[str]] = {state: [] for state in SensorState}
    for sensor, state in sorted(sensors.items()):
        names[state].append(sensor)
    told = {
        state: cuts(names[state], SENSORS_MOST)
        for state in (SensorState.STALE, SensorState.LOST, SensorState.UNPROVEN)
    }
    return wire.SensorCounts(
        ok=len(names[SensorState.OK]),
        stale=told[SensorState.STALE],
        lost=told[SensorState.LOST],
        unproven=told[SensorState.UNPROVEN],
        more=sum(len(names[state]) - len(told[state]) for state in told),
    )
