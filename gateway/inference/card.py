"""The model's card: which file it is, what it must answer, and what people should know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.domain.errors import ModelError
from gateway.domain.sensor import Room
from gateway.engine.habits import LONGEST

Minute = Annotated[int, Meta(ge=0, lt=1_440)]
Minutes = Annotated[int, Meta(ge=1, le=LONGEST // 60)]
RoomIndex = Annotated[int, Meta(ge=0, lt=len(Room))]
Weight = Annotated[float, Meta(gt=0)]


class Golden(Struct, frozen=True):
    """Inputs and the logits that the file must answer them with."""

    rows: list[list[float]]
    logits: list[float]


class Recorded(Struct, frozen=True):
    """One recorded home, by its ``Recording.fingerprint()``."""

    sha256: str


class Data(Struct, frozen=True):
    """The recorded homes that the model was made from, by name."""

    recorded: dict[str, Recorded]


class LeftOut(Struct, frozen=True):
    """The person whom a fold's model has never seen, and their recordings: name to SHA-256."""

    person: str
    recordings: dict[str, str]


class Card(Struct, frozen=True):
    """The fields that programs need; the card file holds more, for people."""

    sha256: str
    features: int
    rows: int
    data: Data
    silences: Annotated[tuple[tuple[Minute, Minutes, RoomIndex, Weight], ...], Meta(min_length=1)]
    golden: Golden
    left_out: LeftOut | None = None

    def was_made_from(self, fingerprint: str) -> bool:
        """Whether the recording with this fingerprint went into the model."""
        return any(home.sha256 == fingerprint for home in self.data.recorded.values())

    def leaves_out(self, fingerprint: str) -> bool:
        """Whether the recording is one of the person's whom this model was kept from."""
        return self.left_out is not None and fingerprint in self.left_out.recordings.values()


def read_card(path: Path) -> Card:
    """The card at ``path``. Raises ModelError where it is missing or makes no sense."""
    try:
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise ModelError(
            f"{path}: the model's card cannot be read ({error.strerror}); install the package again.",
            reason="card",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path}: this is not the card of a model ({error}); install the package again.",
            reason="card",
        ) from None
    golden = card.golden
    if not golden.rows or len(golden.rows) != len(golden.logits):
        raise ModelError(
            f"{path}: the card has no test answers; install the package again.", reason="card"
        )
    return card
