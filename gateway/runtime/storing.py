"""What becomes of a commit that the journal refuses: one bad item, or no room, must never keep an
alarm from the disk (invariant 2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.errors import JournalError
from gateway.domain.observation import Observation
from gateway.journal import Journal
from gateway.journal.shedding import shed

log = logging.getLogger("ansim")

OF_AN_ITEM = ("content", "sequence")
"""Reasons of a refusal that are the fault of something in the commit, not of the disk."""

Item = Observation | Alert | Summary


class Stored(NamedTuple):
    """``left`` and ``left_decisions`` are not on disk and are to be tried again; ``trouble`` says
    why. ``refused`` counts what can never be stored and was put into quarantine."""

    left: tuple[Observation, ...] = ()
    left_decisions: tuple[Decisions, ...] = ()
    trouble: JournalError | None = None
    refused: int = 0


def store(
    journal: Journal,
    observations: Sequence[Observation],
    decisions: Sequence[Decisions],
    counters: Mapping[str, int],
    at: float,
) -> Stored:
    """Store everything; or all but a bad item; or, where the disk takes no more, at least what must
    not wait. ``at``: wall seconds, for the quarantine.

    Raises JournalError if not even that is on disk; to store it again is harmless.
    """
    try:
        try:
            journal.commit(observations, decisions, counters=counters)
            return Stored()
        except JournalError as error:
            if error.reason not in OF_AN_ITEM:
                raise
        refused = _all_but_the_bad(journal, observations, decisions, counters, at)
        return Stored(refused=refused)
    except JournalError as error:
        trouble = error
    parted = shed(observations, decisions)
    if parted.empty:
        raise trouble
    refused = 0
    try:
        journal.commit_alarms(observations, decisions, counters=counters)
    except JournalError as error:
        if error.reason not in OF_AN_ITEM:
            raise
        told = {**parted.counters, **counters}
        refused = _all_but_the_bad(
            journal, parted.observations, parted.decisions, told, at, reserve=True
        )
    return Stored(parted.left, parted.left_decisions, trouble, refused)


def _all_but_the_bad(
    journal: Journal,
    observations: Sequence[Observation],
    decisions: Sequence[Decisions],
    counters: Mapping[str, int],
    at: float,
    *,
    reserve: bool = False,
) -> int:
    """Halve until the bad item stands alone; returns how many could not be stored in any form.
    Alarms come first, each with what it rests on. Raises JournalError for a fault of the disk."""
    commit = partial(journal.commit, reserve=reserve)
    alerts = [alert for one in decisions for alert in one.alerts]
    moments = {alert.at for alert in alerts}
    items: list[Item] = [o for o in observations if o.at in moments]
    items += alerts
    items += [o for o in observations if o.at not in moments]
    items += [summary for one in decisions for summary in one.summaries]
    refused = 0
    for item, error in _refused(commit, items):
        log.error("%s", error)
        journal.quarantine("commit", repr(item).encode("utf-8", "replace"), error.reason, at)
        saved = isinstance(item, Alert) and not _refused(commit, [_bare(item)])
        refused += not saved
    try:
        commit(counters=counters)
    except JournalError as error:
        if error.reason not in OF_AN_ITEM:
            raise
        log.error("%s", error)
        refused += 1
    return refused


def _refused(
    commit: Callable[..., object], items: Sequence[Item]
) -> list[tuple[Item, JournalError]]:
    """Store ``items``; returns those that the journal refuses even when they come alone. Raises
    JournalError for a fault of the disk."""
    if not items:
        return []
    seen = sorted((i for i in items if isinstance(i, Observation)), key=lambda o: o.sequence)
    said = Decisions(
        alerts=tuple(item for item in items if isinstance(item, Alert)),
        summaries=tuple(item for item in items if isinstance(item, Summary)),
    )
    try:
        commit(seen, [said])
    except JournalError as error:
        if error.reason not in OF_AN_ITEM:
            raise
        if len(items) == 1:
            return [(items[0], error)]
        half = len(items) // 2
        return _refused(commit, items[:half]) + _refused(commit, items[half:])
    return []


def _bare(alert: Alert) -> Alert:
    """An alert that cannot be stored as it is, without what may be wrong with it: better a call
    without an explanation than none."""
    return msgspec.structs.replace(
        alert,
        subject=_plain(alert.subject),
        because=_plain(alert.because),
        by=_plain(alert.by),
        service=None if alert.service is None else _plain(alert.service),
        suspect=tuple(map(_plain, alert.suspect)),
        presses=min(max(alert.presses, 0), 1 << 31),
        days_left=None,
        explanation=None,
        quiet=msgspec.structs.replace(alert.quiet, sensor=None),
    )


def _plain(text: str) -> str:
    return text.encode("ascii", "replace").decode()
