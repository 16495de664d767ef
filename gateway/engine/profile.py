"""What is usual in one home, drawn up once a day from the days before.

Where a home has little history, each figure is drawn towards what is usual anywhere, so that the
first night of a new home is treated like anybody's first night (R22).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct, field

from gateway.domain.sensor import Room

HALVES = 48
ROOMS = tuple(Room)
ROOM_INDEX = {room: index for index, room in enumerate(ROOMS)}
DOOR = ROOM_INDEX[Room.ENTRANCE]

# What is usual anywhere: hours, except for shares and counts a day. Worth 1.5 days of own history
# (half a day for counts) and 4 silences of a room. From the prototype of docs/detection.md.
ANYWHERE_LINE = 6.0
ANYWHERE_MEAN = 2.0
ANYWHERE_SPREAD = 2.0
ANYWHERE_ACTIVE = 0.6
ANYWHERE_SILENCE = 3.0
ANYWHERE_GAPS = 8.0
ANYWHERE_EVENTS = 200.0
LEAST_SPREAD = 0.25
LEAST_LINE = 0.5


class Gap(Struct, array_like=True, frozen=True, gc=False):
    """One silence that ended by itself. ``start`` and ``length`` in minutes of local time;
    ``seated`` if a bed or a seat was taken when it began."""

    start: int
    length: int
    place: int
    seated: bool = False


class Day(Struct, array_like=True):
    """``longest``: by half hour, minutes of the longest silence that stood in it; -1 unknown."""

    number: int
    longest: list[int]
    events: int = 0
    entrances: int = 0


def _halves(value: float) -> list[float]:
    return [value] * HALVES


class Profile(Struct):
    """Hours throughout. ``line`` is the 95th percentile of the silence that stands in a half hour
    (Cuddihy's alert line), ``active`` the share of days on which it was under half an hour,
    ``by_place`` and ``overall`` the 90th percentile of silences of 20 minutes and more."""

    days: int = 0
    line: list[float] = field(default_factory=lambda: _halves(ANYWHERE_LINE))
    mean: list[float] = field(default_factory=lambda: _halves(ANYWHERE_MEAN))
    spread: list[float] = field(default_factory=lambda: _halves(ANYWHERE_SPREAD + LEAST_SPREAD))
    active: list[float] = field(default_factory=lambda: _halves(ANYWHERE_ACTIVE))
    by_place: list[float] = field(default_factory=lambda: [ANYWHERE_SILENCE] * len(ROOMS))
    overall: float = ANYWHERE_SILENCE
    gaps_a_day: float = ANYWHERE_GAPS
    events_a_day: float = ANYWHERE_EVENTS
    entrances_a_day: float = 0.0


def usual(days: Sequence[Day], gaps: Sequence[Gap]) -> Profile:
    """The profile of whole days (today not among them) and of the silences kept."""
    count = len(days)
    if not count:
        return Profile()
    columns = [
        sorted(day.longest[half] / 60.0 for day in days if day.longest[half] >= 0)
        for half in range(HALVES)
    ]
    lines = [quantile(column, 0.95) if column else 0.0 for column in columns]
    profile = Profile(days=count)
    for half, column in enumerate(columns):
        known = len(column)
        if not known:
            continue
        own = known / (known + 1.5)
        mean = sum(column) / known
        spread = sqrt(sum((value - mean) ** 2 for value in column) / known)
        line = max(lines[half - 1], lines[half], lines[(half + 1) % HALVES])
        active = sum(value < 0.5 for value in column) / known
        profile.line[half] = _kept(max(LEAST_LINE, _mix(own, line, ANYWHERE_LINE)))
        profile.mean[half] = _kept(_mix(own, mean, ANYWHERE_MEAN))
        profile.spread[half] = _kept(_mix(own, spread, ANYWHERE_SPREAD) + LEAST_SPREAD)
        profile.active[half] = _kept(_mix(own, active, ANYWHERE_ACTIVE))
    lengths: list[list[float]] = [[] for _ in ROOMS]
    for gap in gaps:
        lengths[gap.place].append(gap.length / 60.0)
    profile.by_place = [_long(of_place) for of_place in lengths]
    profile.overall = _long([length for of_place in lengths for length in of_place])
    profile.gaps_a_day = _kept((len(gaps) + 0.5 * ANYWHERE_GAPS) / (count + 0.5))
    events = sum(day.events for day in days)
    profile.events_a_day = _kept((events + 0.5 * ANYWHERE_EVENTS) / (count + 0.5))
    profile.entrances_a_day = _kept(sum(day.entrances for day in days) / count)
    return profile


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of the sorted values lie under, interpolated."""
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def _long(lengths: list[float]) -> float:
    if not lengths:
        return ANYWHERE_SILENCE
    count = len(lengths)
    return _kept(_mix(count / (count + 4), quantile(sorted(lengths), 0.9), ANYWHERE_SILENCE))


def _mix(own: float, mine: float, anywhere: float) -> float:
    return own * mine + (1.0 - own) * anywhere


def _kept(value: float) -> float:
    """Three decimals: seconds are noise here, and a snapshot should stay small."""
    return round(value, 3)
