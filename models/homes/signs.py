"""What sensors say although nobody does anything, and what goes wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gateway.domain.sensor import Sensor, Supervision
from gateway.sensing.meanings import HOME
from models.homes.chance import Chance
from models.homes.days import Span
from models.homes.doings import Said
from models.homes.layout import HEARD_EVERY, HELP, MAINS, TEMPERATURE, needs_temperature
from models.homes.plan import DAY, HOUR, Plan

TEMPERATURE_EVERY: Final = 600.0
"""Seconds."""
COLD: Final = 5.0
"""Degrees Celsius that an unheated home comes down to in a Korean winter night [D]."""
COOLING: Final = 5 * HOUR
"""Seconds in which the difference to outside falls to a third (light walls) [D]."""


def heard(plan: Plan, sensor: Sensor) -> Iterator[Said]:
    """A beacon's signs of life, every four and a half to five minutes."""
    chance = Chance("heard", plan.seed, sensor.id)
    t = plan.origin + chance.between(0, HEARD_EVERY)
    while t < plan.end:
        yield round(t * 1000), sensor.id, "HEARD"
        t += chance.between(0.9, 1.0) * HEARD_EVERY


def temperatures(plan: Plan) -> Iterator[Said]:
    """Every ten minutes; warmest in the afternoon, colder and colder once the heating fails."""
    chance = Chance("temperature", plan.seed)
    level = chance.between(20.0, 23.0)
    fails = None if plan.temperature_drop is None else plan.at(plan.temperature_drop)
    t = plan.origin + chance.between(0, TEMPERATURE_EVERY)
    while t < plan.end:
        warm = level + 1.2 * math.cos(2 * math.pi * ((t - plan.origin) / DAY - 15 / 24))
        if fails is not None and t > fails:
            warm = COLD + (warm - COLD) * math.exp((fails - t) / COOLING)
        yield round(t * 1000), TEMPERATURE, f"{warm + chance.normal(0, 0.1):.1f}"
        t += TEMPERATURE_EVERY


def events(plan: Plan, spans: Iterable[Span]) -> list[Said]:
    """The single things on request: presses, mains, visitors' tags, pauses, a deaf radio."""
    listed: list[Said] = []

    def add(t: float, sensor: str, value: str) -> None:
        if plan.origin <= t < plan.end:
            listed.append((round(t * 1000), sensor, value))

    for moment in plan.presses:
        add(plan.at(moment), HELP, "PRESS")
    if plan.mains or plan.mains_cuts:
        add(plan.origin, MAINS, "ON")
    for start, end in map(plan.stretch, plan.mains_cuts):
        add(start, MAINS, "OFF")
        add(end, MAINS, "ON")
    for start, end in map(plan.stretch, plan.pauses):
        add(start, HOME, f"PAUSE:{end - start:g}")
    if plan.tagged_visits:
        for span in spans:
            if span.what == "visit":
                add(span.start + 30, HOME, "VISIT:visitor")
                add(span.end - 30, HOME, "LEAVE:visitor")
    if plan.radio_silence_told:
        for start, end in map(plan.stretch, plan.radio_silence):
            add(start, HOME, "SOURCE_DOWN:ble")
            add(end, HOME, "SOURCE_UP:ble")
    return sorted(listed, key=lambda said: said[0])


def standing(plan: Plan, sensors: Iterable[Sensor]) -> list[Iterator[Said]]:
    """Everything that goes on whatever people do, one stream for each sensor."""
    streams = [heard(plan, s) for s in sensors if s.supervision is Supervision.BEACON]
    if needs_temperature(plan):
        streams.append(temperatures(plan))
    return streams


def audible(plan: Plan, sensors: Iterable[Sensor]) -> Callable[[Said], bool]:
    """Whether a row reaches the hub: its sensor lives and its radio is heard."""
    dead = {name: round(plan.at(since) * 1000) for name, since in plan.dead}
    radio = {s.id for s in sensors if s.supervision is not Supervision.WIRED}
    silent = [
        (round(start * 1000), round(end * 1000))
        for start, end in map(plan.stretch, plan.radio_silence)
    ]

    def reaches(said: Said) -> bool:
        t, sensor, _ = said
        if sensor in dead and t >= dead[sensor]:
            return False
        return not (sensor in radio and any(start <= t < end for start, end in silent))

    return reaches
