"""Questions in the home: what they cost, and how likely they are answered.

A question costs the centre nothing, so it may come long before the centre is told; what it costs is
the peace of somebody who is well, and a false alarm if they do not answer. How likely that is
differs from person to person, and by night from day; each home learns it.
"""

from __future__ import annotations

from math import exp

from msgspec import Struct, field

from gateway.engine.habits import DAY, FADE_DAYS
from gateway.engine.stopping import ROWS, STEP, Knobs, Outlook

ANSWER_WITHIN = 15 * 60.0
"""Seconds after which an unanswered question becomes the centre's (docs/detection.md)."""

NIGHT_BEGINS, NIGHT_ENDS = 22, 8
"""Quiet hours, local (requirements, "Settled"): by night only a lamp asks."""

EXPECTED = (0.7, 0.4)
"""Chance of an answer by day and by night before anything is known [D]; worth WORTH questions."""
WORTH = 6.0


def unanswered_after(question: float | None, outlook: Outlook | None) -> float | None:
    """Seconds of silence at which a question asked after ``question`` seconds becomes the centre's.

    A ceiling may ask a sleeper long before the model would. Silence is then no answer: it becomes
    one at the model's own time, and the ceilings of the centre stand.
    """
    if question is None:
        return None
    if outlook is not None:
        if outlook.ask_after is None:
            return None
        question = max(question, outlook.ask_after)
    return question + ANSWER_WITHIN


class Asking(Struct):
    """Questions asked and answered while the resident was well, by day and by night; they fade."""

    asked: list[float] = field(default_factory=lambda: [0.0, 0.0])
    answered: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def learn(self, local: float, answered: bool) -> None:
        """A question asked at ``local`` was answered, or not although all was well."""
        index = int(is_night(local))
        self.asked[index] += 1.0
        self.answered[index] += float(answered)

    def turn(self, days: int) -> None:
        """So many days went by."""
        fade = exp(-days / FADE_DAYS)
        self.asked = [value * fade for value in self.asked]
        self.answered = [value * fade for value in self.answered]

    def chance(self, local: float) -> float:
        """How likely somebody who is at home and well answers at this hour."""
        index = int(is_night(local))
        return (self.answered[index] + EXPECTED[index] * WORTH) / (self.asked[index] + WORTH)

    def prices(self, local: float, knobs: Knobs) -> list[float]:
        """For each row of a silence that began at ``local``: what asking somebody who is well
        costs, against a false alarm at the centre."""
        midday, midnight = 43_200.0, 0.0
        price = [knobs.question + 1.0 - self.chance(hour) for hour in (midday, midnight)]
        return [price[is_night(local + (row + 1) * STEP)] for row in range(ROWS)]


def is_night(local: float) -> bool:
    """Whether a local second lies in the quiet hours."""
    return not NIGHT_ENDS * 3600.0 <= local % DAY < NIGHT_BEGINS * 3600.0
