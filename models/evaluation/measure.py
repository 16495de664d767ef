"""False alarms and delays: what a detector did in a trial, and what that comes to over homes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from msgspec import Struct

from gateway.domain.instant import HOUR
from gateway.engine.profile import quantile
from models.evaluation.detector import Detector
from models.evaluation.trial import Trial

LONGEST_DELAY = 48 * HOUR
"""Seconds at which a delay is capped."""
RESAMPLES = 1000
"""Bootstrap samples of persons for an interval of 95 %."""


class Result(Struct, frozen=True):
    """One home. ``delays`` are hours, one for each instant; ``nights`` says which fell into the
    night. ``alarms`` are wall seconds of the false ones, ``person`` is who lives there."""

    home: str
    person: str
    months: float
    alarms: tuple[float, ...]
    away_alarms: int
    delays: tuple[float, ...]
    nights: tuple[bool, ...]
    in_sample: bool = False

    @property
    def rate(self) -> float:
        """False alarms a home-month."""
        return len(self.alarms) / self.months if self.months else 0.0


class Delay(Struct, frozen=True):
    """Hours from an incapacitation to the alarm."""

    median: float | None
    mean: float | None
    p90: float | None
    max: float | None
    day_median: float | None
    night_median: float | None


def run(
    trial: Trial,
    detector: Detector,
    cuts: Sequence[float],
    *,
    person: str,
    in_sample: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Result:
    """Lead a detector through a home once; at each cut look what it would do if all went still.

    ``progress`` hears of observations that were taken in.
    """
    alarmed: dict[int, float] = {}  # first alarm of a silence
    delays: list[float] = []
    pending = list(reversed(cuts))
    last = len(trial.home.observations) - 1
    for index, observation in enumerate(trial.home.observations):
        for alarm in detector.step(observation):
            alarmed.setdefault(trial.raised_in(alarm), alarm)
        if index % 1000 == 0:
            progress(min(1000, last - index + 1))
        until = trial.home.observations[index + 1].at.wall if index < last else float("inf")
        while pending and pending[-1] < until:
            cut = pending.pop()
            first = alarmed.get(trial.silence(cut))
            if first is None:
                first = detector.alone(cut, cut + LONGEST_DELAY)
            delays.append(hours_late(first, cut))
    return result(trial, alarmed, delays, cuts, person=person, in_sample=in_sample)


def hours_late(alarm: float | None, cut: float) -> float:
    """Hours from an incapacitation to its alarm: at least none, at most the longest delay, which
    is also that of an alarm that never comes."""
    late = LONGEST_DELAY if alarm is None else alarm - cut
    return min(LONGEST_DELAY, max(0.0, late)) / HOUR


def result(
    trial: Trial,
    alarmed: Mapping[int, float],
    delays: Sequence[float],
    cuts: Sequence[float],
    *,
    person: str,
    in_sample: bool = False,
) -> Result:
    """What came of a trial: ``alarmed`` has the first alarm of each silence that had one."""
    false = {i: wall for i, wall in alarmed.items() if trial.counts(i)}
    return Result(
        home=trial.home.name,
        person=person,
        months=trial.months,
        alarms=tuple(false.values()),
        away_alarms=sum(trial.is_away(i) for i in false),
        delays=tuple(delays),
        nights=tuple(trial.is_night(cut) for cut in cuts),
        in_sample=in_sample,
    )


def delay(results: Sequence[Result]) -> Delay:
    """Delays of all homes together."""
    hours = sorted(h for result in results for h in result.delays)
    pairs = [p for result in results for p in zip(result.delays, result.nights, strict=True)]
    return Delay(
        median=_quantile(hours, 0.5),
        mean=sum(hours) / len(hours) if hours else None,
        p90=_quantile(hours, 0.9),
        max=hours[-1] if hours else None,
        day_median=_quantile(sorted(h for h, night in pairs if not night), 0.5),
        night_median=_quantile(sorted(h for h, night in pairs if night), 0.5),
    )


def rate(results: Sequence[Result]) -> float:
    """False alarms a home-month, over all homes' months together."""
    months = sum(result.months for result in results)
    return sum(len(result.alarms) for result in results) / months if months else 0.0


def intervals(results: Sequence[Result], seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % intervals by bootstrap over persons, each with all of their homes."""
    persons = sorted({result.person for result in results})
    if len(persons) < 2:  # one person says nothing about others
        return {}
    chance = Random(seed)
    drawn: dict[str, list[float]] = {"false_alarms_per_home_month": [], "mean": [], "p90": []}
    for _ in range(RESAMPLES):
        sample = [
            result
            for person in (chance.choice(persons) for _ in persons)
            for result in results
            if result.person == person
        ]
        now = delay(sample)
        drawn["false_alarms_per_home_month"].append(rate(sample))
        if now.mean is not None and now.p90 is not None:
            drawn["mean"].append(now.mean)
            drawn["p90"].append(now.p90)
    return {
        name: (quantile(ordered, 0.025), quantile(ordered, 0.975))
        for name, values in drawn.items()
        if (ordered := sorted(values))
    }


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return quantile(ordered, share) if ordered else None
