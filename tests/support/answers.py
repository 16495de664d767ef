"""What a model answers here, to the bit: ``python -m tests.support.answers MODEL...``."""

from __future__ import annotations

import sys
from array import array
from pathlib import Path

from gateway.domain.sensor import Room
from gateway.engine.features import rows
from gateway.engine.habits import Habits
from gateway.inference import load, read_card


def answers(model: Path) -> str:
    """The logits for the card's rows and for a new home's first silence, in hexadecimal."""
    golden = read_card(model.with_suffix(".json")).golden
    asked = array("f", [value for row in golden.rows for value in row])
    asked.extend(rows(Habits().profile, Habits().start(1.7e9, Room.BED)))
    return " ".join(logit.hex() for logit in load(model).logits(asked))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(answers(Path(name)))
