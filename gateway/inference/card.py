"""The model's card: which file it is, what it must answer, and what people should know of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.domain.errors import ModelError


class Golden(Struct, frozen=True):
    """Inputs and the logits that the file must answer them with."""

    rows: list[list[float]]
    logits: list[float]


class Card(Struct, frozen=True):
    """The fields that loading needs; the card file holds more, for people."""

    sha256: str
    features: int
    rows: int
    golden: Golden


def read_card(path: Path) -> Card:
    """The card at ``path``. Raises ModelError where it is missing or makes no sense."""
    try:
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise ModelError(
            f"{path}: the model's card cannot be read ({error.strerror}); install the package again.",
            reason="card",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ModelError(
            f"{path}: this is not the card of a model; install the package again.", reason="card"
        ) from None
    golden = card.golden
    if not golden.rows or len(golden.rows) != len(golden.logits):
        raise ModelError(
            f"{path}: the card has no test answers; install the package again.", reason="card"
        )
    return card
