"""From what somebody does to what the sensors say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final, NamedTuple

from gateway.domain.sensor import Kind, Sensor
from models.homes.chance import Chance
from models.homes.days import Span, life
from models.homes.layout import DOINGS, DOOR, HOLDS, LONG_USES, Doing, plain
from models.homes.plan import DAY, Plan

Said = tuple[int, str, str]
"""Local milliseconds, sensor, value."""

_WORDS: Final = {Kind.CONTACT: ("OPEN", "CLOSE"), Kind.ENTRANCE: ("OPEN", "CLOSE")}
_WEEK: Final = 7
_TOLERANCE: Final = 0.04


class Volume(NamedTuple):
    """How much the sensors of a home say.

    ``loud``  factor on the rates; below 1 also the chance that anything is noticed at all
    ``night`` how well the bedroom's sensors see a sleeper turn over: in some homes never
    """

    loud: float
    night: float


def volume(plan: Plan, sensors: Iterable[Sensor]) -> Volume:
    """The volume at which this life, were nothing to go wrong, has the planned events a day.

    Tried out on four weeks spread over it, or on its first fortnight if it is shorter than that.
    """
    sensors = tuple(sensors)
    chance = Chance("volume", plan.seed)
    night = chance.pick(((0.0, 0.3), (0.4, 0.4), (1.0, 0.3)))
    ordinary = Plan(
        seed=plan.seed,
        kind=plan.kind,
        days=max(plan.days, 2 * _WEEK),
        start=plan.start,
        events_per_day=plan.events_per_day,
    )
    spans, days = _sample(ordinary)
    wanted = plan.events_per_day * days
    loud = plan.events_per_day / 300
    for _ in range(10):
        trial = Volume(loud, night)
        counted = 0
        for counted, _said in enumerate(said(ordinary, sensors, spans, trial), 1):
            if counted > 3 * wanted:
                break
        ratio = wanted / max(1, counted)
        if abs(ratio - 1) < _TOLERANCE:
            break
        loud = min(1e4, max(1e-3, loud * min(4.0, max(0.25, ratio)) ** 1.15))
    return Volume(loud, night)


def _sample(plan: Plan) -> tuple[list[Span], int]:
    """Some weeks of an ordinary life, and how many days they are."""
    spans = life(plan)
    if plan.days <= 4 * _WEEK:
        return spans, plan.days
    starts = [plan.origin + DAY * int((plan.days - _WEEK) * k / 3) for k in range(4)]
    return [
        span for span in spans if any(start <= span.start < start + _WEEK * DAY for start in starts)
    ], 4 * _WEEK


def said(
    plan: Plan, sensors: Iterable[Sensor], spans: Iterable[Span], loud: Volume
) -> Iterator[Said]:
    """What the sensors say while these spans are lived, in the order of time."""
    speaker = _Speaker(plan, sensors, loud)
    before: str | None = None
    room = ""
    for span in spans:
        yield from speaker.until(span.start)
        room = speaker.live(span, before, room)
        before = span.what
    yield from speaker.until(float("inf"))


class _Speaker:
    """Turns spans into rows, one span after the other; keeps what is still to be said."""

    def __init__(self, plan: Plan, sensors: Iterable[Sensor], loud: Volume) -> None:
        self._chance = Chance("doings", plan.seed, plan.kind, *loud)
        self._loud = loud
        self._kinds = {sensor.id: sensor.kind for sensor in sensors}
        self._silent_end = plain(plan)  # sparse recordings only say that motion began
        self._busy = dict.fromkeys(self._kinds, float("-inf"))
        self._held: dict[str, float] = {}
        self._later: list[tuple[int, int, str, str]] = []
        self._count = 0

    def until(self, t: float) -> Iterator[Said]:
        """What is said before local second ``t``."""
        later, limit = self._later, t * 1000
        while later and later[0][0] < limit:
            when, _, sensor, value = heappop(later)
            yield when, sensor, value

    def live(self, span: Span, before: str | None, room: str) -> str:
        """Say all that belongs to the span. Returns the room it ends in."""
        doing = DOINGS[span.what]
        t = span.start
        for sensor in [sensor for sensor in self._held if sensor not in doing.held]:
            self._let_go(sensor, t)
        if before == "visit":
            self._door(t)  # the visitor leaves
        if before == "out":
            t = self._door(t) + self._chance.between(1, 4)
            self._notice("hall_motion", t)
        elif doing.room != room and room and self._chance.happens(0.85):
            t += self._chance.between(1, 3)
            self._notice("hall_motion", t)
        if span.what == "out":
            if before is not None:  # a home may begin while its resident is out
                self._door(t + self._chance.between(5, 30))
            return "out"
        if span.what == "visit":
            t = self._door(t) + self._chance.between(1, 5)
        if doing.room != room:
            t += self._chance.between(1, 6)
            self._notice(f"{doing.room}_motion", t)
        for sensor in doing.held:
            self._hold(sensor, t + self._chance.between(1, 6), span.end)
        self._events(span, doing, t)
        return doing.room

    def _events(self, span: Span, doing: Doing, start: float) -> None:
        chance, loud = self._chance, self._loud.loud
        factor = (loud**doing.calm if loud > 1 else 1.0) * span.pace / 3600
        if span.what in ("sleep", "nap"):
            factor *= self._loud.night
        for sensor, rate in doing.rates.items():
            if sensor not in self._kinds:
                continue
            if rate * factor <= 0:
                continue
            flickers = self._kinds[sensor] is Kind.OCCUPANCY
            gap = 1 / (rate * factor)
            t = start + chance.bursty(gap)
            while t < span.end - 1:
                if flickers:
                    self._flicker(sensor, t, span.end)
                else:
                    self._notice(sensor, t)
                t += chance.bursty(gap)
        for sensor, probability in doing.once.items():
            if chance.happens(probability):
                self._notice(sensor, start + (span.end - start) * chance.between(0.1, 0.95))

    def _notice(self, sensor: str, t: float) -> None:
        """ON now and OFF a little later, unless it is ON anyway or nothing was noticed."""
        kind = self._kinds.get(sensor)
        if kind is None or t < self._busy[sensor] or self._missed():
            return
        end = t + self._chance.between(*LONG_USES.get(sensor, HOLDS[kind]))
        self._say(sensor, t, on=True)
        self._busy[sensor] = end + 1.5
        if not (self._silent_end and kind is Kind.MOTION):
            self._say(sensor, end, on=False)

    def _door(self, t: float) -> float:
        """Through the entrance, which is never overheard. Returns when it is shut."""
        t = max(t, self._busy[DOOR])
        shut = t + self._chance.between(*HOLDS[Kind.ENTRANCE])
        self._say(DOOR, t, on=True)
        self._say(DOOR, shut, on=False)
        self._busy[DOOR] = shut + 1.5
        return shut

    def _hold(self, sensor: str, t: float, end: float) -> None:
        """ON until another span lets go of it."""
        if sensor in self._held or sensor not in self._kinds or t >= end:
            return
        t = max(t, self._busy[sensor])
        self._held[sensor] = t
        self._busy[sensor] = t + 5
        self._say(sensor, t, on=True)

    def _let_go(self, sensor: str, t: float) -> None:
        del self._held[sensor]
        t = max(t, self._busy[sensor])
        self._say(sensor, t, on=False)
        self._busy[sensor] = t + 2

    def _flicker(self, sensor: str, t: float, end: float) -> None:
        """OFF and ON again while somebody on it turns over."""
        if sensor not in self._held or t < self._busy[sensor] or self._missed():
            return
        back = t + self._chance.between(*HOLDS[Kind.OCCUPANCY])
        if back >= end - 1:
            return
        self._say(sensor, t, on=False)
        self._say(sensor, back, on=True)
        self._busy[sensor] = back + 1.5

    def _missed(self) -> bool:
        """Whether a home of few events does not notice this one."""
        return self._loud.loud < 1 and not self._chance.happens(self._loud.loud)

    def _say(self, sensor: str, t: float, *, on: bool) -> None:
        words = _WORDS.get(self._kinds[sensor], ("ON", "OFF"))
        self._count += 1
        heappush(self._later, (round(t * 1000), self._count, sensor, words[0] if on else words[1]))
