"""Generated homes for training: lives that no recording shows.

One home of each kind of person. They weigh little: a generator's regularities are not people's,
and networks trained on many generated homes were no better on homes never seen
(docs/detection.md). They are here for the night workers and the people who hardly leave.
"""

from __future__ import annotations

from models.homes import KINDS, Plan, generate
from models.training.corpus import Home, events_of

DAYS = 42
WEIGHT = 1.0 / len(KINDS)
"""All generated homes together weigh what one recorded person weighs [D]."""
EVENTS_A_DAY = (80.0, 200.0, 500.0, 1_200.0)


def homes(seed: int) -> list[Home]:
    """The homes of a seed."""
    found = []
    for index, kind in enumerate(sorted(KINDS)):
        plan = Plan(
            seed=seed * 1_000 + index,
            kind=kind,
            days=DAYS,
            events_per_day=EVENTS_A_DAY[index % len(EVENTS_A_DAY)],
        )
        home = generate(plan)
        name = f"{kind}, {DAYS} days, seed {plan.seed}"
        events = events_of(home.observations(), home.sensors, 540)
        found.append(Home(name, name, events, WEIGHT))
    return found
