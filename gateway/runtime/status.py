"""How the hub is, for ``ansim status``: said by the hub itself, or read from what it left behind."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct


class Verdict(IntEnum):
    """Exit codes of ``ansim status`` (those of monitoring plugins)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


UNRECEIVED_LIMIT = 180.0
"""Seconds after which an unreceived alert is critical (R5)."""


class AlertLine(Struct, frozen=True):
    """An open alert."""

    alert_id: str
    version: int
    type: str
    level: int
    state: str
    raised_at: str
    subject: str = ""


class Status(Struct, frozen=True, kw_only=True):
    """``running`` is False if it was read from the journal of a hub that does not answer; then
    only what a journal knows is set. Times are ISO 8601 with the home's offset."""

    hub: str
    running: bool
    at: str | None = None
    boot: str | None = None
    version: str | None = None
    pid: int | None = None
    uptime_s: float | None = None
    memory_mib: float | None = None
    watching: bool = False
    reasons: tuple[str, ...] = ()
    last_activity_at: str | None = None
    silence_s: float | None = None
    away: bool | None = None
    paused_until: str | None = None
    sensors_ok: int = 0
    sensors_stale: tuple[str, ...] = ()
    sensors_lost: tuple[str, ...] = ()
    sensors_unproven: tuple[str, ...] = ()
    alerts: tuple[AlertLine, ...] = ()
    connected: bool = False
    link_trouble: str | None = None
    """Why there is no session with the first broker."""
    link_fault: str | None = None
    """What is wrong although there may be one: "identity", "suspect" or "unreceived"."""
    second_path: bool = False
    """Whether the second way to the centre is in use (R5)."""
    centre_there: bool | None = None
    waiting_alerts: int = 0
    waiting_records: int = 0
    oldest_unreceived_s: float | None = None
    observations: int = 0
    last_known_at: str | None = None
    faults: dict[str, str] = {}
    counters: dict[str, int] = {}
    radio: str | None = None
    """"hears", "flood" or why it is deaf; None in a home without Bluetooth sensors."""
    scan: str | None = None
    sensor_problems: dict[str, str] = {}
    """By sensor, a machine-readable reason: "set-aside", "pin-busy", ..."""
    settings: str | None = None
    model: str | None = None


def verdict(status: Status) -> tuple[Verdict, tuple[str, ...]]:
    """What a person should think of it, and the facts that say so (machine-readable words)."""
    critical = []
    warning = []
    if not status.running:
        critical.append("not-running")
    elif not status.watching and set(status.reasons) != {"paused"}:
        critical.append("not-watching")
    elif not status.watching:
        warning.append("paused")
    if (status.oldest_unreceived_s or 0.0) > UNRECEIVED_LIMIT:
        critical.append("unreceived")
    levels = [alert.level for alert in status.alerts]
    if any(level >= 3 for level in levels):
        critical.append("alarm")
    elif any(level >= 1 for level in levels):
        warning.append("alert")
    warning += [f"fault:{part}" for part in sorted(status.faults)]
    if status.sensors_lost or status.sensors_stale or status.sensor_problems:
        warning.append("sensors")
    if status.running and not status.connected:
        warning.append("no-link")
    elif status.running and status.centre_there is False:
        warning.append("no-centre")
    if critical:
        return Verdict.CRITICAL, tuple(critical + warning)
    return (Verdict.WARNING, tuple(warning)) if warning else (Verdict.OK, ())
