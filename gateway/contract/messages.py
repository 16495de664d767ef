"""Every message on the wire, as types. Schemas, AsyncAPI file and examples are generated from here.

A whole message is a CloudEvents envelope with its ``data``, one type each, so that one schema
describes all of it. Unknown fields are ignored on both sides, so that a newer hub can talk to an
older centre. Identifiers, states, levels and sizes are strict; quantities are not, because a
message that is refused for an odd number is a message lost.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from gateway.contract.fields import (
    MAX_COUNTER,
    CentreTime,
    Count,
    Explanation,
    Key,
    Level,
    Name,
    Quiet,
    SequenceText,
    Text,
    Time,
    Ulid,
    Version,
)
from gateway.domain.alert import AlertState, Outcome


class AlertData(Struct, frozen=True, kw_only=True):
    """One version of one alert (`up/alert`), or of a level-0 note (`up/event`)."""

    alert_id: Annotated[Ulid, Meta(description="the same in all versions of one alert")]
    version: Version
    type: Annotated[Name, Meta(description='a type that is not in the table is shown as "기타"')]
    level: Level
    state: AlertState
    raised_at: Annotated[Time, Meta(description="when the alert began")]
    at: Annotated[Time, Meta(description="when this version came about")]
    subject: Annotated[Name, Meta(description="sensor, part or role; empty: the home")]
    because: Annotated[Name, Meta(description="cause of this version, for machines")]
    open: Annotated[bool, Meta(description="whether the alert still wants something")]
    cause: Annotated[bool, Meta(description="whether its cause is still there")]
    sentence_ko: Text
    sentence_en: Text
    quiet: Quiet
    away: Annotated[bool | None, Meta(description="resident held to be away; null: unknown")] = None
    suspect_sensors: Annotated[
        list[Name], Meta(description="stale or lost at that moment: what the alert is not sure of")
    ] = []
    outcome: Outcome | None = None
    service: Name | None = None
    by: Annotated[Name, Meta(description="role that answered, at the centre")] = ""
    presses: Annotated[Count, Meta(description="presses of the help button so far")] = 0
    days_left: Annotated[Count | None, Meta(description="of a low battery; null: not known")] = None
    explanation: Annotated[
        Explanation | None, Meta(description="while a silence or an absence is told, why")
    ] = None
    scaip_type: Annotated[str, Meta(max_length=4, pattern="^([0-9]{4})?$")] = ""
    scaip_status: Annotated[str, Meta(max_length=4, pattern="^([0-9]{4})?$")] = ""
    scaip_pri: Annotated[int, Meta(ge=0, le=9)] = 0
    cap_severity: Literal["Minor", "Moderate", "Severe", "Extreme"] | None = None
    old: Annotated[bool, Meta(description="it waited on the hub for more than a minute (R9)")] = (
        False
    )


class AlarmLine(Struct, frozen=True):
    """One alarm in the snapshot."""

    alert_id: Ulid
    version: Version
    type: Name
    level: Level
    state: AlertState
    at: Time
    open: bool


class AlarmsData(Struct, frozen=True):
    """Snapshot of every alarm, open ones and those that ended in the last 7 days (`up/alarms`)."""

    alarms: list[AlarmLine]
    more: Annotated[
        Count, Meta(description="left out to stay below the size limit; open ones come first")
    ] = 0


class TelemetryData(Struct, frozen=True):
    """Ten minutes of a home as counts by sensor (`up/telemetry`)."""

    start: Time
    seconds: Count
    events: Annotated[dict[str, int], Meta(description="readings by sensor; silent ones left out")]
    away: bool
    blind: bool


class StateData(Struct, frozen=True):
    """`up/state`, retained; `lost` is the hub's last will, told by the broker."""

    state: Literal["online", "offline", "lost"]


class SensorLine(Struct, frozen=True):
    """A sensor as the centre may know it: no address, no room name."""

    id: Name
    kind: Name
    room: Name
    supervision: Name


class BirthData(Struct, frozen=True, kw_only=True):
    """`up/birth`, retained: what this hub is, said once a session."""

    contract: Annotated[Name, Meta(description='version of this contract, e.g. "1.0"')]
    version: Annotated[Name, Meta(description="version of the hub's program")]
    settings: Annotated[Name, Meta(description="fingerprint of its settings")]
    model: Annotated[Name | None, Meta(description="fingerprint of its model; null: ceilings only")]
    heartbeat_s: Annotated[int, Meta(ge=1, description="seconds between two heartbeats")]
    risk_group: Name
    ceilings_s: Annotated[
        list[float], Meta(description="seconds of silence until level 1, 2, 3 at the latest")
    ]
    sensors: list[SensorLine]
    more_sensors: Annotated[Count, Meta(description="left out to stay below the size limit")] = 0


