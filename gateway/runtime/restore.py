"""An engine from what is on disk: the snapshot and what came after it, or the whole journal; and
what goes to disk with each commit so that the next start knows it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions
from gateway.domain.errors import JournalError, SnapshotError
from gateway.domain.household import Household
from gateway.domain.instant import Instant
from gateway.domain.observation import Observation
from gateway.engine.engine import Engine
from gateway.engine.predictor import Predictor
from gateway.engine.state import FORMAT
from gateway.journal import Journal
from gateway.journal.history import UP

log = logging.getLogger("ansim")

RETRY_TICK = 60.0
"""Seconds until an engine whose step failed is asked again: an error that lasts must not become a
loop, and the watch must go on."""

MARK_WALL = f"{UP}wall_ms"
MARK_BOOTTIME = f"{UP}boottime_ms"
"""Named counters of the journal: until when this run of the program is known to have watched."""


class Along(Protocol):
    """What else goes to disk with every commit: the marks of the guard against replayed frames."""

    def marks(self, now: float) -> Mapping[str, int]:
        """Named counters for the commit that is being put together; ``now`` is boottime."""

    def release(self) -> Mapping[str, int]:
        """The same for the last commit before a clean stop."""

    def stored(self) -> None:
        """The last commit is on disk."""


class Restored(NamedTuple):
    """``last``       the last moment at which the run before is known to have watched
    ``replayed``   observations that were stepped again
    ``snapshot``   whether a snapshot saved the rest
    ``failures``   observations at which the engine failed (as it did before)"""

    engine: Engine
    last: Instant | None
    replayed: int
    snapshot: bool
    failures: int


def restore(journal: Journal, household: Household, predictor: Predictor | None) -> Restored:
    """The engine as it was. What it decides on the way was committed together with the
    observations, so it is not told again."""
    engine: Engine | None = None
    saved = journal.load_snapshot(fingerprint(household))
    if saved is not None:
        try:
            engine = Engine.restore(household, predictor, saved.blob)
        except SnapshotError as error:
            log.warning("%s", error)
            saved = None
    if engine is None:
        engine = Engine(household, predictor)
    replayed = failures = 0
    last = None if saved is None else saved.at
    for observation in journal.observations(0 if saved is None else saved.sequence):
        failures += step(engine, observation) is None
        replayed += 1
        last = observation.at
    return Restored(engine, _latest(last, journal), replayed, saved is not None, failures)


def step(engine: Engine, observation: Observation) -> Decisions | None:
    """One step that cannot stop the hub: None if the engine failed at this observation. The same
    observation fails again at every rebuild, so the state stays a function of the journal."""
    try:
        return engine.step(observation)
    except Exception:  # a bug of ours must not end the watch (invariant 8); it is counted and told
        log.exception("the engine failed at observation %d", observation.sequence)
        return None


def fingerprint(household: Household) -> str:
    """What a snapshot must agree with to be of use: whose it is and how it is written. A changed
    sensor list is the engine's to judge (it refuses the snapshot), another model or limit is not
    part of the state."""
    return f"{household.hub}:{FORMAT}"


def marks(at: Instant) -> dict[str, int]:
    """The counters that say that the hub watched until ``at``. Rounded up: a deadline that was
    lived through and told must lie before its mark, or the next run would tell it a second time."""
    return {MARK_WALL: int(at.wall * 1000) + 1, MARK_BOOTTIME: int(at.boottime * 1000) + 1}


def untold(engine: Engine, journal: Journal) -> tuple[Alert, ...]:
    """Open alerts that the restored engine holds and the journal does not: other limits, another
    model or other code decided differently about the observations that were stepped again."""
    return tuple(alert for alert in engine.open_alerts() if not _holds(journal, alert))


def _holds(journal: Journal, alert: Alert) -> bool:
    try:
        known = journal.alert(alert.id)
    except JournalError:  # better once too often: a commit passes over a version that is there
        return False
    return known is not None and known.version >= alert.version


def _latest(last: Instant | None, journal: Journal) -> Instant | None:
    """The later of the last observation or snapshot and the last mark of the same run."""
    wall, boottime = journal.counter(MARK_WALL), journal.counter(MARK_BOOTTIME)
    if last is None or wall is None or boottime is None:
        return last
    if boottime / 1000 <= last.boottime:
        return last
    return Instant(last.boot, boottime / 1000, wall / 1000, last.synced)
