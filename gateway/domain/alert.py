"""Alerts: one condition is one alert with versions that change its level and state."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct

from gateway.domain.instant import Instant
from gateway.domain.sensor import Room


class Level(IntEnum):
    """How urgent. Level 1 asks in the home and never calls an operator; 2 and up are the
    centre's (requirements, "Settled"). Names are a table of the town, not of ours."""

    NOTE = 0
    WATCH = 1
    WARNING = 2
    ALARM = 3
    EMERGENCY = 4


class AlertType(StrEnum):
    """Every type of the A-table that the hub can raise today."""

    HELP_BUTTON = "help.button"
    SMOKE = "hazard.smoke"
    GAS = "hazard.gas"
    CO = "hazard.co"
    FLOOD = "hazard.flood"
    INACTIVITY_WATCH = "inactivity.watch"
    INACTIVITY_WARNING = "inactivity.warning"
    INACTIVITY_ALARM = "inactivity.alarm"
    WELFARE_UNKNOWN = "welfare.unknown"
    AWAY = "away"
    AWAY_TOO_LONG = "away.too_long"
    NO_EXIT = "no_exit"
    ROUTINE_DRIFT = "routine.drift"
    DOOR_OPEN_LONG = "door.open_long"
    TEMP_LOW = "temp.low"
    TEMP_HIGH = "temp.high"
    BLIND = "monitoring.blind"
    TECH_MAINS = "tech.mains"
    TECH_SENSOR_LOST = "tech.sensor_lost"
    TECH_SENSOR_SUSPECT = "tech.sensor_suspect"
    TECH_SENSOR_BATTERY = "tech.sensor_battery"
    TECH_TAMPER = "tech.tamper"
    TECH_CONFIG = "tech.config"
    TECH_STORAGE = "tech.storage"
    JOURNAL_RECOVERED = "journal.recovered"
    TECH_CLOCK = "tech.clock"
    TECH_LINK = "tech.link"
    TECH_MODEL = "tech.model"
    TECH_UPDATE = "tech.update"
    PAUSED = "privacy.paused"
    VISIT = "visit"


class AlertState(StrEnum):
    """Where a condition stands. ``received`` is a machine's word and lives in the outbox."""

    RAISED = "raised"
    ESCALATED = "escalated"
    CLEARED = "cleared"
    ACCEPTED = "accepted"
    ACTING = "acting"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What an alert turned out to be. Required to close one: without it R20 cannot be measured."""

    TRUE = "true"
    FALSE_AWAY = "false-away"
    FALSE_SLEEP = "false-sleep"
    FALSE_SENSOR = "false-sensor"
    TEST = "test"
    VISITOR = "visitor"
    UNKNOWN = "unknown"


class Quiet(Struct, frozen=True):
    """How quiet the home was when an alert was made.

    ``last_activity``  when somebody was last active; None if never yet
    ``room``           kind of room of that activity
    ``sensor``         the sensor that saw it
    ``silence``        seconds since then
    ``covered``        seconds of it during which the home was seen (R15)
    """

    last_activity: Instant | None = None
    room: Room | None = None
    sensor: str | None = None
    silence: float | None = None
    covered: float | None = None


class Doubt(StrEnum):
    """What an explanation is not sure of (R23)."""

    SUSPECT_SENSORS = "suspect-sensors"
    AT_DOOR = "at-door"
    DOOR_OPEN = "door-open"
    NO_DOOR_SENSOR = "no-door-sensor"
    LITTLE_HISTORY = "little-history"
    NO_MODEL = "no-model"
    PART_BLIND = "part-blind"
    PART_PAUSED = "part-paused"
    VISITED = "visited"
    CLOCK_UNSURE = "clock-unsure"
    NEVER_SEEN = "never-seen"


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Why there is an inactivity alert, beside its ``Quiet`` (R23).

    ``by``             who decided: "network+kernel", "kernel", "ceiling", "unanswered" (a question
                       in the home), "rule" (about absence or blindness); empty: nobody did
    ``usual_p50``      seconds after which half of such silences end; None if nothing is known
    ``usual_p95``      seconds after which 19 of 20 of them end
    ``weekend``        whether the silence began at a weekend: ``usual`` is of such days
    ``days``           days of this home's history
    ``silent``         sensors that were proven alive at that moment and saw nobody
    ``more_silent``    how many of those are not named
    ``door_used``      seconds since the entrance was last used; None if never yet
    ``door_open``      whether an entrance stands open; None without a sound sensor there
    ``at_door``        whether the silence began at the entrance; None without a sensor there
    ``doubts``         what is uncertain, codes of ``Doubt``; a later version's codes are read too
    """

    by: str = ""
    usual_p50: float | None = None
    usual_p95: float | None = None
    weekend: bool | None = None
    days: int = 0
    silent: tuple[str, ...] = ()
    more_silent: int = 0
    door_used: float | None = None
    door_open: bool | None = None
    at_door: bool | None = None
    doubts: tuple[str, ...] = ()


class Alert(Struct, frozen=True):
    """One version of one alert.

    ``id``       ULID, the same for all versions
    ``version``  1, 2, 3, ...
    ``at``       when this version came about
    ``raised``   when the alert began
    ``subject``  the sensor, part or role it is about; empty for the home as a whole
    ``because``  machine-readable cause of this version, e.g. "ceiling", "model", "pressed"; for a
                 suspect sensor what is wrong with it, e.g. "wire", "stuck", "silent"; for a
                 drift of the routine "decline" or "turn"
    ``open``     whether the alert still wants something: False once it is cleared below level 3,
                 or closed by the centre
    ``cause``    whether its cause is still there
    """

    id: str
    version: int
    type: AlertType
    level: Level
    state: AlertState
    at: Instant
    raised: Instant
    subject: str = ""
    because: str = ""
    open: bool = True
    cause: bool = True
    quiet: Quiet = Quiet()
    outcome: Outcome | None = None
    service: str | None = None
    by: str = ""
    presses: int = 0
    suspect: tuple[str, ...] = ()
    """Sensors that were stale, lost or at fault at that moment: what the alert is not sure of."""
    away: bool | None = None
    """Whether the resident was held to be away; None when unknown."""
    days_left: int | None = None
    """Days that a low battery will last, as far as its percentages tell; None where they do not."""
    explanation: Explanation | None = None
    """Why, while a silence or an absence is told; None for other alerts, and once it is over."""
