"""The engine's Predictor on tflite-runtime (Python 3.11) or ai-edge-litert (3.12 and later).

Runtime and numpy are imported when a model is loaded and nowhere else: a hub that runs without a
model does not pay for them (about 25 MiB).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from importlib import import_module
from math import exp, isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.domain.errors import ModelError
from gateway.inference.card import Card, read_card

MODEL = Path(__file__).resolve().parents[2] / "models" / "inactivity.tflite"
"""Where the model lies beside this package, in a checkout as in an installation."""
CARD = MODEL.with_suffix(".json")

TOLERANCE = 1e-5
"""Largest difference in a logit between the card's answers and this runtime's. They ought to be
equal to the bit; a runtime that rounds differently is still right, one that is wrong is further
away."""


def load(path: Path | None = None, card_path: Path | None = None) -> HazardNetwork:
    """The model at ``path`` (the packaged one by default), checked against its card.

    Raises ModelError if the file is missing, is not the one its card names, does not load, or does
    not answer the card's questions as it should.
    """
    path = path or MODEL
    card = read_card(card_path or path.with_suffix(".json"))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: the model cannot be read ({error.strerror}); install the package again.",
            reason="missing",
        ) from None
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(
            f"{path}: this is not the model that its card names; install the package again.",
            reason="hash",
        )
    network = HazardNetwork(content, card, str(path))
    network.prove()
    return network


class HazardNetwork:
    """One interpreter on one thread, for ``card.rows`` rows at a time."""

    def __init__(self, content: bytes, card: Card, name: str) -> None:
        self.fingerprint = card.sha256[:16]
        self.silences = card.silences
        self._card = card
        self._name = name
        runtime, self._numpy = _runtime()
        try:
            # Without the default delegates: nothing is gained on 11,000 weights, and XNNPACK
            # writes to stderr when it comes up.
            interpreter = runtime.Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=(
                    runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                ),
            )
            interpreter.allocate_tensors()
            (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"{name}: the runtime cannot load the model ({_first_line(error)}); "
                "install the package again.",
                reason="load",
            ) from None
        shape = (card.rows, card.features)
        if tuple(given["shape"]) != shape or tuple(answer["shape"]) != (card.rows,):
            raise ModelError(
                f"{name}: the model's shape is not its card's; install the package again.",
                reason="shape",
            )
        self._interpreter: Any = interpreter
        self._input = given["index"]
        self._output = answer["index"]

    def hazard(self, rows: array[float]) -> Sequence[float]:
        """Probabilities of activity within ten minutes for n rows (flattened ``array('f')``)."""
        return [1.0 / (1.0 + exp(-logit)) for logit in self.logits(rows)]

    def logits(self, rows: array[float]) -> list[float]:
        """What the network itself says. Raises ModelError for an answer that is no number."""
        width, most = self._card.features, self._card.rows
        count, rest = divmod(len(rows), width)
        if rest or rows.typecode != "f":
            raise ModelError(
                f"{self._name}: rows of {width} float32 numbers were expected; report this fault.",
                reason="rows",
            )
        answers: list[float] = []
        for first in range(0, count, most):
            part = rows[first * width : (first + most) * width]
            part.extend([0.0] * (most * width - len(part)))
            answers.extend(self._invoke(part)[: count - first])
        if not all(isfinite(answer) and abs(answer) < 100.0 for answer in answers):
            raise ModelError(
                f"{self._name}: the model answered with what is no number; "
                "install the package again.",
                reason="answer",
            )
        return answers

    def prove(self) -> None:
        """Ask the card's questions. Raises ModelError where an answer differs."""
        golden = self._card.golden
        answers = self.logits(array("f", [value for row in golden.rows for value in row]))
        if len(answers) != len(golden.logits) or any(
            abs(answer - right) > TOLERANCE
            for answer, right in zip(answers, golden.logits, strict=True)
        ):
            raise ModelError(
                f"{self._name}: the model does not answer as its card says; "
                "install the package and its runtime again.",
                reason="golden",
            )

    def _invoke(self, part: array[float]) -> list[float]:
        values = self._numpy.frombuffer(part, dtype=self._numpy.float32)
        try:
            self._interpreter.set_tensor(
                self._input, values.reshape(self._card.rows, self._card.features)
            )
            self._interpreter.invoke()
            answers: list[float] = self._interpreter.get_tensor(self._output).tolist()
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self._name}: the runtime failed ({_first_line(error)}); restart the hub.",
                reason="invoke",
            ) from None
        return answers


def _runtime() -> tuple[ModuleType, ModuleType]:
    """The interpreter's module and numpy. Raises ModelError where neither runtime is there."""
    for name in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        try:
            return import_module(name), import_module("numpy")
        except ImportError:
            continue
    raise ModelError(
        "No runtime for the model is installed; install ansim-gateway[hub].", reason="runtime"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
