"""A life as spans of doing something, day after day, from waking up to waking up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from models.homes.chance import Chance
from models.homes.people import KINDS, Habits
from models.homes.plan import DAY, HOUR, Plan, weekday

BURN_IN: Final = 3
"""Days lived before the first midnight, so that it finds people in the middle of their lives."""

DECLINE: Final = 60 * DAY
"""Seconds that a slow decline takes."""

LEISURE: Final = (
    ("tv", 0.22),
    ("rest", 0.28),
    ("chores", 0.2),
    ("desk", 0.14),
    ("snack", 0.1),
    ("wash", 0.06),
)
LENGTHS: Final = {
    "tv": (0.8, 0.5),
    "rest": (0.55, 0.6),
    "chores": (0.4, 0.6),
    "desk": (0.75, 0.6),
    "snack": (0.1, 0.5),
    "wash": (0.12, 0.4),
}
"""Hours: median and sigma of what is done between the fixed points of a day."""


class Span(NamedTuple):
    """From ``start`` to ``end`` (local seconds) somebody does ``what``, at ``pace``."""

    start: float
    end: float
    what: str
    pace: float = 1.0


class _Day(NamedTuple):
    """One waking day: when it begins and ends, and of which sort it is."""

    midnight: float
    wake: float
    bed: float
    works: bool
    in_bed: bool
    indoors: bool
    trip: bool
    decline: float


def life(plan: Plan, *words: object) -> list[Span]:
    """The spans of the planned life, without a gap, from the first midnight to the last.

    Absences and visits that the plan asks for are laid over it. ``words`` are further words of
    the seed, for another life of the same person.
    """
    habits = KINDS[plan.kind]
    chance = Chance("life", plan.seed, plan.kind, *words)
    spans = _joined(_cut(_lived(plan, habits, chance), plan.origin, plan.end))
    for start, end in map(plan.stretch, plan.visits):
        spans = list(_joined(_laid(spans, Span(start, end, "visit", 1.0))))
    for start, end in map(plan.stretch, plan.absences):
        spans = list(_joined(_laid(spans, Span(start, end, "out", 1.0))))
    return list(spans)


def collapse(plan: Plan, spans: list[Span]) -> Span | None:
    """When the planned collapse really comes, as a span of no length that names what was done.

    Somebody who is out cannot collapse at home, and a visitor would see it: then it is put off
    until 6 to 90 minutes after being at home and alone again. Raises ValueError if that is never.
    """
    if plan.collapse is None:
        return None
    wanted = plan.at(plan.collapse)
    chance = Chance("collapse", plan.seed)
    for span in spans:
        if span.end <= wanted:
            continue
        if span.what in ("out", "visit"):
            wanted = span.end + chance.between(0.1, 1.5) * HOUR
        elif span.start <= wanted:
            return Span(wanted, wanted, span.what, span.pace)
    raise ValueError("Nobody is at home and alone from the planned collapse on; plan it earlier.")


def _lived(plan: Plan, habits: Habits, chance: Chance) -> Iterator[Span]:
    """Days and nights in turn, from before the first midnight."""
    t: float | None = None
    for day in _days(plan, habits, chance):
        if t is None:
            t = day.wake
        if t > day.bed - HOUR:  # still away, or up far too long: this day does not take place
            continue
        if t < day.wake:
            wake = max(day.wake, t + habits.sleep[0] * HOUR)
            yield from _night(habits, chance, t, wake, day)
            t = wake
        for span in _waking(habits, chance, t, day):
            yield span
            t = span.end


def _days(plan: Plan, habits: Habits, chance: Chance) -> Iterator[_Day]:
    """When somebody gets up and goes to bed, and which days are not like the others."""
    drift, indoors, in_bed = 0.0, 0, 0
    slept = float("-inf")
    decline_at = None if plan.decline is None else plan.at(plan.decline)
    turn_at = None if plan.turn is None else plan.at(plan.turn)
    for number in range(-BURN_IN, plan.days + 2):
        midnight = plan.origin + number * DAY
        drift = 0.9 * drift + chance.normal(0.0, habits.drift)
        indoors = indoors - 1 if indoors else 0
        if not indoors and chance.happens(habits.indoors / 7):
            indoors = int(chance.between(6, 22))
        in_bed = in_bed - 1 if in_bed else 0
        if not in_bed and chance.happens(habits.bed_days):
            in_bed = int(chance.between(1, 4))
        of_week = weekday(midnight)
        trip = of_week == 5 and chance.happens(habits.trips)
        works = habits.work is not None and of_week in habits.work[0] and not in_bed
        weak = _share(midnight, decline_at, DECLINE)
        shift = drift + 12 * _share(midnight, turn_at, 4 * DAY)
        lag = habits.lag if of_week >= 5 else 0.0
        wake = habits.work_wake if works and habits.work_wake else habits.wake + lag
        bed = habits.work_bed if works and habits.work_bed else habits.bed
        wobble = habits.wobble * (0.4 if works else 1.0)
        rise = midnight + (wake + 1.2 * weak + shift + chance.normal(0.0, wobble)) * HOUR
        rise = min(max(rise, slept + habits.sleep[0] * HOUR), slept + habits.sleep[1] * HOUR)
        if slept < plan.origin - (BURN_IN + 2) * DAY:
            rise = midnight + wake * HOUR
        slept = midnight + (bed - 1.2 * weak + shift + chance.normal(0.0, wobble)) * HOUR
        slept = max(slept, rise + 7 * HOUR)
        yield _Day(midnight, rise, slept, works, in_bed > 0, indoors > 0, trip, weak)


def _share(now: float, start: float | None, length: float) -> float:
    """How much of a change that takes ``length`` has come about: 0 to 1."""
    return 0.0 if start is None else min(1.0, max(0.0, (now - start) / length))


def _night(habits: Habits, chance: Chance, start: float, end: float, day: _Day) -> Iterator[Span]:
    """Sleep, broken by going to the toilet."""
    length = end - start
    times = min(4, chance.poisson(habits.toilets * min(1.3, length / (7.5 * HOUR))))
    ups = sorted(start + length * chance.between(0.12, 0.96) for _ in range(times))
    pace = _pace(habits, day)
    t = start
    for up in ups:
        back = up + chance.lognormal(270.0, 0.45)
        if up < t + 900 or back > end - 300:
            continue
        yield Span(t, up, "sleep", pace)
        yield Span(up, back, "toilet", pace)
        t = back
        if chance.happens(0.06):  # cannot sleep again
            awake = min(t + chance.lognormal(2400.0, 0.5), end - 300)
            if awake > t:
                yield Span(t, awake, "rest", pace)
                t = awake
    yield Span(t, end, "sleep", pace)


def _pace(habits: Habits, day: _Day) -> float:
    return habits.pace * (1 - 0.65 * day.decline)


def _agenda(habits: Habits, chance: Chance, t: float, day: _Day) -> list[tuple[float, str, float]]:
    """What has its time on this day: (when, what, for how many seconds)."""
    bed, wake = day.bed, day.wake
    agenda: list[tuple[float, str, float]] = []
    ill = day.in_bed
    if ill:
        for hour in (1.5, 6.0, 10.5):
            if chance.happens(0.7):
                agenda.append((wake + (hour + chance.normal(0, 0.8)) * HOUR, "snack", 500.0))
    else:
        agenda.append((wake + chance.between(0.02, 0.3) * HOUR, "wash", chance.between(500, 1500)))
        for hour in habits.meals:
            if chance.happens(0.93):
                when = wake + (hour + chance.normal(0, 0.45)) * HOUR
                cooked = chance.happens(habits.cooks)
                agenda.append((when, "cook" if cooked else "snack", chance.lognormal(1300, 0.5)))
                agenda.append((when + 1, "eat", chance.lognormal(1300, 0.4)))
        if chance.happens(0.92):
            when = bed - habits.tv * chance.lognormal(1.0, 0.35) * HOUR
            agenda.append((when, "tv", max(600.0, bed - when - 900)))
        agenda.append((bed - chance.between(0.1, 0.3) * HOUR, "wash", chance.between(300, 900)))
    if habits.work is not None and day.works:
        _, leave, back = habits.work
        start = day.midnight + (leave + chance.normal(0, 0.15)) * HOUR
        end = day.midnight + (back + abs(chance.normal(0, 0.6))) * HOUR
        agenda.append((start, "out", end - start))
    if day.trip and not ill:
        start = day.midnight + chance.between(9, 13) * HOUR
        agenda.append((start, "out", chance.between(26, 36) * HOUR))
    outings = habits.outings * (1 - 0.9 * day.decline) * (0.4 if day.works else 1.0)
    if not ill and not day.indoors:
        for _ in range(min(4, chance.poisson(outings))):
            when = chance.between(max(t, wake) + HOUR, max(t + 2 * HOUR, bed - 1.5 * HOUR))
            agenda.append((when, "out", _outing(habits, chance)))
        if chance.happens(0.25):  # the post, the rubbish
            when = chance.between(wake + HOUR, bed - HOUR)
            agenda.append((when, "out", chance.lognormal(330.0, 0.4)))
    if chance.happens(habits.visits / 7):
        when = day.midnight + chance.between(10, 19) * HOUR
        agenda.append((when, "visit", chance.lognormal(1.4, 0.5) * HOUR))
    if ill or chance.happens(habits.nap * (1 + day.decline)):
        when = wake + (bed - wake) * chance.between(0.35, 0.6)
        agenda.append((when, "nap", chance.lognormal(habits.nap_hours, 0.5) * HOUR))
    return sorted(entry for entry in agenda if entry[0] < bed)


def _outing(habits: Habits, chance: Chance) -> float:
    """Seconds out of the house: half an hour to ten, seldom less or more."""
    return min(11 * HOUR, chance.lognormal(habits.outing_hours, 0.75) * HOUR)


def _waking(habits: Habits, chance: Chance, t: float, day: _Day) -> Iterator[Span]:
    """From getting up to going to bed."""
    pace = _pace(habits, day)
    urge = t + chance.lognormal(0.08, 0.5) * HOUR

    def spend(until: float, what: str) -> Iterator[Span]:
        """Do something until then; who is at home goes to the toilet in between."""
        nonlocal t, urge
        while t < until:
            if what in ("out", "nap") or urge >= until:
                yield Span(t, until, what, pace)
                t = until
                if what == "out":
                    urge = max(urge, t + 60)
                return
            if urge > t:
                yield Span(t, urge, what, pace)
                t = urge
            back = t + chance.lognormal(240.0, 0.45)
            yield Span(t, back, "toilet", pace)
            t = back
            urge = t + chance.lognormal(2.4, 0.4) * HOUR

    for when, what, length in _agenda(habits, chance, t, day):
        if when + length < t or (what not in ("out", "eat", "wash") and t > when + 2 * HOUR):
            continue  # missed
        while t < when:
            choice = "lie" if day.in_bed else chance.pick(LEISURE)
            median, sigma = (2.0, 0.6) if choice == "lie" else LENGTHS[choice]
            slower = 1 + 0.8 * day.decline
            until = t + max(90.0, chance.lognormal(median * slower, sigma) * HOUR)
            yield from spend(until if until < when - 300 else when, choice)
        if what == "tv":
            until = max(t + 600, when + length)
        elif what == "out" and length > 5 * HOUR:
            until = max(t + HOUR, when + length)  # work and trips end when they end
        else:
            until = t + length
        yield from spend(until, what)
    if t < day.bed:
        yield from spend(day.bed, "lie" if day.in_bed else "rest")


def _cut(spans: Iterable[Span], start: float, end: float) -> Iterator[Span]:
    """What lies between."""
    for span in spans:
        if span.end > start and span.start < end:
            yield span._replace(start=max(span.start, start), end=min(span.end, end))


def _laid(spans: list[Span], over: Span) -> Iterator[Span]:
    """``over`` in place of what would have been then."""
    if not spans or over.end <= spans[0].start or over.start >= spans[-1].end:
        yield from spans
        return
    over = over._replace(start=max(over.start, spans[0].start), end=min(over.end, spans[-1].end))
    yield from _cut(spans, float("-inf"), over.start)
    yield over
    yield from _cut(spans, over.end, float("inf"))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of the same sort as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].what == span.what and joined[-1].end == span.start:
            joined[-1] = joined[-1]._replace(end=span.end)
        else:
            joined.append(span)
    return joined
