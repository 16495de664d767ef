"""Chance that is the same on every Python.

Only ``Random.random()`` is used: its sequence for a seed is promised by the standard library, the
other methods have changed between versions. Seeds are strings, which Random hashes with SHA-512
and not with the hash that PYTHONHASHSEED salts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A seeded stream of chance. Streams with other words in their seed are independent."""

    def __init__(self, *seed: object) -> None:
        self.random = Random("/".join(str(word) for word in seed)).random

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def normal(self, mean: float, deviation: float) -> float:
        """Box and Muller; the second number is thrown away so that nothing is remembered."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())

    def exponential(self, mean: float) -> float:
        return -mean * math.log(1.0 - self.random())

    def lognormal(self, median: float, sigma: float) -> float:
        """Durations: never negative, many short ones, a few very long ones."""
        return median * math.exp(self.normal(0.0, sigma))

    def poisson(self, mean: float) -> int:
        """Knuth's method; means here are below ten."""
        limit = math.exp(-mean)
        count, product = 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def bursty(self, mean: float) -> float:
        """A gap between two events of somebody who is up and about: mostly short, now and then
        long. Mean ``mean``, coefficient of variation 1.9, as in recorded homes and unlike an
        exponential (1.0)."""
        if self.random() < 0.75:
            return self.exponential(mean * 0.3)
        return self.exponential(mean * 3.1)

    def pick(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of (thing, weight)."""
        point = self.random() * sum(weight for _, weight in choices)
        for thing, weight in choices:
            point -= weight
            if point < 0:
                return thing
        return choices[-1][0]
