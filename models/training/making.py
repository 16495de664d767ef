"""One model from its examples. Runs in a process of its own, where TensorFlow is imported."""

from __future__ import annotations

import os
from array import array
from importlib.metadata import version
from typing import Any

from msgspec import Struct

from gateway.engine.features import FEATURES
from models.training.corpus import Examples

GOLDEN = 12


class Job(Struct, frozen=True):
    """``left_out`` are the rows of the person who is not to be seen; empty for the main model."""

    seen: Examples
    left_out: Examples
    seed: int


class Made(Struct, frozen=True):
    """``loss_of_left_out`` is None where nobody was left out; ``golden`` are rows and logits."""

    content: bytes
    seeds: list[int]
    versions: dict[str, str]
    rows: int
    loss: float
    loss_of_left_out: float | None
    rows_exact: float
    golden: tuple[list[list[float]], list[float]]


def make(job: Job) -> Made:
    """Train the networks, measure them, export them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    from models.training import network as net

    trained = net.train_all(job.seen, job.seed)
    rows = golden_rows(job.seen)
    others: Any = job.left_out
    return Made(
        content=net.export(trained),
        seeds=list(net.seeds(job.seed)),
        versions={name: version(name) for name in ("tensorflow", "numpy")},
        rows=len(job.seen.labels),
        loss=round(net.loss(trained, job.seen), 4),
        loss_of_left_out=round(net.loss(trained, others), 4) if others.labels else None,
        rows_exact=round(net.exact_share(trained, job.seen), 6),
        golden=(rows, trained.logits(rows).numpy().tolist()),
    )


def golden_rows(examples: Examples) -> list[list[float]]:
    """A few rows from everywhere in the corpus."""
    count = len(examples.labels)
    picked = [count * (2 * index + 1) // (2 * GOLDEN) for index in range(GOLDEN)]
    return [_row(examples.inputs, index) for index in picked]


def _row(inputs: array[float], index: int) -> list[float]:
    return inputs[index * FEATURES : (index + 1) * FEATURES].tolist()
