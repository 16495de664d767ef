"""When to commit: at once for whatever somebody may wait for, otherwise at most a minute later.

Pure: the time is an argument. Why batches at all: a commit costs about 6 kB on the card however
little it holds, so one for each of 5,000 readings a day would write 30 MB instead of 8.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.decisions import Decisions
from gateway.domain.observation import (
    Answered,
    Booted,
    CentreAnswered,
    HubFault,
    Observation,
    PauseEnded,
    PauseStarted,
    Pressed,
    VisitEnded,
    VisitStarted,
)

LONGEST = 60.0
"""Seconds from the first observation to the commit ("Settled": journal cost)."""

MOST = 256
"""Observations that wait at most: bounds memory and what a kill may take."""

AT_ONCE = (
    Answered,
    Pressed,
    Booted,
    CentreAnswered,
    HubFault,
    PauseStarted,
    PauseEnded,
    VisitStarted,
    VisitEnded,
)
"""What is rare, and what a person did and expects an answer to."""


class Taken(Struct, frozen=True):
    """What goes into one commit: the arguments of Journal.commit."""

    observations: tuple[Observation, ...]
    decisions: tuple[Decisions, ...]
    since: float | None


class Batch:
    """Observations and decisions that wait for their commit.

    ``add`` returns whether to commit at once; ``due`` is when to commit at the latest. After a
    commit that failed, ``put_back`` lets nothing be forgotten.
    """

    def __init__(self, longest: float = LONGEST, most: int = MOST) -> None:
        self._longest = longest
        self._most = most
        self._observations: list[Observation] = []
        self._decisions: list[Decisions] = []
        self._since: float | None = None
        self._at_once = False

    def __len__(self) -> int:
        """Observations that wait."""
        return len(self._observations)

    @property
    def due(self) -> float | None:
        """Boottime (seconds) of the latest commit; None if nothing waits."""
        return None if self._since is None else self._since + self._longest

    def add(self, observation: Observation | None, decisions: Decisions, boottime: float) -> bool:
        """Put in what the engine was told (None for a tick) and what it said.

        Returns True if it must be committed at once.
        """
        said = bool(decisions.alerts or decisions.summaries)
        if observation is None and not said:
            return self.ready(boottime)
        if observation is not None:
            self._observations.append(observation)
            self._at_once |= isinstance(observation.what, AT_ONCE)
        if said:
            self._decisions.append(decisions)
            self._at_once |= bool(decisions.alerts)
        if self._since is None:
            self._since = boottime
        return self.ready(boottime)

    def ready(self, boottime: float) -> bool:
        """Whether to commit now."""
        if self._since is None:
            return False
        return (
            self._at_once
            or len(self._observations) >= self._most
            or boottime >= self._since + self._longest
        )

    def take(self) -> Taken:
        """Everything that waits; the batch is empty then."""
        taken = Taken(tuple(self._observations), tuple(self._decisions), self._since)
        self._observations, self._decisions = [], []
        self._since, self._at_once = None, False
        return taken

    def put_back(self, taken: Taken) -> None:
        """Put what could not be committed before what has come since."""
        self._observations[:0] = taken.observations
        self._decisions[:0] = taken.decisions
        if taken.since is not None:
            self._since = taken.since
        self._at_once |= any(d.alerts for d in taken.decisions) or any(
            isinstance(o.what, AT_ONCE) for o in taken.observations
        )
