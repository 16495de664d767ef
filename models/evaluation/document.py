"""What ``ansim evaluate`` says: one JSON document, and the same as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import structs

from gateway.domain.instant import MONTH
from models.evaluation.absence import Absence
from models.evaluation.baselines import Row
from models.evaluation.measure import Result, delay, intervals, rate
from models.evaluation.work import WEEK, Job, Measured

SCHEMA = "ansim.evaluation.v1"
LEAST_MONTHS = 0.3 * WEEK / MONTH
LEAST_CUTS = 60
"""A home with less on trial is shown and not pooled, as in the tables of docs/detection.md."""


def pooled(results: Sequence[Result], cuts: int) -> list[Result]:
    """The homes that are long enough to count; ``cuts`` were wanted of each."""
    least = min(LEAST_CUTS, cuts)
    return [r for r in results if r.months >= LEAST_MONTHS and len(r.delays) >= least]


def document(
    job: Job, found: Sequence[Measured], rows: Sequence[Row], curve: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Everything as one JSON object; hours and months are rounded to three decimals."""
    results = [one.result for one in found]
    counted = pooled(results, job.cuts)
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "stage": int(job.stage),
        "learn_days": job.learn_days,
        "cuts": job.cuts,
        "seed": job.seed,
        "answers": job.answers,
        "folds": job.folds,
        "pooled": _pool(counted, job.seed),
        "homes": [_home(one, counted) for one in found],
    }
    questions = [one.questions for one in found if one.result in counted]
    asked = [q for q in questions if q is not None]
    if asked:
        told["pooled"]["questions_per_week"] = _round(sum(asked) / len(asked))
    if rows:
        told["baselines"] = [
            {
                "name": row.name,
                "knob": _round(row.knob),
                "budget_per_home_month": _round(row.budget),
                **_pool(row.results, job.seed),
            }
            for row in rows
        ]
    if curve:
        told["curve"] = list(curve)
    return told


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The document for people; 80 columns."""
    stage = {1: "stage 1, asked in the home", 2: "stage 2, told to the centre"}[told["stage"]]
    yield f"{stage}; {told['learn_days']:g} days of learning; {told['cuts']} cuts a home"
    if told["answers"] is not None:
        p = told["answers"]
        yield (
            f"assumed: a question is answered with probability {p:g} by day, {p / 2:g} at night,\n"
            "0 when away or collapsed; after 15 minutes the centre is told"
        )
    yield ""
    yield f"{'home':12} {'months':>6} {'false':>5} {'away':>4}   {'delay, hours':22} {'':>9}"
    yield f"{'':12} {'':6} {'':5} {'':4}   median  mean   p90   max"
    for home in told["homes"]:
        marks = "  IN SAMPLE" if home["in_sample"] else ""
        marks += "" if home["pooled"] else "  short"
        yield (
            f"{home['home'][:12]:12} {home['home_months']:6.2f} {home['false_alarms']:5d} "
            f"{home['away_false_alarms']:4d}   {_hours(home['delay_hours'])}{marks}"
        )
    pool = told["pooled"]
    yield ""
    yield f"{'all':12} {pool['home_months']:6.2f} {pool['false_alarms']:5d}        {_hours(pool['delay_hours'])}"
    yield f"false alarms a home-month: {_number(pool['false_alarms_per_home_month'])}"
    if "questions_per_week" in pool:
        yield f"questions a home-week: {pool['questions_per_week']:.2f}"
    for name, (low, high) in pool["intervals"].items():
        yield f"95 % interval by persons, {name.replace('_', ' ')}: {low:.2f} to {high:.2f}"
    away = [home for home in told["homes"] if home["absence"] is not None]
    if away:
        yield ""
        yield "absence, hour by hour        sensitivity  specificity  motion sensors"
        for home in away:
            of = home["absence"]
            yield (
                f"{home['home'][:28]:28} {_number(of['sensitivity']):>11} "
                f"{_number(of['specificity']):>12} {of['motion_sensors']:15d}"
            )
    if "baselines" in told:
        yield ""
        yield "published methods (knob chosen on these very homes, which is kind to them)"
        yield f"{'method':22} {'budget':>6} {'rate':>6}   median  mean   p90   max"
        for row in told["baselines"]:
            yield (
                f"{row['name'][:22]:22} {_number(row['budget_per_home_month']):>6} "
                f"{_number(row['false_alarms_per_home_month']):>6}   {_hours(row['delay_hours'])}"
            )


def _pool(results: Sequence[Result], seed: int) -> dict[str, Any]:
    return {
        "false_alarms": sum(len(result.alarms) for result in results),
        "home_months": _round(sum(result.months for result in results)),
        "false_alarms_per_home_month": _round(rate(results)),
        "delay_hours": _delay(results),
        "intervals": {
            name: [_round(low), _round(high)]
            for name, (low, high) in intervals(results, seed).items()
        },
    }


def _home(one: Measured, counted: Sequence[Result]) -> dict[str, Any]:
    result = one.result
    return {
        "home": result.home,
        "false_alarms": len(result.alarms),
        "away_false_alarms": result.away_alarms,
        "home_months": _round(result.months),
        "delay_hours": _delay([result]),
        "in_sample": result.in_sample,
        "person": result.person,
        "pooled": result in counted,
        "questions_per_week": _round(one.questions),
        "absence": _absence(one.absence),
    }


def _absence(absence: Absence | None) -> dict[str, Any] | None:
    if absence is None:
        return None
    return {
        "hours_away": absence.away,
        "hours_home": absence.home,
        "sensitivity": _round(absence.sensitivity),
        "specificity": _round(absence.specificity),
        "motion_sensors": absence.motion,
    }


def _delay(results: Sequence[Result]) -> dict[str, float | None]:
    return {name: _round(value) for name, value in structs.asdict(delay(results)).items()}


def _round(value: float | None) -> float | None:
    if value is None or value in (float("inf"), float("-inf")):
        return None
    return round(value, 3)


def _hours(of: dict[str, float | None]) -> str:
    return " ".join(f"{_number(of[name]):>6}" for name in ("median", "mean", "p90", "max"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
