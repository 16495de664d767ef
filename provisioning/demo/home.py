"""The home of the demonstration: one person, one week, and what happens in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.domain.sensor import Sensor, Supervision
from models.homes import Plan, generate, write

NAME = "week"
START = "2026-03-02"
"""A Monday."""

DAYS = 7
HELP = "help_button"
DEAD = "bath_motion"
DIES = 26.0
"""Hours since the first midnight: Tuesday 02:00."""

MAINS_CUT = (60.0, 3.5)
"""Start and length in hours: Wednesday noon, while the link is cut."""

COLLAPSE = 4 * 24 + 13.0
"""Friday 13:00, or as soon after as the resident is at home and alone."""

BEACONS = frozenset({DEAD, "hall_motion", HELP})
"""Sensors that are heard by radio; the others are wired, which makes a week half as long to play."""

SEED = 11


def make(folder: Path) -> Path:
    """Write the home to ``folder``; returns the path of its rows. The same bytes each time."""
    plan = Plan(
        seed=SEED,
        days=DAYS,
        start=START,
        events_per_day=400,
        beacons=True,
        help=True,
        temperature=True,
        mains=True,
        dead=((DEAD, DIES),),
        mains_cuts=(MAINS_CUT,),
        collapse=COLLAPSE,
    )
    home = generate(plan)
    sensors = tuple(_wired(sensor) for sensor in home.sensors)
    return write(replace(home, sensors=sensors), folder, NAME)


def _wired(sensor: Sensor) -> Sensor:
    if sensor.id in BEACONS:
        return sensor
    return Sensor(sensor.id, sensor.kind, sensor.room, Supervision.WIRED)
