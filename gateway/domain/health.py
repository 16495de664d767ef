"""How a hub is, as its heartbeat and its status say it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class SensorState(StrEnum):
    """Whether a sensor is alive (R13)."""

    OK = "ok"
    STALE = "stale"
    LOST = "lost"
    UNPROVEN = "unproven"  # an event-only sensor, or one not heard since the start


class Watch(Struct, frozen=True):
    """What the engine can honestly say about its watch at one moment.

    ``watching`` is True only if an alert would come of a silence now: the home is seen and the
    watch is not paused. ``reasons`` says why not: "blind", "paused", "starting"; the
    hub adds "storage" and "engine" where it cannot store or its engine fails.
    """

    watching: bool
    reasons: tuple[str, ...]
    last_activity_wall: float | None
    silence: float | None
    covered: float | None
    away: bool
    paused_until_wall: float | None
    visit: str | None
    sensors: dict[str, SensorState]
    open_alerts: int
    next_question_wall: float | None
    """When stage 1 would speak if the silence went on."""