class SensorCounts(Struct, frozen=True):
    """How the sensors are; those that are not ok by id."""

    ok: Count
    stale: list[Name]
    lost: list[Name]
    unproven: Annotated[
        list[Name], Meta(description="speak only when something happens, or not heard yet")
    ]
    more: Annotated[
        Count, Meta(description="not ok but not named, to stay below the size limit")
    ] = 0


class QueueData(Struct, frozen=True):
    """What waits on the hub."""

    alerts: Count
    records: Count
    oldest_unreceived_alert_s: float | None


class ChainData(Struct, frozen=True):
    """The newest link of the hub's hash chain over alert states. A later verification on the hub
    must come by it again, so keep those that you want to be able to prove something by."""

    entries: Annotated[
        Count, Meta(description="alert versions and receipts so far, within journalid")
    ]
    head: Annotated[
        str, Meta(pattern="^[0-9a-f]{40}$", description="BLAKE2b, 160 bits, hexadecimal")
    ]


class HeartbeatData(Struct, frozen=True, kw_only=True):
    """`up/hb`: always sent by a live core, always truthful (R1, R2)."""

    watching: Annotated[
        bool, Meta(description="an alert would come of a silence now; false counts as silence")
    ]
    reasons: Annotated[list[Name], Meta(description='why not watching: "blind", "paused", ...')]
    interval_s: Annotated[int, Meta(ge=1, description="the next one is due in so many seconds")]
    uptime_s: float
    inactive_s: Annotated[float | None, Meta(description="seconds since the last human activity")]
    covered_s: Annotated[float | None, Meta(description="of which the home was seen")]
    last_activity_at: Time | None
    away: bool
    paused_until: Time | None
    sensors: SensorCounts
    queue: QueueData
    alert_sequence: Annotated[Count, Meta(description="last sequence given in lane alert")]
    record_sequence: Annotated[Count, Meta(description="last sequence given in lane record")]
    power: Literal["mains", "battery", "unknown"]
    version: Name
    settings: Name
    model: Name | None
    faults: list[Name]
    counters: dict[str, int]
    chain: ChainData | None = None


# ---------------------------------------------------------------- hub to centre: whole messages


