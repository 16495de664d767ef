"""One home, one boot, one story: the domain objects behind the golden examples.

A made-up hub in a made-up town. The signing key is the public test key of RFC 8037, appendix A:
everybody knows its private half, so it must never be given to a real hub.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.contract import messages as wire
from gateway.contract.encode import Encoder
from gateway.domain.alert import (
    Alert,
    AlertState,
    AlertType,
    Doubt,
    Explanation,
    Level,
    Outcome,
    Quiet,
)
from gateway.domain.decisions import Summary
from gateway.domain.health import SensorState, Watch
from gateway.domain.household import Household
from gateway.domain.ids import ulid
from gateway.domain.instant import HOUR, Instant
from gateway.domain.sensor import Kind, Room, Sensor, Supervision

TENANT = "yeoju"
HUB = "h-7q2m9x4kt3"
CENTRE = "c1"
BOOT = "8f14e45f-ceea-467f-9575-3c1d2e8b7a10"
JOURNAL = "01J8ZQ4T0M5W3K7C9XN2B6HDVR"
VERSION = "1.0.0"
SETTINGS = "b3:5d1c0f7a"
MODEL = "inactivity-2026.2"

KEY_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
KEY_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"""Private and public half of the example key, base64url (RFC 8037, appendix A.1)."""

START = datetime.fromisoformat("2026-03-01T06:00:00+09:00").timestamp()

HOME = Household(
    hub=HUB,
    sensors=(
        Sensor("s-bath", Kind.MOTION, Room.BATH),
        Sensor("s-bed", Kind.OCCUPANCY, Room.BED, Supervision.BEACON, 60.0),
        Sensor("s-door", Kind.ENTRANCE, Room.ENTRANCE),
        Sensor("s-fridge", Kind.CONTACT, Room.KITCHEN, Supervision.EVENT_ONLY, 86400.0),
        Sensor("s-help", Kind.HELP, Room.LIVING, Supervision.EVENT_ONLY, 86400.0),
        Sensor("s-kitchen", Kind.MOTION, Room.KITCHEN),
        Sensor("s-smoke", Kind.SMOKE, Room.KITCHEN, Supervision.BEACON, 300.0),
    ),
)


def at(hours: float) -> Instant:
    """The moment so many hours after the story's beginning."""
    return Instant(BOOT, 1000.0 + hours * HOUR, START + hours * HOUR)


def encoder() -> Encoder:
    """The hub of the story speaks."""
    return Encoder(HOME, boot=BOOT, journal=JOURNAL)


def _quiet(now: float, seen: float, room: Room, sensor: str) -> Quiet:
    silence = (now - seen) * HOUR
    return Quiet(at(seen), room, sensor, silence, silence)


def _alert(
    number: int,
    version: int,
    alert_type: AlertType,
    level: Level,
    state: AlertState,
    now: float,
    raised: float,
    quiet: Quiet,
    *,
    subject: str = "",
    because: str = "",
    still: bool = True,
    cause: bool = True,
    outcome: Outcome | None = None,
    service: str | None = None,
    by: str = "",
    presses: int = 0,
    suspect: tuple[str, ...] = (),
    away: bool | None = False,
    days_left: int | None = None,
    explanation: Explanation | None = None,
) -> Alert:
    return Alert(
        id=ulid(at(raised).wall, HUB, BOOT, number),
        version=version,
        type=alert_type,
        level=level,
        state=state,
        at=at(now),
        raised=at(raised),
        subject=subject,
        because=because,
        open=still,
        cause=cause,
        quiet=quiet,
        outcome=outcome,
        service=service,
        by=by,
        presses=presses,
        suspect=suspect,
        away=away,
        days_left=days_left,
        explanation=explanation,
    )


_WATCH_EXPLAINED = Explanation(
    by="ceiling",
    usual_p50=2 * HOUR,
    usual_p95=7 * HOUR,
    weekend=True,
    days=41,
    silent=("s-bath", "s-bed", "s-door", "s-kitchen"),
    door_used=13.25 * HOUR,
    door_open=False,
    at_door=False,
)
_WARNING_EXPLAINED = msgspec.structs.replace(
    _WATCH_EXPLAINED, door_used=17.25 * HOUR, doubts=(Doubt.SUSPECT_SENSORS,)
)

_COOKING = _quiet(2.5, 2.49, Room.KITCHEN, "s-kitchen")
_PRESSED = _quiet(4.0, 3.9, Room.BATH, "s-bath")

