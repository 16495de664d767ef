"""From homes to examples: what the engine would have seen, and what then happened.

The inputs come from the engine's own Habits and features, fed event by event, so that a hub and
its training never differ. An example is one ten-minute row of a silence that was reached; its
label says whether the silence ended within it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from msgspec import Struct

from gateway.domain.observation import Observation, Switched
from gateway.domain.sensor import Kind, Room, Sensor
from gateway.engine.evidence import is_activity
from gateway.engine.features import FEATURES, rows
from gateway.engine.habits import LONGEST, Habits, SilenceStart
from gateway.engine.stopping import ROWS, STEP

LEAST_EVENTS = 200
"""A thinned home with fewer events is no home any more."""
THINNED = 3
"""Thinned copies of each home: hubs have fewer sensors than laboratories."""
LIVES = (1, 2, 4, 8, 16, 1_000)
"""Days after which the habits begin anew, so that the network learns what little history is
worth (R22)."""


class Event(Struct, frozen=True, gc=False):
    """Somebody moved. ``local`` in seconds; ``sensor`` only for thinning."""

    local: float
    room: Room
    entrance: bool
    sensor: str


class Home(Struct, frozen=True):
    """``person`` lives there (one person may have several homes); ``weight`` of the home."""

    name: str
    person: str
    events: tuple[Event, ...]
    weight: float = 1.0


class Examples(Struct):
    """``inputs`` holds n x FEATURES numbers; one label and one weight for each row."""

    inputs: array[float]
    labels: array[float]
    weights: array[float]

    def add(self, other: Examples) -> None:
        self.inputs.extend(other.inputs)
        self.labels.extend(other.labels)
        self.weights.extend(other.weights)


def empty() -> Examples:
    return Examples(array("f"), array("f"), array("f"))


def events_of(
    observations: Iterable[Observation], sensors: Sequence[Sensor], utc_offset: int
) -> tuple[Event, ...]:
    """The activity events of a home, by the engine's own rule of what activity is."""
    by_id = {sensor.id: sensor for sensor in sensors}
    events = []
    for observation in observations:
        what = observation.what
        if isinstance(what, Switched):
            sensor = by_id[what.sensor]
            if is_activity(sensor, what):
                local = observation.at.wall + utc_offset * 60
                entrance = sensor.kind is Kind.ENTRANCE
                events.append(Event(local, sensor.room, entrance, sensor.id))
    return tuple(events)


def silences(
    events: Iterable[Event], life: int = 1_000
) -> Iterator[tuple[Habits, SilenceStart, float]]:
    """Each silence of ten minutes to 48 hours as the engine meets it: the habits as they stood,
    how it began, and how long it lasted. The habits learn from it afterwards and start anew every
    ``life`` days."""
    habits, began, last = Habits(), 0.0, None
    for event in events:
        if last is None or event.local - began > life * 86_400:
            habits, began = Habits(), event.local
        elif STEP <= event.local - last.local < LONGEST:
            start = habits.start(last.local, last.room)
            yield habits, start, event.local - last.local
            habits.silence(start, event.local, learn=True)
        habits.event(event.local, event.room, event.entrance)
        last = event


def examples(home: Home, chance: Random) -> Examples:
    """All examples of a home and its thinned copies, weighing together what one home weighs."""
    copies = [home.events]
    copies.extend(filter(None, (thinned(home.events, chance) for _ in range(THINNED))))
    result = empty()
    for events in copies:
        part = empty()
        for habits, start, length in silences(events, chance.choice(LIVES)):
            reached = min(ROWS, int(length // STEP))
            part.inputs.extend(rows(habits.profile, start)[: reached * FEATURES])
            part.labels.extend([0.0] * (reached - 1) + [1.0])
        count = len(part.labels)
        # A home with many rows knows more than one with few, but not in proportion.
        part.weights.extend([home.weight / len(copies) / count**0.5] * count if count else [])
        result.add(part)
    return result


def thinned(events: Sequence[Event], chance: Random) -> tuple[Event, ...]:
    """The same home with fewer sensors and, three times in ten, with lost events."""
    sensors = sorted({event.sensor for event in events})
    share = chance.uniform(0.3, 0.9)
    kept = {sensor for sensor in sensors if chance.random() < share}
    heard = chance.uniform(0.2, 0.8) if chance.random() < 0.3 else 1.0
    left = tuple(event for event in events if event.sensor in kept and chance.random() < heard)
    return left if len(left) >= LEAST_EVENTS else ()


def pseudo_silences(
    homes: Sequence[Home], most: int = 6
) -> tuple[tuple[int, int, int, float], ...]:
    """The kernel's prior: of each room and two hours of the day up to ``most`` silences that stand
    for all, as (minute of the day, minutes, room, weight). Every home weighs alike."""
    cells: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    for home in homes:
        lasting = [
            (start, length) for _, start, length in silences(home.events) if length >= 2 * STEP
        ]
        for start, length in lasting:
            minute = int(start.local) // 60 % 1440
            cell = cells.setdefault((start.place, minute // 120), [])
            cell.append((int(length) // 60, minute, home.weight / len(lasting)))
    table = []
    for (place, _), found in sorted(cells.items()):
        found.sort()
        parts = min(most, len(found))
        for part in range(parts):
            members = found[len(found) * part // parts : len(found) * (part + 1) // parts]
            weight = sum(member[2] for member in members)
            minutes, minute, _ = members[len(members) // 2]
            table.append((minute, minutes, place, round(weight * 1_000, 3)))
    return tuple(table)
