"""``ansim evaluate``: the measure of docs/detection.md on recorded homes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from gateway.domain.alert import Level
from gateway.domain.instant import MONTH
from gateway.languages import translator
from gateway.languages.terminal import language
from models.evaluation.baselines import Row, baselines
from models.evaluation.curve import MULTIPLES, draw
from models.evaluation.document import document, pooled
from models.evaluation.lines import lines
from models.evaluation.measure import delay, rate
from models.evaluation.work import WEEK, Job, Measured, all_measured, home_at, tried

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=FILE, metavar="RECORDING...")
@click.option(
    "--learn-days", type=click.FloatRange(0.0), default=14.0, show_default=True,
    help="Days of learning before anything counts; 0.25 is a cold start.",
)  # fmt: skip
@click.option(
    "--cuts", type=click.IntRange(1), default=400, show_default=True,
    help="Incapacitation instants a home.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the instants.")
@click.option(
    "--stage", type=click.Choice(["1", "2"]), default="2", show_default=True,
    help="1: asked in the home. 2: told to the centre.",
)  # fmt: skip
@click.option(
    "--answers", type=click.FloatRange(0.0, 1.0), default=None, metavar="P",
    help="The home asks, and P of the questions are answered by day, half of that at night.",
)  # fmt: skip
@click.option("--folds", is_flag=True, help="Use for each person a model that never saw them.")
@click.option("--baselines", "with_baselines", is_flag=True, help="Run published methods too.")
@click.option("--curve", "with_curve", is_flag=True, help="Draw the trade-off (PNG).")
@click.option(
    "--curve-file", type=FILE, default=Path("ansim-curve.png"), show_default=True,
    help="Where to draw it.",
)  # fmt: skip
@click.option("--processes", type=click.IntRange(1), default=None, help="Default: all cores.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(
    recordings: tuple[Path, ...],
    learn_days: float,
    cuts: int,
    seed: int,
    stage: str,
    answers: float | None,
    folds: bool,
    with_baselines: bool,
    with_curve: bool,
    curve_file: Path,
    processes: int | None,
    as_json: bool,
) -> None:
    """Measure false alarms and delays in recorded homes with the hub's own engine.

    RECORDING is <home>.csv.gz with its sensors (and absences) beside it. A recording that the
    model was made from is marked IN SAMPLE.
    """
    jobs = [
        Job(path, learn_days, cuts, seed, Level(int(stage)), answers, folds) for path in recordings
    ]
    work = list(jobs)
    if with_curve:
        work += [
            structs.replace(job, multiple=multiple)
            for multiple in MULTIPLES
            if multiple != 1.0
            for job in jobs
        ]
    with _bar(recordings, len(work) // len(jobs)) as advance:
        measured = all_measured(work, processes, advance)
    rows = _baselines(jobs, measured[: len(jobs)]) if with_baselines else []
    points = _points(work, measured) if with_curve else []
    if with_curve:
        draw(
            curve_file, points, rows, f"{len(jobs)} recordings, stage {stage}, {learn_days:g} days"
        )
    told = document(jobs[0], measured[: len(jobs)], rows, points)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in lines(told, language()):
            click.echo(line)
        if with_curve:
            drawn = translator(language())("the trade-off is drawn in {file}")
            click.echo("\n" + drawn.format(file=curve_file))


@contextmanager
def _bar(recordings: Sequence[Path], passes: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal's stderr; nothing anywhere else, and no row is counted for it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    total = passes * sum(len(home_at(path).observations) for path in recordings)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("rows", total=total)
        yield lambda rows: progress.update(task, advance=rows)


def _baselines(jobs: Sequence[Job], measured: Sequence[Measured]) -> list[Row]:
    counted = pooled([one.result for one in measured], jobs[0].cuts)
    names = {result.home for result in counted}
    trials = []
    cuts = {}
    for job in jobs:
        on_trial, chosen = tried(job, home_at(job.path))
        if on_trial.home.name in names:
            trials.append(on_trial)
            cuts[on_trial.home.name] = chosen
    persons = {result.home: result.person for result in counted}
    return baselines(trials, cuts, (MONTH / WEEK, 1.0), persons=persons) if trials else []


def _points(work: Sequence[Job], measured: Sequence[Measured]) -> list[dict[str, Any]]:
    points = []
    for multiple in MULTIPLES:
        results = pooled(
            [
                one.result
                for job, one in zip(work, measured, strict=True)
                if job.multiple == multiple
            ],
            work[0].cuts,
        )
        late = delay(results)
        points.append(
            {
                "multiple": multiple,
                "false_alarms_per_home_month": round(rate(results), 3),
                "mean": None if late.mean is None else round(late.mean, 3),
                "p90": None if late.p90 is None else round(late.p90, 3),
            }
        )
    return points
