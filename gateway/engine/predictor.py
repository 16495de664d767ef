"""What the engine asks of a network, without knowing which runtime answers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol


class Predictor(Protocol):
    """A hazard network: how likely is activity in the coming ten minutes.

    ``fingerprint`` names the model file (the first 16 hexadecimal digits of its SHA-256), so that
    an engine snapshot made with another model is not taken for this one's.
    """

    @property
    def fingerprint(self) -> str: ...

    def hazard(self, rows: array[float]) -> Sequence[float]:
        """Probabilities of activity within ten minutes, one for each row.

        ``rows`` is an ``array('f')`` of n x ``features.FEATURES`` numbers, row after row.
        Raises ModelError where the network cannot answer.
        """
        ...