class Envelope(Struct, frozen=True, kw_only=True):
    """CloudEvents 1.0, structured JSON. ``data`` follows the type.

    ``sequence`` counts within ``lane`` from 1: a gap means that a message is missing. Lanes
    ``alert`` and ``record`` are journalled, count within ``journalid`` and are sent until
    received; ``heartbeat`` and ``session`` count within ``bootid`` and are never sent again.

    ``bootid`` names the run of the hub's program that sends the message (not the one in which it
    came about): it is the one an answer must carry.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[Ulid, Meta(description="source + id: the same message, however often it comes")]
    source: Annotated[
        str,
        Meta(pattern="^urn:ansim:hub:[a-z0-9-]{2,32}$", description="the topic's hub"),
    ]
    type: Annotated[str, Meta(pattern=r"^kr\.ansim\.[a-z]+\.v[0-9]+$")]
    time: Time
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, Meta(pattern="^urn:ansim:schema:[a-z]+:v[0-9]+$")]
    sequence: SequenceText
    lane: Literal["alert", "record", "heartbeat", "session"]
    bootid: Key
    journalid: Key
    clock: Annotated[
        Literal["synced", "unsynced"],
        Meta(description="whether the hub knew the right time when it came about"),
    ]


class AlertEvent(Envelope, frozen=True, kw_only=True):
    """An alert of level 1 to 4, one version (`up/alert`)."""

    type: Literal["kr.ansim.alert.v1"] = "kr.ansim.alert.v1"
    dataschema: Literal["urn:ansim:schema:alert:v1"] = "urn:ansim:schema:alert:v1"
    lane: Literal["alert"] = "alert"
    data: AlertData


class NoteEvent(Envelope, frozen=True, kw_only=True):
    """A note: an alert of level 0, one version (`up/event`)."""

    type: Literal["kr.ansim.event.v1"] = "kr.ansim.event.v1"
    dataschema: Literal["urn:ansim:schema:event:v1"] = "urn:ansim:schema:event:v1"
    lane: Literal["record"] = "record"
    data: AlertData


class TelemetryEvent(Envelope, frozen=True, kw_only=True):
    """Ten minutes as counts (`up/telemetry`)."""

    type: Literal["kr.ansim.telemetry.v1"] = "kr.ansim.telemetry.v1"
    dataschema: Literal["urn:ansim:schema:telemetry:v1"] = "urn:ansim:schema:telemetry:v1"
    lane: Literal["record"] = "record"
    data: TelemetryData


class HeartbeatEvent(Envelope, frozen=True, kw_only=True):
    """A heartbeat (`up/hb`)."""

    type: Literal["kr.ansim.hb.v1"] = "kr.ansim.hb.v1"
    dataschema: Literal["urn:ansim:schema:hb:v1"] = "urn:ansim:schema:hb:v1"
    lane: Literal["heartbeat"] = "heartbeat"
    data: HeartbeatData


class BirthEvent(Envelope, frozen=True, kw_only=True):
    """What this hub is (`up/birth`, retained)."""

    type: Literal["kr.ansim.birth.v1"] = "kr.ansim.birth.v1"
    dataschema: Literal["urn:ansim:schema:birth:v1"] = "urn:ansim:schema:birth:v1"
    lane: Literal["session"] = "session"
    data: BirthData


class StateEvent(Envelope, frozen=True, kw_only=True):
    """Whether the hub is connected (`up/state`, retained, last will)."""

    type: Literal["kr.ansim.state.v1"] = "kr.ansim.state.v1"
    dataschema: Literal["urn:ansim:schema:state:v1"] = "urn:ansim:schema:state:v1"
    lane: Literal["session"] = "session"
    data: StateData


class AlarmsEvent(Envelope, frozen=True, kw_only=True):
    """Snapshot of all alarms (`up/alarms`, retained)."""

    type: Literal["kr.ansim.alarms.v1"] = "kr.ansim.alarms.v1"
    dataschema: Literal["urn:ansim:schema:alarms:v1"] = "urn:ansim:schema:alarms:v1"
    lane: Literal["session"] = "session"
    data: AlarmsData


class UnknownEvent(Envelope, frozen=True, kw_only=True):
    """A message of a type that this version does not know: kept as it is, shown as "기타"."""

    data: Raw = Raw(b"null")


Event = (
    AlertEvent
    | NoteEvent
    | TelemetryEvent
    | HeartbeatEvent
    | BirthEvent
    | StateEvent
    | AlarmsEvent
    | UnknownEvent
)

EVENTS: dict[str, type[Event]] = {
    "alert": AlertEvent,
    "event": NoteEvent,
    "telemetry": TelemetryEvent,
    "hb": HeartbeatEvent,
    "birth": BirthEvent,
    "state": StateEvent,
    "alarms": AlarmsEvent,
}
"""Messages by the last word of their topic, which is also the word in their ``type``."""


# ---------------------------------------------------------------- centre to hub: signed payloads


Refusal = Literal[
    "too-long", "bad-format", "bad-content", "hold", "not-treated", "busy", "missing-field"
]


class AlertReceipt(Struct, frozen=True, tag_field="about", tag="alert"):
    """What the centre says about one version of one alert.

    ``received`` is the machine's word after its commit; the others are people's.
    """

    alert_id: Ulid
    version: Version
    state: Literal["received", "accepted", "acting", "closed", "rejected"]
    by: Annotated[Name, Meta(description="role, never a name; required but for received")] = ""
    outcome: Annotated[Outcome | None, Meta(description="required where closed")] = None
    service: Annotated[Name | None, Meta(description="what was done, a word of the town")] = None
    reason: Annotated[Refusal | None, Meta(description="required where rejected")] = None


class RecordsReceipt(Struct, frozen=True, tag_field="about", tag="records"):
    """All records of this journal up to and including this sequence are stored at the centre."""

    journalid: Key
    up_to: Annotated[int, Meta(ge=0, le=MAX_COUNTER)]


class Answer(Struct, frozen=True):
    """Payload of a signed answer on `dn/ack` (a JWS, compact form, EdDSA).

    Bound to hub, boot and a counter that rises for each centre process, so that nobody between
    can forge or repeat it.
    """

    hub: Key
    bootid: Key
    centre: Annotated[Key, Meta(description="the kid that signs")]
    counter: Annotated[int, Meta(ge=1, le=MAX_COUNTER)]
    at: CentreTime
    answers: Annotated[list[AlertReceipt | RecordsReceipt], Meta(min_length=1, max_length=100)]


class CentreStateData(Struct, frozen=True):
    """Payload of the signed, retained `centre/state/{id}` (R10)."""

    centre: Key
    state: Literal["online", "offline"]
    at: CentreTime
