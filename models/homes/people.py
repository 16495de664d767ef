"""Ten kinds of people who live alone. Age is left out: it is habits that make silences.

Hours of the day count from midnight and go on beyond 24: bed 25.5 is half past one at night.
The figures are ours [D]; they are meant to be wide apart, not to be a census. What came of them
(nights, absences, gaps) is compared with the recorded homes in ``docs/homes.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WORKDAYS: Final = frozenset({0, 1, 2, 3, 4})


@dataclass(frozen=True)
class Habits:
    """How somebody lives.

    ``wake``, ``bed``  usual hours; ``wobble`` is their standard deviation in hours
    ``lag``            hours later on days without work at the weekend
    ``drift``          hours by which the rhythm wanders from one day to the next
    ``sleep``          shortest and longest sleep, hours
    ``toilets``        mean number of times up at night
    ``meals``          hours after waking up; ``cooks`` is the chance that one is cooked
    ``outings``        mean a day, of ``outing_hours`` (median)
    ``work``           weekdays, hour of leaving, hour of being back
    ``nap``            chance of a nap a day, of ``nap_hours`` (median)
    ``visits``         mean a week
    ``trips``          chance of a weekend away
    ``indoors``        chance a week that weeks without going out begin
    ``bed_days``       chance a day that one to three days in bed begin
    ``tv``             hours before bed from which the evening is television (mean)
    ``pace``           how much is done in an hour, 1 for most
    """

    wake: float = 6.8
    bed: float = 22.7
    wobble: float = 0.5
    lag: float = 0.4
    drift: float = 0.0
    sleep: tuple[float, float] = (4.5, 10.0)
    toilets: float = 1.0
    meals: tuple[float, ...] = (0.6, 5.4, 11.3)
    cooks: float = 0.85
    outings: float = 1.2
    outing_hours: float = 1.5
    work: tuple[frozenset[int], float, float] | None = None
    work_wake: float | None = None
    work_bed: float | None = None
    nap: float = 0.2
    nap_hours: float = 0.7
    visits: float = 0.6
    trips: float = 0.0
    indoors: float = 0.0
    bed_days: float = 0.0
    tv: float = 2.5
    pace: float = 1.0


KINDS: Final[dict[str, Habits]] = {
    "regular": Habits(),
    "night-worker": Habits(
        wake=12.0,
        bed=26.5,
        wobble=0.7,
        lag=0.0,
        sleep=(4.5, 10.5),
        toilets=0.5,
        outings=0.6,
        work=(frozenset({0, 1, 2, 3, 6}), 20.8, 30.9),
        work_wake=15.2,
        work_bed=32.3,
        tv=1.0,
        visits=0.3,
    ),
    "day-sleeper": Habits(
        wake=14.2,
        bed=29.4,
        wobble=1.0,
        toilets=0.5,
        outings=0.8,
        outing_hours=1.2,
        meals=(0.8, 5.5, 11.0),
        cooks=0.6,
        visits=0.2,
        tv=3.5,
    ),
    "housebound": Habits(
        wake=7.4,
        bed=21.6,
        wobble=0.6,
        toilets=1.9,
        outings=0.05,
        nap=0.75,
        nap_hours=1.1,
        visits=2.0,
        tv=3.0,
        pace=0.75,
    ),
    "irregular": Habits(
        wake=11.4,
        bed=26.6,
        wobble=1.5,
        drift=1.4,
        sleep=(4.0, 13.0),
        toilets=0.8,
        meals=(1.5, 8.0),
        cooks=0.45,
        outings=0.4,
        outing_hours=1.3,
        nap=0.4,
        nap_hours=1.3,
        visits=0.15,
        indoors=0.12,
        bed_days=0.02,
        tv=5.0,
        pace=0.7,
    ),
    "chronic": Habits(
        wake=7.8,
        bed=22.0,
        wobble=0.8,
        sleep=(5.0, 11.0),
        toilets=2.3,
        outings=0.5,
        outing_hours=2.0,
        nap=0.65,
        nap_hours=1.2,
        visits=1.5,
        bed_days=0.07,
        pace=0.75,
    ),
    "early-riser": Habits(
        wake=4.7,
        bed=20.9,
        wobble=0.35,
        lag=0.0,
        toilets=1.7,
        meals=(0.8, 6.8, 12.6),
        outings=1.5,
        outing_hours=1.3,
        nap=0.5,
        nap_hours=0.6,
        tv=2.0,
    ),
    "office-worker": Habits(
        wake=8.2,
        bed=24.3,
        work=(WORKDAYS, 7.9, 18.8),
        work_wake=6.6,
        work_bed=23.5,
        wobble=0.4,
        toilets=0.5,
        outings=0.8,
        outing_hours=2.2,
        nap=0.08,
        visits=0.4,
        trips=0.1,
        tv=2.0,
    ),
    "visited": Habits(wake=7.2, bed=22.2, toilets=1.5, outings=0.8, nap=0.35, visits=6.0),
    "weekender": Habits(wake=7.0, bed=23.0, outings=1.1, trips=0.6, visits=0.4),
}
