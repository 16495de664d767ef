"""``python -m models.training``: trains the network anew and writes model, card and prior.

The same seed on the same machine and versions makes the same network. Recorded homes are found
through ANSIM_HOMES (default ``../shared/data``); they are read, never copied.
"""

from __future__ import annotations

import argparse
import os
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from random import Random

from gateway.engine.features import FEATURES
from gateway.inference import CARD, MODEL
from gateway.sensing import recording
from models.training import generated
from models.training.card import card
from models.training.corpus import Examples, Home, empty, events_of, examples, pseudo_silences

OFFSET = 540
SAME_PERSON = {"aruba_1": "aruba", "aruba_2": "aruba"}
GOLDEN = 12
PRIOR = Path(__file__).resolve().parents[2] / "gateway" / "engine" / "prior.py"


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
    homes, digests = recorded(options.homes)
    if not homes:
        print(f"{options.homes}: there are no recorded homes; set ANSIM_HOMES.", file=sys.stderr)
        return 3
    homes += generated.homes(options.seed)
    parts = [(home, examples(home, Random(f"{options.seed} {home.name}"))) for home in homes]
    measures = _train(parts, digests, options.seed)
    PRIOR.write_text(_prior(homes), encoding="utf-8")
    print(f"{MODEL.name}, {MODEL.stat().st_size} bytes: {measures}")
    return 0


def _train(
    parts: Sequence[tuple[Home, Examples]], digests: dict[str, str], seed: int
) -> dict[str, object]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    from models.training import network as net

    together = _all(parts)
    left_out = {}
    for person in sorted({home.person for home, _ in parts if home.name in digests}):
        without = _all([part for part in parts if part[0].person != person])
        theirs = _all([part for part in parts if part[0].person == person])
        left_out[person] = round(net.loss(net.train(without, seed), theirs), 4)
    trained = net.train(together, seed)
    measures: dict[str, object] = {
        "rows": len(together.labels),
        "loss": round(net.loss(trained, together), 4),
        "loss_of_left_out_persons": left_out,
        "unit": "weighted cross-entropy, nats per ten-minute row",
        "rows_exact_in_float32": round(net.exact_share(trained, together), 6),
    }
    content = net.export(trained)
    rows = _golden(together)
    logits = trained.logits(rows).numpy().tolist()
    text = card(
        content,
        seed=seed,
        recorded=digests,
        generated=[home.name for home, _ in parts if home.name not in digests],
        measures=measures,
        golden=(rows, logits),
    )
    MODEL.write_bytes(content)
    CARD.write_text(text, encoding="utf-8")
    return measures


def _all(parts: Sequence[tuple[Home, Examples]]) -> Examples:
    whole = empty()
    for _, part in parts:
        whole.add(part)
    return whole


def _golden(together: Examples) -> list[list[float]]:
    """A few rows from everywhere in the corpus."""
    count = len(together.labels)
    picked = [count * (2 * index + 1) // (2 * GOLDEN) for index in range(GOLDEN)]
    return [_row(together.inputs, index) for index in picked]


def _row(inputs: array[float], index: int) -> list[float]:
    return inputs[index * FEATURES : (index + 1) * FEATURES].tolist()


def _prior(homes: Sequence[Home]) -> str:
    entries = [f"{entry}," for entry in pseudo_silences(homes)]
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
