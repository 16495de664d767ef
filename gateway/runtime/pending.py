"""What the engine was told and said, until it is on disk: when to commit, and what to keep while the
disk refuses. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions
from gateway.domain.observation import Observation
from gateway.journal.shedding import READINGS, shed

BATCH_SECONDS = 60.0
"""Longest that a routine observation waits for its commit (requirements, "Settled")."""

BATCH_MOST = 500
"""Observations that wait at most, so that a bed mat that fires all night bounds nothing but disk."""

LONGEST_WAIT = 60.0
"""Seconds after which the core wakes without a reason, to show that it can (watchdog, R2), and to
mark until when it watched (R17: saved at least each 60 s)."""

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds between two tries to commit while the disk refuses. News that must not wait is tried at
once in any case."""

LARGEST_PENDING = 50_000
"""Routine observations kept while the disk refuses: two weeks of a busy home, some 15 MB."""

SUMMARIES_MOST = 1008
"""Summaries that are kept while the disk refuses: a week of them."""

T = TypeVar("T")


class Pending:
    """``urgent`` is set by whatever somebody may wait for; a try clears it, whatever came of it, but
    for a hurry that was asked for meanwhile."""

    def __init__(self, now: float) -> None:
        """``now``: boottime, here and everywhere."""
        self.observations: list[Observation] = []
        self.decisions: list[Decisions] = []
        self.urgent = False
        self._hurried = False
        self._since: float | None = None
        self._retry_at: float | None = None
        self._retry_wait = FIRST_RETRY
        self._stored_at = now

    def __bool__(self) -> bool:
        """Whether anything waits for the disk."""
        return bool(self.observations or self.decisions)

    @property
    def refused(self) -> bool:
        """Whether the last try failed, in whole or in part."""
        return self._retry_at is not None

    def observe(self, observation: Observation) -> None:
        """The engine is told this."""
        if not self.observations:
            self._since = observation.at.boottime
        self.observations.append(observation)
        self.urgent |= not isinstance(observation.what, READINGS)

    def decide(self, decisions: Decisions, now: float) -> None:
        """The engine said this."""
        if decisions.alerts or decisions.summaries:
            self.decisions.append(decisions)
            self.urgent |= bool(decisions.alerts)
            if self._since is None:
                self._since = now

    def untold(self, alerts: Sequence[Alert]) -> None:
        """Alerts that the journal should hold and does not."""
        if alerts:
            self.decisions.append(Decisions(alerts=tuple(alerts)))
            self.urgent = True

    def hurry(self) -> None:
        """Commit what waits without waiting for its batch to fill."""
        self.urgent, self._retry_at = True, None
        self._hurried = True

    def begin(self) -> None:
        """All of it is being committed; a hurry from now on is for the next commit."""
        self._hurried = False

    def due(self, now: float) -> bool:
        """Whether to commit. After a try that failed a full batch is no reason: a disk that refuses
        is not asked with every reading."""
        full = len(self.observations) >= BATCH_MOST and not self.refused
        return self.urgent or full or now >= self.next_moment()

    def next_moment(self) -> float:
        """When to commit if nothing more comes."""
        if self._retry_at is not None:
            return self._retry_at
        moment = self._stored_at + LONGEST_WAIT
        return moment if self._since is None else min(moment, self._since + BATCH_SECONDS)

    def stored(self, now: float) -> None:
        """Everything is on disk."""
        self.observations, self.decisions = [], []
        self._since, self._stored_at, self.urgent = None, now, self._hurried
        self._retry_at, self._retry_wait = None, FIRST_RETRY

    def part_stored(
        self, left: Sequence[Observation], decisions: Sequence[Decisions], now: float
    ) -> Mapping[str, int]:
        """All but this is on disk; returns as ``kept``."""
        self.observations, self.decisions = list(left), list(decisions)
        self._stored_at = now
        return self.kept(now)

    def kept(self, now: float) -> Mapping[str, int]:
        """Nothing more is on disk: try again, ever more rarely, and keep what waits within bounds.
        Returns how much was let go, by counter. Alarms and what people did never are."""
        self.urgent = self._hurried
        self._retry_at = now + self._retry_wait
        self._retry_wait = min(LONGEST_RETRY, 2 * self._retry_wait)
        self.observations, readings = _newest(self.observations, _is_reading, LARGEST_PENDING)
        self.decisions, summaries = _newest(self.decisions, _tells_nobody, SUMMARIES_MOST)
        lost = {"observations-lost": readings, "summaries-lost": summaries}
        return {name: count for name, count in lost.items() if count}

    def only_readings(self) -> bool:
        """Whether nothing of what waits would have to be stored on a full disk."""
        return shed(self.observations, self.decisions).empty


def _newest(items: list[T], spare: Callable[[T], bool], most: int) -> tuple[list[T], int]:
    """All but the oldest spare ones beyond ``most`` of these, and how many those are."""
    over = max(0, sum(map(spare, items)) - most)
    left = over
    kept = []
    for item in items:
        if left and spare(item):
            left -= 1
        else:
            kept.append(item)
    return kept, over


def _is_reading(observation: Observation) -> bool:
    return isinstance(observation.what, READINGS)


def _tells_nobody(decisions: Decisions) -> bool:
    return not decisions.alerts
