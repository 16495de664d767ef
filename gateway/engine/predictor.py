"""What the engine asks of a network, without knowing which runtime answers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

Silences = tuple[tuple[int, int, int, float], ...]
"""Silences of other homes: (minute of the day it began, minutes it lasted, index of the room,
weight)."""


class Predictor(Protocol):
    """A hazard network: how likely is activity in the coming ten minutes.

    ``fingerprint`` names the model file (the first 16 hexadecimal digits of its SHA-256), so that
    an engine snapshot made with another model is not taken for this one's.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def silences(self) -> Silences:
        """Silences of the homes that the network was made from, for the kernel to begin with
        (kernel.py); at least one. They come with the network, so that where a person was left out
        of the one, they are left out of the other too."""
        ...

    def hazard(self, rows: array[float]) -> Sequence[float]:
        """Probabilities of activity within ten minutes, one for each row.

        ``rows`` is an ``array('f')`` of n x ``features.FEATURES`` numbers, row after row.
        Raises ModelError where the network cannot answer.
        """
        ...
