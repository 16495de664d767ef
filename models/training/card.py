"""A model's card: what the file is, what it was made from, how far to trust it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from gateway.engine.features import FEATURES, NAMES
from gateway.engine.predictor import Silences
from gateway.engine.stopping import ROWS
from models.training.making import Made

_CASAS = ("CASAS Aruba (CASAS Smart Home data set, Zenodo 15708568)", "CC BY 4.0")
_KASTEREN = (
    "T. van Kasteren et al., Accurate activity recognition in a home setting, 2008",
    "cite",
)
SOURCES = {
    "aruba_1": _CASAS,
    "aruba_2": _CASAS,
    "kasteren_a": _KASTEREN,
    "kasteren_c": _KASTEREN,
    "mit_s2": ("E. Munguia Tapia, MIT House_n, 2003/2004", "acknowledge"),
    "tm000": ("WSU CASAS", "MIT licence"),
}
UNKNOWN = ("unknown", "unknown")
WEIGHTS = (
    "Every recorded person weighs the same, however many homes and rows they have; all generated "
    "homes together weigh as much as one person."
)
LIMITS = (
    "Trained on at most five persons and on generated homes; few of the programme's age group.",
    "In the recordings are no real collapse, no pet, no annotated visitor and no Korean home.",
    "It says when activity is to be expected, not whether somebody is well.",
    "It may only make an alert earlier than the fixed ceilings; it can never postpone one.",
    "Its survival curves are too heavy in the tail: it foretells more alarms than happen.",
)


def card(
    made: Made,
    silences: Silences,
    *,
    recorded: Mapping[str, str],
    generated: Sequence[str],
    left_out: tuple[str, Mapping[str, str]] | None,
    losses: Mapping[str, float],
    seed: int,
) -> str:
    """The card as JSON. ``recorded``: recording name to its SHA-256; ``left_out``: a person and
    their recordings in the same form; ``losses``: person to the loss of the model without them."""
    rows, logits = made.golden
    document = {
        "name": "inactivity" if left_out is None else f"inactivity without {left_out[0]}",
        "what": "Hazard of activity in the coming ten minutes of a silence; docs/detection.md",
        "sha256": hashlib.sha256(made.content).hexdigest(),
        "bytes": len(made.content),
        "features": FEATURES,
        "rows": ROWS,
        "output": "logit, the mean of the networks' logits",
        "layers": [FEATURES, 48, 24, 1],
        "seeds": made.seeds,
        "inputs": list(NAMES),
        "made_by": f"python -m models.training --seed {seed}",
        "made_with": made.versions,
        "left_out": left_out and {"person": left_out[0], "recordings": dict(left_out[1])},
        "data": {
            "recorded": {
                name: {"sha256": digest, "source": source, "terms": terms}
                for name, digest in sorted(recorded.items())
                for source, terms in [SOURCES.get(name, UNKNOWN)]
            },
            "generated": list(generated),
            "weights": WEIGHTS,
        },
        "measures": {
            "rows": made.rows,
            "loss": made.loss,
            "loss_of_left_out_persons": dict(losses),
            "unit": "weighted cross-entropy, nats per ten-minute row",
            "rows_exact_in_float32": made.rows_exact,
        },
        "limits": list(LIMITS),
        "silences": silences,
        "golden": {"rows": rows, "logits": logits},
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return _NUMBERS.sub(lambda found: re.sub(r"\s+", " ", found[0]), text)


_NUMBERS = re.compile(r"(?<=\[)[\s\d.,e+-]+(?=\])")
"""A list of nothing but numbers, which is one line to a reader."""
