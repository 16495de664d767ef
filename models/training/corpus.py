"""From homes to examples: what the engine would have seen, and what then happened.

The inputs come from the engine's own Habits and features, fed event by event, so that a hub and
its training never differ. An example is one ten-minute row of a silence that was reached; its
label says whether the silence ended within it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.observation import Observation, Switched
from gateway.domain.sensor import Kind, Room, Sensor
from gateway.engine.evidence import is_activity
from gateway.engine.features import FEATURES, rows
from gateway.engine.habits import LONGEST, Habits, SilenceStart
from gateway.engine.predictor import Silences
from gateway.engine.stopping import ROWS, STEP

LEAST_EVENTS = 200
"""A thinned home with fewer events is no home any more."""
THINNED = 3
"""Thinned copies of each home: hubs have fewer sensors than laboratories."""
LONG = 1_000
LIVES = (1, 2, 4, 8, 16, LONG)
"""Days after which the habits begin anew, drawn anew each time, so that the network learns what
little history is worth (R22)."""


class Event(Struct, frozen=True, gc=False):
    """Somebody moved. ``local`` in seconds; ``sensor`` only for thinning."""

    local: float
    room: Room
    entrance: bool
    sensor: str


class Home(Struct, frozen=True):
    """``person`` lives there (one person may have several homes); ``weight`` is what all rows of
    the home and its thinned copies weigh together."""

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


def alike(homes: Sequence[Home]) -> list[Home]:
    """The same homes, the weight of each shared out among the homes of its person: a person who
    was recorded twice, or for a year, is still one person."""
    count = Counter(home.person for home in homes)
    return [replace(home, weight=home.weight / count[home.person]) for home in homes]


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
    events: Iterable[Event], lives: Iterator[int] | None = None
) -> Iterator[tuple[Habits, SilenceStart, float]]:
    """Each silence of ten minutes to 48 hours as the engine meets it: the habits as they stood,
    how it began, and how long it lasted. The habits learn from it afterwards and start anew after
    so many days as ``lives`` says each time; never where it says nothing."""
    lives = repeat(LONG) if lives is None else lives
    habits, end, last = Habits(), 0.0, None
    for event in events:
        if last is None or event.local > end:
            habits, end = Habits(), event.local + next(lives) * 86_400
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
    parts = [part for events in copies if (part := _rows_of(events, chance)).labels]
    result = empty()
    for part in parts:
        count = len(part.labels)
        part.weights.extend([home.weight / len(parts) / count] * count)
        result.add(part)
    return result


def _rows_of(events: Iterable[Event], chance: Random) -> Examples:
    """Rows and labels, without weights yet."""
    part = empty()
    for habits, start, length in silences(events, (chance.choice(LIVES) for _ in repeat(None))):
        reached = min(ROWS, int(length // STEP))
        part.inputs.extend(rows(habits.profile, start)[: reached * FEATURES])
        part.labels.extend([0.0] * (reached - 1) + [1.0])
    return part


def thinned(events: Sequence[Event], chance: Random) -> tuple[Event, ...]:
    """The same home with fewer sensors and, three times in ten, with lost events."""
    sensors = sorted({event.sensor for event in events})
    share = chance.uniform(0.3, 0.9)
    kept = {sensor for sensor in sensors if chance.random() < share}
    heard = chance.uniform(0.2, 0.8) if chance.random() < 0.3 else 1.0
    left = tuple(event for event in events if event.sensor in kept and chance.random() < heard)
    return left if len(left) >= LEAST_EVENTS else ()


def pseudo_silences(homes: Sequence[Home], most: int = 6) -> Silences:
    """The kernel's prior: of each room and two hours of the day up to ``most`` silences that stand
    for all, as (minute of the day, minutes, room, weight). Rows of a home weigh what
    the home weighs."""
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
