"""``python -m models.training``: trains the networks anew and writes models, cards and prior.

The main model is made from everybody. Beside it there is one for each recorded person that was
made without them, network and pseudo-silences alike, to measure with (models/folds). The same seed
on the same machine and versions makes the same files. Recorded homes are found through ANSIM_HOMES
(default ``../shared/data``); they are read, never copied.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import monotonic

from msgspec import Struct

from gateway.engine.predictor import Silences
from gateway.inference import MODEL
from gateway.sensing import recording
from models.evaluation.folds import FOLDS
from models.training import generated
from models.training.card import card
from models.training.corpus import (
    Examples,
    Home,
    alike,
    empty,
    events_of,
    examples,
    pseudo_silences,
)
from models.training.making import Job, Made, make

OFFSET = 540
SAME_PERSON = {"aruba_1": "aruba", "aruba_2": "aruba"}
"""Persons who were recorded more than once; everybody else is named like their home."""
PRIOR = Path(__file__).resolve().parents[2] / "gateway" / "engine" / "prior.py"


class Part(Struct, frozen=True):
    """One home: ``digest`` is a recording's fingerprint, None for a generated home."""

    home: Home
    digest: str | None
    examples: Examples


def recorded(folder: Path) -> tuple[list[Home], dict[str, str]]:
    """Every recorded home in a folder, and its fingerprint."""
    homes, digests = [], {}
    for path in sorted(folder.glob("*.csv.gz")):
        record = recording.load(path)
        events = events_of(recording.observations(record, OFFSET), record.sensors, OFFSET)
        homes.append(Home(record.name, SAME_PERSON.get(record.name, record.name), events))
        digests[record.name] = record.fingerprint()
    return homes, digests


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure on left-out persons, write. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--homes", type=Path, default=Path(os.environ.get("ANSIM_HOMES", "../shared/data"))
    )
    options = parser.parse_args(arguments)
    began = monotonic()
    homes, digests = recorded(options.homes)
    if not homes:
        print(f"{options.homes}: there are no recorded homes; set ANSIM_HOMES.", file=sys.stderr)
        return 3
    parts = [
        Part(home, digests.get(home.name), examples(home, Random(f"{options.seed} {home.name}")))
        for home in [*alike(homes), *generated.homes(options.seed)]
    ]
    print(f"{sum(len(part.examples.labels) for part in parts)} rows, {_since(began)}", flush=True)
    losses: dict[str, float] = {}
    for person, made in _made(parts, options.seed):
        silences = pseudo_silences([part.home for part in parts if part.home.person != person])
        if made.loss_of_left_out is not None:
            losses[str(person)] = made.loss_of_left_out
        _write(parts, person, made, silences, losses, options.seed)
        print(
            f"{'everybody' if person is None else f'without {person}'}: {made.rows} rows, "
            f"loss {made.loss}, of the person left out {made.loss_of_left_out}, "
            f"{len(made.content)} bytes, {_since(began)}",
            flush=True,
        )
    return 0


def _made(parts: Sequence[Part], seed: int) -> Iterator[tuple[str | None, Made]]:
    """The model without each recorded person, and last the one (None) from everybody."""
    persons = sorted({part.home.person for part in parts if part.digest})
    jobs = [
        Job(
            _rows_of([part for part in parts if part.home.person != person]),
            _rows_of([part for part in parts if part.home.person == person]),
            seed,
        )
        for person in (*persons, None)
    ]
    # TensorFlow does not survive a fork.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from zip((*persons, None), pool.map(make, jobs), strict=True)


def _rows_of(parts: Sequence[Part]) -> Examples:
    whole = empty()
    for part in parts:
        whole.add(part.examples)
    return whole


def _write(
    parts: Sequence[Part],
    person: str | None,
    made: Made,
    silences: Silences,
    losses: Mapping[str, float],
    seed: int,
) -> None:
    """The model and its card; the main model's pseudo-silences are the engine's own too."""
    digests = {part.home.name: part.digest for part in parts if part.digest}
    theirs = {part.home.name for part in parts if part.home.person == person}
    text = card(
        made,
        silences,
        recorded={name: digest for name, digest in digests.items() if name not in theirs},
        generated=[part.home.name for part in parts if not part.digest],
        left_out=None
        if person is None
        else (person, {name: digests[name] for name in sorted(theirs)}),
        losses=losses if person is None else {person: losses[person]},
        seed=seed,
    )
    path = MODEL if person is None else FOLDS / f"{person}.tflite"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(made.content)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    if person is None:
        PRIOR.write_text(_prior(silences), encoding="utf-8")


def _since(began: float) -> str:
    return f"{monotonic() - began:.0f} s"


def _prior(silences: Silences) -> str:
    entries = [f"{entry}," for entry in silences]
    lines = ["    " + " ".join(entries[at : at + 3]) for at in range(0, len(entries), 3)]
    return "\n".join(
        [
            '"""Silences of other homes, a small table. Written by ``python -m models.training``."""',
            "",
            "from __future__ import annotations",
            "",
            "# fmt: off",
            "ANYWHERE: tuple[tuple[int, int, int, float], ...] = (",
            *lines,
            ")",
            "# fmt: on",
            '"""(minute of the day it began, minutes it lasted, index of the room, weight)."""',
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
