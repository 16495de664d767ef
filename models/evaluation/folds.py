"""Which model a recording may be measured with, and whether that model has seen it."""

from __future__ import annotations

from pathlib import Path

from gateway.inference import CARD, MODEL, HazardNetwork, load, read_card

FOLDS = Path(__file__).resolve().parents[1] / "folds"
"""A model without each of the recorded persons: ``<person>.tflite`` and its card."""


def predictor_for(fingerprint: str, folds: bool) -> tuple[HazardNetwork, bool]:
    """The model to measure the recording with this ``Recording.fingerprint()`` with, and whether
    the recording is IN SAMPLE: went into that model.

    Without ``folds`` that is always the shipped model. With them it is, for a recording that went
    into the shipped one, the model that was made without the recording's person; network and
    pseudo-silences alike. Raises ModelError where a model or card is missing or damaged.
    """
    if not read_card(CARD).was_made_from(fingerprint):
        return load(MODEL), False
    if folds:
        for path in sorted(FOLDS.glob("*.json")):
            card = read_card(path)
            if card.leaves_out(fingerprint) and not card.was_made_from(fingerprint):
                return load(path.with_suffix(".tflite")), False
    return load(MODEL), True


def person_of(fingerprint: str) -> str | None:
    """Who lives in a recording that a fold leaves out; None for one that no fold knows."""
    for path in sorted(FOLDS.glob("*.json")):
        left_out = read_card(path).left_out
        if left_out is not None and fingerprint in left_out.recordings.values():
            return left_out.person
    return None