AWAY = _alert(
    1, 1, AlertType.AWAY, Level.NOTE, AlertState.RAISED, 1.0, 1.0,
    _quiet(1.0, 0.75, Room.ENTRANCE, "s-door"), because="began", away=True,
)  # fmt: skip
SMOKE_RAISED = _alert(
    2, 1, AlertType.SMOKE, Level.EMERGENCY, AlertState.RAISED, 2.5, 2.5, _COOKING,
    subject="s-smoke", because="began",
)  # fmt: skip
SMOKE_CLEARED = _alert(
    2, 2, AlertType.SMOKE, Level.EMERGENCY, AlertState.CLEARED, 2.55, 2.5, _COOKING,
    subject="s-smoke", because="over", cause=False,
)  # fmt: skip
HELP_RAISED = _alert(
    3, 1, AlertType.HELP_BUTTON, Level.EMERGENCY, AlertState.RAISED, 4.0, 4.0, _PRESSED,
    subject="s-help", because="pressed", presses=1,
)  # fmt: skip
HELP_AGAIN = _alert(
    3, 2, AlertType.HELP_BUTTON, Level.EMERGENCY, AlertState.RAISED, 4.01, 4.0, _PRESSED,
    subject="s-help", because="pressed again", presses=2,
)  # fmt: skip
HELP_ACCEPTED = _alert(
    3, 3, AlertType.HELP_BUTTON, Level.EMERGENCY, AlertState.ACCEPTED, 4.02, 4.0, _PRESSED,
    subject="s-help", because="answered", presses=2, by="operator",
)  # fmt: skip
HELP_CLOSED = _alert(
    3, 4, AlertType.HELP_BUTTON, Level.EMERGENCY, AlertState.CLOSED, 4.6, 4.0, _PRESSED,
    subject="s-help", because="answered", presses=2, by="operator", still=False,
    outcome=Outcome.TRUE, service="visited by 119",
)  # fmt: skip
QUIET_WATCH = _alert(
    4, 1, AlertType.INACTIVITY_WATCH, Level.WATCH, AlertState.RAISED, 14.0, 14.0,
    _quiet(14.0, 6.0, Room.BED, "s-bed"), because="ceiling", explanation=_WATCH_EXPLAINED,
)  # fmt: skip
QUIET_WARNING = _alert(
    4, 2, AlertType.INACTIVITY_WARNING, Level.WARNING, AlertState.ESCALATED, 18.0, 14.0,
    _quiet(18.0, 6.0, Room.BED, "s-bed"), because="ceiling", suspect=("s-fridge",),
    explanation=_WARNING_EXPLAINED,
)  # fmt: skip
QUIET_CLEARED = _alert(
    4, 3, AlertType.INACTIVITY_WARNING, Level.WARNING, AlertState.CLEARED, 18.5, 14.0,
    _quiet(18.5, 18.5, Room.BATH, "s-bath"), because="activity", still=False, cause=False,
)  # fmt: skip
LOST = _alert(
    5, 1, AlertType.TECH_SENSOR_LOST, Level.WATCH, AlertState.RAISED, 20.0, 20.0,
    _quiet(20.0, 19.9, Room.BATH, "s-bath"), subject="s-bed", because="began", suspect=("s-bed",),
)  # fmt: skip
BATTERY = _alert(
    7, 1, AlertType.TECH_SENSOR_BATTERY, Level.WATCH, AlertState.RAISED, 20.0, 20.0,
    _quiet(20.0, 19.9, Room.BATH, "s-bath"), subject="s-bed", because="began", days_left=19,
)  # fmt: skip
SET_ASIDE = _alert(
    8, 1, AlertType.TECH_SENSOR_SUSPECT, Level.WATCH, AlertState.RAISED, 20.5, 20.5,
    _quiet(20.5, 19.9, Room.BATH, "s-bath"), subject="s-kitchen", because="replay",
    suspect=("s-kitchen",),
)  # fmt: skip
DECLINE = _alert(
    9, 1, AlertType.ROUTINE_DRIFT, Level.WATCH, AlertState.RAISED, 20.8, 20.8,
    _quiet(20.8, 20.8, Room.BATH, "s-bath"), because="decline",
)  # fmt: skip
VISIT = _alert(
    6, 1, AlertType.VISIT, Level.NOTE, AlertState.RAISED, 21.0, 21.0,
    _quiet(21.0, 20.9, Room.ENTRANCE, "s-door"), subject="welfare-planner", because="began",
)  # fmt: skip

SUMMARY = Summary(
    START, 600.0, {"s-bath": 3, "s-door": 2, "s-kitchen": 14}, away=False, blind=False
)

_SENSORS = {sensor.id: SensorState.OK for sensor in HOME.sensors}

WATCHING = Watch(
    watching=True,
    reasons=(),
    last_activity_wall=START + 3.9 * HOUR,
    silence=0.1 * HOUR,
    covered=0.1 * HOUR,
    away=False,
    paused_until_wall=None,
    visit=None,
    sensors=_SENSORS | {"s-fridge": SensorState.UNPROVEN, "s-help": SensorState.UNPROVEN},
    open_alerts=0,
    next_question_wall=None,
)
BLIND = Watch(
    watching=False,
    reasons=("blind",),
    last_activity_wall=START + 3.9 * HOUR,
    silence=2.1 * HOUR,
    covered=1.6 * HOUR,
    away=False,
    paused_until_wall=None,
    visit=None,
    sensors=_SENSORS | {"s-bed": SensorState.LOST, "s-bath": SensorState.STALE},
    open_alerts=1,
    next_question_wall=None,
)


def heartbeat(watch: Watch, *, hours: float) -> wire.HeartbeatData:
    """A heartbeat of the story."""
    return encoder().heartbeat_data(
        watch,
        interval_s=300,
        uptime_s=hours * HOUR,
        queue=wire.QueueData(alerts=0, records=1, oldest_unreceived_alert_s=None),
        alert_sequence=4,
        record_sequence=12,
        power="mains",
        version=VERSION,
        settings=SETTINGS,
        model=MODEL,
        faults=() if watch.watching else ("ble",),
        counters={"reconnects": 1, "resent": 0},
        chain=wire.ChainData(7, "8d1f0c6be2a94573d05e7b1a6c3f9280e4b7d512"),
    )


def birth() -> wire.BirthData:
    """What the hub of the story is."""
    return encoder().birth_data(
        HOME, version=VERSION, settings=SETTINGS, model=MODEL, heartbeat_s=300
    )


def answer(
    counter: int, hours: float, *answers: wire.AlertReceipt | wire.RecordsReceipt
) -> wire.Answer:
    """What the centre of the story says."""
    return wire.Answer(
        hub=HUB,
        bootid=BOOT,
        centre=CENTRE,
        counter=counter,
        at=encoder().time(at(hours).wall),
        answers=list(answers),
    )
