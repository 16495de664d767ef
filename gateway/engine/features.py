"""What the network sees: 32 numbers for each ten minutes of a silence, 288 rows for 48 hours.

Training takes its inputs from here too; there is no second implementation. Every number is a
multiple of 1/64, as the network's weights are multiples of 1/32 or coarser: float32 then adds them
exactly, and each runtime and processor gives the same bits (models/README.md).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from math import cos, log1p, pi, sin

from gateway.engine.habits import DAY, SilenceStart
from gateway.engine.profile import HALVES, ROOMS, Profile
from gateway.engine.stopping import HOURS, ROWS, STEP

FEATURES = 32
GRID = 64.0
SLOTS = int(DAY // STEP)
"""Ten-minute slots in a day."""
NEVER = 48.0
"""Hours since the entrance was used, where it never was."""

NAMES = (
    "silence (log)",
    "silence",
    *(f"clock {name}" for name in ("sin", "cos", "sin 2", "cos 2")),
    *(f"clock of the last event {name}" for name in ("sin", "cos")),
    "weekend",
    *(f"last event in {room.value}" for room in ROOMS),
    "since the entrance",
    "entrance in use",
    "events in 30 min",
    "events in 3 h",
    "events in 3 h against usual",
    "usual line",
    "silence against the line",
    "silence against the mean, in spreads",
    "days of history",
    "active in this half hour",
    "active in the next half hour",
    "silence against this room's",
    "silence against this home's",
    "events a day",
    "silences a day",
)
"""One name for each column; "last event in entrance" also stands for "just came by the door"."""


def _on_grid(values: Iterable[float]) -> array[float]:
    return array("f", [(value * GRID + 0.5) // 1.0 / GRID for value in values])


def _clock(turns: int, wave: Callable[[float], float]) -> array[float]:
    """A wave over the day by ten-minute slot, long enough to cut any 48 hours out of it."""
    day = [wave(2 * pi * turns * slot / SLOTS) for slot in range(SLOTS)]
    return _on_grid(day * (1 + ROWS // SLOTS))


_SILENCE = [(row + 1) * HOURS for row in range(ROWS)]
_LOG = _on_grid(log1p(hours) for hours in _SILENCE)
_EIGHTHS = _on_grid(min(hours, 24.0) / 8.0 for hours in _SILENCE)
_WAVES = tuple(_clock(turns, wave) for turns in (1, 2) for wave in (sin, cos))
_WEEK = _on_grid(
    float((day + 3) % 7 >= 5) for day in range(7 + 1 + ROWS // SLOTS) for _ in range(SLOTS)
)
"""Weekend by ten-minute slot; day 0 is a Thursday."""


def rows(profile: Profile, start: SilenceStart) -> array[float]:
    """The rows of a silence, flattened: ``array('f')`` of ROWS x FEATURES."""
    began = int(start.local // STEP)
    now = (began + 1) % SLOTS
    line, mean, spread, active, later = (
        _by_slot(values, now)
        for values in (
            profile.line,
            profile.mean,
            profile.spread,
            profile.active,
            profile.active[1:] + profile.active[:1],
        )
    )
    of_room, of_home = profile.by_place[start.place], profile.overall
    since = NEVER if start.since_entrance is None else min(start.since_entrance / 3600.0, NEVER)
    against_usual = start.recent_3h * 8.0 / max(1.0, profile.events_a_day)
    week = (began + 1) % (7 * SLOTS)
    columns: list[array[float] | float] = [
        _LOG,
        _EIGHTHS,
        *(wave[now : now + ROWS] for wave in _WAVES),
        *(wave[began % SLOTS] for wave in _WAVES[:2]),
        _WEEK[week : week + ROWS],
        *(float(index == start.place) for index in range(len(ROOMS))),
        log1p(since) / 4.0,
        float(profile.entrances_a_day > 0.5),
        log1p(start.recent_30min) / 5.0,
        log1p(start.recent_3h) / 6.0,
        log1p(against_usual),
        _on_grid(value / 8.0 for value in line),
        _on_grid(min(s / at, 4.0) for s, at in zip(_SILENCE, line, strict=True)),
        _on_grid(
            max(-3.0, min(8.0, (s - at) / by)) / 3.0
            for s, at, by in zip(_SILENCE, mean, spread, strict=True)
        ),
        log1p(profile.days) / 3.0,
        _on_grid(active),
        _on_grid(later),
        _on_grid(min(s / of_room, 6.0) / 2.0 for s in _SILENCE),
        _on_grid(min(s / of_home, 6.0) / 2.0 for s in _SILENCE),
        log1p(profile.events_a_day) / 8.0,
        log1p(profile.gaps_a_day) / 3.0,
    ]
    flat = array("f", bytes(4 * ROWS * FEATURES))
    for index, column in enumerate(columns):
        values = column if isinstance(column, array) else _on_grid((column,)) * ROWS
        flat[index::FEATURES] = values
    return flat


def _by_slot(halves: list[float], now: int) -> list[float]:
    """Half-hourly figures as ten-minute ones from slot ``now`` on."""
    slots = [value for value in halves for _ in range(SLOTS // HALVES)]
    return (slots * (2 + ROWS // SLOTS))[now : now + ROWS]


assert len(NAMES) == FEATURES
