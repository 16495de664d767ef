"""A generated home: its sensors, its rows, and what is true about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any

from gateway.domain.observation import Observation
from gateway.domain.sensor import Sensor
from gateway.sensing import recording
from gateway.sensing.rows import Row, local_seconds, stamp
from models.homes.days import Span, collapse, life
from models.homes.doings import Said, Volume, said, volume
from models.homes.layout import sensors
from models.homes.plan import Plan
from models.homes.signs import audible, events, standing

_LEAVING = 60.0
"""Seconds within which somebody who goes out has shut the door behind them."""


@dataclass(frozen=True)
class GeneratedHome:
    """A home that nobody lives in.

    ``lived``  what the resident does, all the time; as if there were no collapse
    ``away``   absences (start, end), local seconds, from the door being shut until it opens
    ``truth``  what was planned and what came of it; JSON-ready
    """

    plan: Plan
    sensors: tuple[Sensor, ...]
    lived: tuple[Span, ...]
    away: tuple[tuple[float, float], ...]
    collapsed: float | None
    truth: dict[str, Any]
    volume: Volume

    def rows(self) -> Iterator[Row]:
        """The rows in the order of time, made as they are asked for; the same each time."""
        reaches = audible(self.plan, self.sensors)
        moves = said(self.plan, self.sensors, self.lived, self.volume)
        streams = [
            iter(events(self.plan, _until(self.lived, self.collapsed))),
            self._until_collapse(moves),
            *standing(self.plan, self.sensors),
        ]
        last = round(self.plan.end * 1000)
        for row in merge(*streams, key=itemgetter(0)):
            if row[0] >= last:
                return
            if reaches(row):
                yield Row(local_seconds(row[0]), row[1], row[2])

    def observations(self, utc_offset: int = 540, *, start: int = 1) -> Iterator[Observation]:
        """The rows as observations, exactly as if they had been written and loaded."""
        return recording.observations_of(self.rows(), self.sensors, utc_offset, start=start)

    def _until_collapse(self, moves: Iterator[Said]) -> Iterator[Said]:
        if self.collapsed is None:
            return moves
        end = round(self.collapsed * 1000)
        return (move for move in moves if move[0] < end)


def generate(plan: Plan) -> GeneratedHome:
    """Generate a home. Deterministic: the same plan gives the same rows on every Python.

    Raises ValueError where the plan asks for something that cannot be.
    """
    listed = sensors(plan)
    lived = life(plan)
    fall = collapse(plan, lived)
    spans = _until(lived, None if fall is None else fall.start)
    away = tuple(
        (span.start + _LEAVING, span.end)
        for span in spans
        if span.what == "out" and span.end - span.start > 2 * _LEAVING
    )
    return GeneratedHome(
        plan=plan,
        sensors=listed,
        lived=tuple(lived),
        away=away,
        collapsed=None if fall is None else fall.start,
        truth=_truth(plan, spans, fall),
        volume=volume(plan, listed),
    )


def write(home: GeneratedHome, folder: Path | str, name: str) -> Path:
    """Write ``<name>.csv.gz``, ``.sensors.csv``, ``.away.csv`` and ``.truth.json``.

    Returns the path of the rows' file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv.gz"
    recording.write(path, home.sensors, home.rows(), home.away)
    text = json.dumps(home.truth, indent=1, ensure_ascii=False)
    (folder / f"{name}.truth.json").write_text(text + "\n", encoding="utf-8")
    return path


def _until(spans: Iterable[Span], end: float | None) -> list[Span]:
    """What was really done: nothing from a collapse on."""
    if end is None:
        return list(spans)
    return [span._replace(end=min(span.end, end)) for span in spans if span.start < end]


def _truth(plan: Plan, spans: list[Span], fall: Span | None) -> dict[str, Any]:
    """All that an evaluation may want to know and a detector must not."""

    def both(stretch: tuple[float, float]) -> list[str]:
        return [stamp(stretch[0]), stamp(stretch[1])]

    return {
        "kind": plan.kind,
        "seed": plan.seed,
        "collapse": None if fall is None else stamp(fall.start),
        "collapse_during": None if fall is None else fall.what,
        "visits": [both(span[:2]) for span in spans if span.what == "visit"],
        "dead": {name: stamp(plan.at(since)) for name, since in plan.dead},
        "radio_silence": [both(plan.stretch(stretch)) for stretch in plan.radio_silence],
        "absences": [both(plan.stretch(stretch)) for stretch in plan.absences],
        "presses": [stamp(plan.at(moment)) for moment in plan.presses],
        "temperature_drop": _when(plan, plan.temperature_drop),
        "decline": _when(plan, plan.decline),
        "turn": _when(plan, plan.turn),
        "plan": asdict(plan),
    }


def _when(plan: Plan, moment: float | str | None) -> str | None:
    return None if moment is None else stamp(plan.at(moment))
