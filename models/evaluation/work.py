"""One recording, measured: what a worker process does, and how all cores do many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from gateway.domain.alert import Level
from gateway.domain.errors import AnsimError, RecordingError
from gateway.domain.instant import DAY, MONTH
from gateway.engine.outlook import Knobs
from gateway.sensing import recording
from models.evaluation.absence import Absence, hours_away
from models.evaluation.folds import person_of, predictor_for
from models.evaluation.hub import HubDetector
from models.evaluation.measure import Result, run
from models.evaluation.trial import Home, Trial, trial

WEEK = 7 * DAY


class Job(Struct, frozen=True):
    """How a recording is measured. ``multiple`` multiplies the knobs, for the trade-off."""

    path: Path
    learn_days: float
    cuts: int
    seed: int
    stage: Level
    answers: float | None
    folds: bool
    multiple: float = 1.0


class Measured(Struct, frozen=True):
    """``questions`` a week, None where nobody asks."""

    result: Result
    questions: float | None
    absence: Absence | None


class Failed(Struct, frozen=True):
    """An error of ours on its way from a worker; its class would not survive the journey."""

    sentence: str
    reason: str
    kind: type[AnsimError]


_progress: Synchronized[int] | None = None


def home_at(path: Path) -> Home:
    """The recorded home at a path. Without annotations nobody was away but by inference."""
    record = recording.load(path)
    try:
        away = tuple(recording.load_away(path))
    except RecordingError as error:
        if error.reason != "missing":
            raise
        away = ()
    return Home(
        record.name,
        record.sensors,
        tuple(recording.observations(record)),
        away,
        record.fingerprint(),
    )


def tried(job: Job, home: Home) -> tuple[Trial, list[float]]:
    """A home's trial and its cuts."""
    on_trial = trial(home, job.learn_days * DAY)
    return on_trial, on_trial.cuts(job.cuts, job.seed)


def measured(job: Job, progress: Callable[[int], None] = lambda _: None) -> Measured:
    """Measure one recording with the engine. Raises RecordingError and ModelError."""
    home = home_at(job.path)
    predictor, in_sample = predictor_for(home.fingerprint, job.folds)
    on_trial, cuts = tried(job, home)
    detector = HubDetector(
        on_trial,
        predictor,
        job.stage,
        knobs=_multiplied(job.multiple),
        answers=job.answers,
        seed=job.seed,
    )
    result = run(
        on_trial,
        detector,
        cuts,
        person=person_of(home.fingerprint) or home.name,
        in_sample=in_sample,
        progress=progress,
    )
    asked = sum(wall >= on_trial.begin for wall in detector.questions)
    weeks = on_trial.months * MONTH / WEEK
    return Measured(
        result=result,
        questions=asked / weeks if job.answers is not None and weeks else None,
        absence=hours_away(home, detector.spans),
    )


def all_measured(
    jobs: Sequence[Job], processes: int | None, advance: Callable[[int], None]
) -> list[Measured]:
    """Measure on all cores; ``advance`` hears of rows that were read. Raises what a job raised."""
    processes = min(processes or os.cpu_count() or 1, len(jobs))
    if processes <= 1:
        return [measured(job, advance) for job in jobs]
    context = multiprocessing.get_context("spawn")
    shared = context.Value("q", 0)
    seen = 0
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_join, initargs=(shared,)
    ) as pool:
        futures = [pool.submit(_guarded, job) for job in jobs]
        done: list[Measured] = []
        try:
            for future in futures:
                while not future.done():
                    _settle(future)
                    now = shared.value
                    advance(now - seen)
                    seen = now
                done.append(_opened(future.result()))
        except BaseException:  # Ctrl-C too: nobody waits for work that nobody wants
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        advance(shared.value - seen)
    return done


def _opened(found: Measured | Failed) -> Measured:
    if isinstance(found, Failed):
        raise found.kind(found.sentence, reason=found.reason)
    return found


def _settle(future: Any) -> None:
    try:
        future.exception(timeout=0.2)
    except TimeoutError:
        return


def _join(shared: Synchronized[int]) -> None:
    global _progress  # noqa: PLW0603 - a worker's only way to its parent's counter
    _progress = shared


def _guarded(job: Job) -> Measured | Failed:
    try:
        return measured(job, _count)
    except AnsimError as error:
        return Failed(str(error), error.reason, type(error))


def _count(rows: int) -> None:
    if _progress is not None:
        with _progress.get_lock():
            _progress.value += rows


def _multiplied(multiple: float) -> Knobs:
    knobs = Knobs()
    return structs.replace(
        knobs,
        ask=knobs.ask * multiple,
        tell=knobs.tell * multiple,
        tell_by_asking=knobs.tell_by_asking * multiple,
    )
