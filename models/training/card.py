"""The model's card: what the file is, what it was made from, how far to trust it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.engine.features import FEATURES, NAMES
from gateway.engine.stopping import ROWS

SOURCES = {
    "aruba_1": "CASAS Aruba (CASAS Smart Home data set, Zenodo 15708568), CC BY 4.0",
    "aruba_2": "CASAS Aruba (CASAS Smart Home data set, Zenodo 15708568), CC BY 4.0",
    "kasteren_a": "T. van Kasteren et al., Accurate activity recognition in a home setting, 2008",
    "kasteren_c": "T. van Kasteren et al., Accurate activity recognition in a home setting, 2008",
    "mit_s2": "E. Munguia Tapia, MIT House_n, 2003/2004",
    "tm000": "WSU CASAS, MIT licence",
}
LIMITS = (
    "Trained on five persons and on generated homes; few of the programme's age group.",
    "In the recordings are no real collapse, no pet, no annotated visitor and no Korean home.",
    "It says when activity is to be expected, not whether somebody is well.",
    "It may only make an alert earlier than the fixed ceilings; it can never postpone one.",
    "Its survival curves are too heavy in the tail: it foretells more alarms than happen.",
)


def card(
    content: bytes,
    *,
    seed: int,
    recorded: Mapping[str, str],
    generated: Sequence[str],
    measures: Mapping[str, Any],
    golden: tuple[list[list[float]], list[float]],
) -> str:
    """The card as JSON. ``recorded``: recording name to its SHA-256; ``golden``: rows, logits."""
    rows, logits = golden
    document = {
        "name": "inactivity",
        "what": "Hazard of activity in the coming ten minutes of a silence; docs/detection.md",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "features": FEATURES,
        "rows": ROWS,
        "output": "logit",
        "layers": [FEATURES, 48, 24, 1],
        "inputs": list(NAMES),
        "made_by": f"python -m models.training --seed {seed}",
        "data": {
            "recorded": {
                name: {"sha256": digest, "source": SOURCES.get(name, "unknown")}
                for name, digest in sorted(recorded.items())
            },
            "generated": list(generated),
        },
        "measures": dict(measures),
        "limits": list(LIMITS),
        "golden": {"rows": rows, "logits": logits},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
