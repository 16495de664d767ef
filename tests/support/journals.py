"""Journals for tests: a clock that the test turns, and things to put in."""

from __future__ import annotations

from pathlib import Path

from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.observation import HubFault, Observation, Switched, What
from gateway.journal import AlertReceived, Journal, RecordsReceived

NOON = 1_772_323_200.0
HUB = "hub-7f3a"


class Wall:
    """A wall clock that stands still until the test moves it."""

    def __init__(self, wall: float = NOON) -> None:
        self.wall = wall

    def __call__(self) -> float:
        return self.wall


def opened(folder: Path, hub: str = HUB, wall: Wall | None = None) -> Journal:
    return Journal.open(folder, hub, clock_wall=wall or Wall())


def instant(seconds: float = 0.0, boot: str = "boot-1", *, synced: bool = True) -> Instant:
    return Instant(boot, 100.0 + seconds, NOON + seconds, synced)


def observation(
    sequence: int,
    what: What | None = None,
    *,
    seconds: float | None = None,
    counter: int | None = None,
    boot: str = "boot-1",
) -> Observation:
    at = instant(float(sequence) if seconds is None else seconds, boot)
    return Observation(sequence, at, what or Switched("s1", on=True), counter)


def observations(first: int, count: int) -> list[Observation]:
    return [observation(n, counter=n) for n in range(first, first + count)]


def alert(
    name: str = "a",
    version: int = 1,
    level: Level = Level.EMERGENCY,
    *,
    seconds: float = 0.0,
    open: bool = True,
) -> Alert:
    return Alert(
        id=ulid(NOON, name),
        version=version,
        type=AlertType.HELP_BUTTON,
        level=level,
        state=AlertState.RAISED if open else AlertState.CLOSED,
        at=instant(seconds),
        raised=instant(),
        subject="help",
        open=open,
    )


def summary(start: float = 0.0, *, events: int = 3) -> Summary:
    return Summary(NOON + start, 600.0, {"s1": events}, away=False, blind=False)


def alerting(*alerts: Alert) -> list[Decisions]:
    return [Decisions(alerts=alerts)]


def summing(*summaries: Summary) -> list[Decisions]:
    return [Decisions(summaries=summaries)]


def tell(journal: Journal) -> None:
    """What a hub stores when its journal began anew: from then on that is told."""
    journal.commit([observation(journal.last_sequence + 1, HubFault("journal", True, "damaged"))])


def receive(journal: Journal, alert_id: str, version: int = 1, *, at: float = NOON) -> bool:
    """The centre "c1" stored this version; whether it waited here."""
    return journal.commit(receipts=[AlertReceived(alert_id, version, at, "c1")]).receipts == 1


def receive_records(journal: Journal, up_to: int) -> None:
    """The centre stored every record up to this one."""
    journal.commit(receipts=[RecordsReceived(up_to, NOON)])
