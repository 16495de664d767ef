"""A journal with something of everything in it, and whether all of it is there again."""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.domain.alert import Alert, Level
from gateway.domain.decisions import Summary
from gateway.domain.observation import Heard, Pressed
from gateway.journal import AlertReceived, Journal, RecordsReceived, Recovered
from tests.support.journals import (
    NOON,
    alert,
    alerting,
    observation,
    observations,
    opened,
    summary,
    summing,
)

FILE = "journal.db"


def filled(folder: Path) -> str:
    """A journal with everything in it; returns its id."""
    with opened(folder) as journal:
        write(journal)
        return journal.journal_id


def write(journal: Journal) -> None:
    journal.commit(observations(1, 300), counters={"centre:c1": 4, "hub:up": 12})
    said = [observation(301, Pressed("help"), counter=9), observation(302, Heard("s2"), counter=55)]
    journal.commit(said, [*alerting(alert("a"), alert("b", level=Level.WATCH))])
    note = alert("note", level=Level.NOTE)
    journal.commit([], [*alerting(note), *summing(summary(0), summary(600), summary(1200))])
    journal.commit(
        receipts=[AlertReceived(alert("a").id, 1, NOON + 5, "c1"), RecordsReceived(2, NOON)],
        counters={"centre:c1": 5},
    )


def whole(journal: Journal, last: int = 302, *, before: int = 0) -> None:
    """Everything that filled() wrote is there. ``before``: messages of each lane in the same file
    that the centre has received."""
    assert [o.sequence for o in journal.observations()] == list(range(1, last + 1))
    assert journal.unreadable == 0
    assert journal.last_sequence == last
    assert journal.counter("sensor:s1") == 300
    assert journal.counter("sensor:help") == 9
    assert journal.counter("sensor:s2") == 55
    assert journal.counter("centre:c1") == 5
    assert journal.counter("hub:up") == 12
    waiting = [(row.lane, row.sequence, name(row.message)) for row in journal.waiting()]
    assert waiting == [
        ("alert", 1 + before, "b"),
        ("record", 1 + 2 * before, 600.0),
        ("record", 2 + 2 * before, 1200.0),
    ]
    assert journal.alert(alert("a").id) == alert("a")
    assert {a.id for a in journal.alarms(NOON)} == {alert(n).id for n in ("a", "b", "note")}
    stats = journal.stats()
    assert (stats.alert_head, stats.record_head) == (1 + before, 2 + 2 * before)
    assert stats.waiting_alerts == 1
    assert journal.verify().whole


def name(message: Alert | Summary) -> str | float:
    if isinstance(message, Summary):
        return message.start - NOON
    return next(n for n in ("a", "b", "note") if alert(n).id == message.id)


def waits(folder: Path, count: int) -> None:
    """A journal with so many alerts that wait, and as many readings."""
    with opened(folder) as journal:
        add(journal, count)


def add(journal: Journal, count: int) -> None:
    first = journal.last_sequence + 1
    for n in range(first, first + count):
        journal.commit([observation(n)], alerting(alert(f"a{n}")))


def names(journal: Journal) -> set[str]:
    waiting = [row.message for row in journal.waiting("alert", 100_000)]
    return {message.id for message in waiting if isinstance(message, Alert)}


def all_of(count: int) -> set[str]:
    return {alert(f"a{n}").id for n in range(1, count + 1)}


def spoil(path: Path) -> None:
    """The header is gone; every row is still there."""
    with path.open("r+b") as file:
        file.write(bytes(100))


def killed(folder: Path, into: Path) -> Path:
    """A copy of a running hub's files, as kill -9 leaves them."""
    journal = opened(folder)
    add(journal, 40)
    shutil.copytree(folder, into)
    journal.close()
    return into


def recovered(journal: Journal) -> Recovered:
    assert journal.recovered is not None
    return journal.recovered
