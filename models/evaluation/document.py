"""What ``ansim evaluate`` says: one JSON document. ``lines.py`` tells it to people."""

from __future__ import annotations

from collections.abc import Sequence
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
