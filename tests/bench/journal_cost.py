"""What the journal writes to the card: bytes for an alarm, for a batched observation, for a day; and
how fast it commits beside raw SQLite.

    python tests/bench/journal_cost.py [FOLDER]

FOLDER must lie on a real disk: a tmpfs counts nothing. The figures are /proc/self/io write_bytes:
the pages that the kernel was given to write, WAL and checkpoints and snapshots together. Ends with
1 if a limit of the requirements ("Settled": journal cost) does not hold.

The speed: one reading a commit in the journal, and one row of the same JSON a commit in a plain table
of SQLite as it comes (4 kB pages), both WAL and synchronous=FULL, by turns in one run, because the speed of
a sync changes by the minute. The figure is the median of the rounds' ratios, after both logs have come
round once: while a log still grows, the file system must write the file's length with each sync.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from gateway.domain.alert import Alert, AlertState, AlertType, Level, Quiet
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.ids import ulid
from gateway.domain.instant import DAY, HOUR, Instant
from gateway.domain.observation import (
    AnswerState,
    CentreAnswered,
    Observation,
    Pressed,
    Switched,
    What,
)
from gateway.domain.sensor import Room
from gateway.journal import AlertReceived, Journal, RecordsReceived
from gateway.runtime.pending import Pending

ALARM_LIMIT = 16_000.0
OBSERVATION_LIMIT = 2_000.0
DAY_LIMIT = 10_000_000.0
WARM = 6000
"""Commits until the log of 4,000 pages has surely come round."""

SPEED_LIMIT = 0.8
"""Of raw SQLite's commits a second (issue 5)."""

BOOT = "3f1f8b0e-6c0a-4f43-9a60-0f3b7e0d7a11"
START = 1_772_323_200.0
SENSORS = tuple(f"s{n:02}-motion" for n in range(12))
SNAPSHOT_EVERY = HOUR
SNAPSHOT_SIZE = 12_000


def written() -> int:
    """Bytes that this process has given to the disk so far."""
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "write_bytes":
            return int(value)
    raise SystemExit("/proc/self/io has no write_bytes; run this on Linux.")


def instant(seconds: float) -> Instant:
    """A moment of the simulated day."""
    return Instant(BOOT, 100.0 + seconds, START + seconds)


def marks(now: Instant) -> dict[str, int]:
    """What the hub notes with each commit: until when it has watched."""
    return {"watch:wall": round(now.wall * 1000), "watch:boottime": round(now.boottime * 1000)}


class Home:
    """A journal on a clock that the script turns."""

    def __init__(self, folder: Path) -> None:
        self.wall = START
        self.journal = Journal.open(folder, "hub-7f3a", clock_wall=lambda: self.wall)

    def observation(self, seconds: float, what: What, counter: int | None = None) -> Observation:
        self.wall = START + seconds
        return Observation(self.journal.last_sequence + 1, instant(seconds), what, counter)


def alert(seconds: float, number: int, version: int, state: AlertState) -> Alert:
    """A help press in a version, as full as they get."""
    at = instant(seconds)
    return Alert(
        id=ulid(START + number, "bench", number),
        version=version,
        type=AlertType.HELP_BUTTON,
        level=Level.EMERGENCY,
        state=state,
        at=at,
        raised=at,
        subject="help-bath",
        because="pressed",
        quiet=Quiet(at, Room.BATH, "s03-motion", 12.5, 12.5),
        by="centre-1:operator",
        presses=1,
        suspect=("s07-motion",),
        away=False,
    )


def alarms(folder: Path, count: int = 300) -> tuple[float, float, float]:
    """Bytes for an alarm stored; for that and its receipt; for that and an operator's "accepted",
    which is an observation, a second version, and that version's receipt."""
    home = Home(folder)
    journal = home.journal
    stored = receipts = people = 0
    for n in range(count):
        seconds = n * HOUR
        begun = written()
        journal.commit(
            [home.observation(seconds, Pressed("help-bath"), counter=n)],
            [Decisions(alerts=(made := alert(seconds, n, 1, AlertState.RAISED),))],
            counters=marks(instant(seconds)),
        )
        stored += (after := written()) - begun
        journal.commit(
            receipts=[AlertReceived(made.id, 1, home.wall, "centre-1")],
            counters={"centre:centre-1": 2 * n},
        )
        receipts += (answered := written()) - after
        said = CentreAnswered(made.id, AnswerState.ACCEPTED, by="centre-1:operator")
        journal.commit(
            [home.observation(seconds + 5, said)],
            [Decisions(alerts=(alert(seconds + 5, n, 2, AlertState.ACCEPTED),))],
            counters=marks(instant(seconds)),
        )
        journal.commit(
            receipts=[AlertReceived(made.id, 2, home.wall, "centre-1")],
            counters={"centre:centre-1": 2 * n + 1},
        )
        people += written() - answered
    begun = written()
    journal.close()
    share = (written() - begun) / count / 2
    first = stored / count + share
    return first, first + receipts / count, first + (receipts + people) / count + share


def moments(count: int, chance: random.Random, *, awake: bool) -> Iterator[float]:
    """Seconds of a day: evenly spread (the dearest day, as no two share a commit by luck), or as
    people live, close together and hardly any at night."""
    if not awake:
        yield from (n * DAY / count for n in range(count))
        return
    yield from sorted(
        chance.uniform(7, 23) * HOUR if chance.random() < 0.95 else chance.uniform(0, 7) * HOUR
        for _ in range(count)
    )


def day(folder: Path, count: int, *, awake: bool) -> tuple[float, float]:
    """Bytes of a whole day (with summaries, snapshots, receipts, retention), and of each batched
    observation alone. Many days come before, so that retention has its daily work."""
    home = Home(folder)
    chance = random.Random(1)
    blob = bytes(chance.randrange(97, 123) for _ in range(SNAPSHOT_SIZE))
    days = 33  # the last one prunes a day, like every day of a hub that has run for a month
    total = 0
    batched = 0.0
    for number in range(days):
        last_day = number == days - 1
        before = written()
        batched = _day(home, number * DAY, moments(count, chance, awake=awake), blob, last_day)
        total = written() - before
    before = written()
    home.journal.close()
    return total + (written() - before), batched / count


def _day(home: Home, begin: float, times: Iterator[float], blob: bytes, full: bool) -> float:
    """One day; the days before are written in few commits, as their cost is not looked at."""
    journal, pending = home.journal, Pending(begin)
    due = {"summary": begin + 600.0, "snapshot": begin + SNAPSHOT_EVERY, "retain": begin + HOUR}
    cost = told = 0
    sequence = journal.last_sequence

    def commit(now: float) -> None:
        nonlocal cost, told
        before = written()
        home.wall = START + now
        journal.commit(pending.observations, pending.decisions, counters=marks(instant(now)))
        pending.stored(now)
        cost += written() - before
        if not full:
            return
        head = journal.stats().record_head
        if head > told:  # the centre answers: this waits for the next commit
            receipt, counter = RecordsReceived(head, home.wall), {"centre:centre-1": head}
            journal.commit(receipts=[receipt], counters=counter, lazy=True)
            told = head
        if due["snapshot"] <= now:
            journal.save_snapshot(journal.last_sequence, instant(now), "bench", blob)
            due["snapshot"] += SNAPSHOT_EVERY
        while due["retain"] <= now:
            if not journal.retain(START + now).more:
                due["retain"] += HOUR

    for seconds in times:
        now = begin + seconds
        while full and pending.next_moment() <= now:
            commit(pending.next_moment())
        while due["summary"] <= now and full:
            counts = dict.fromkeys(SENSORS[:6], 5)
            summary = Summary(START + due["summary"] - 600, 600.0, counts, away=False, blind=False)
            pending.decide(Decisions(summaries=(summary,)), due["summary"])
            due["summary"] += 600.0
        sequence += 1
        what = Switched(SENSORS[sequence % len(SENSORS)], sequence % 2 == 0)
        pending.observe(Observation(sequence, instant(now), what, counter=sequence))
        if (full and pending.due(now)) or len(pending.observations) >= 4000:
            commit(now)
    commit(begin + DAY)
    if not full:
        journal.save_snapshot(journal.last_sequence, instant(begin + DAY), "bench", blob)
        while journal.retain(START + begin + DAY).more:
            pass
    return float(cost)


def raw(path: Path) -> sqlite3.Connection:
    """SQLite as it comes, as durable as the journal."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT)")
    return connection


def speeds(folder: Path, rounds: int = 60, count: int = 50) -> tuple[float, float, float]:
    """Commits a second with one row each: the journal's, raw SQLite's, and the median ratio."""
    home = Home(folder)
    connection = raw(folder / "raw.db")
    sequence = 0

    def ours(commits: int) -> float:
        nonlocal sequence
        begun = time.perf_counter()
        for _ in range(commits):
            sequence += 1
            said = Switched(SENSORS[sequence % 12], sequence % 2 == 0)
            made = Observation(sequence, instant(sequence), said, counter=sequence)
            home.journal.commit([made])
        return commits / (time.perf_counter() - begun)

    def theirs(commits: int) -> float:
        begun = time.perf_counter()
        for n in range(commits):
            said = Switched(SENSORS[n % 12], n % 2 == 0)
            body = msgspec.json.encode(Observation(n, instant(n), said, counter=n)).decode()
            connection.execute("INSERT INTO event (body) VALUES (?)", (body,))
        return commits / (time.perf_counter() - begun)

    ours(WARM), theirs(WARM)
    pairs = [(ours(count), theirs(count)) for _ in range(rounds)]
    connection.close()
    home.journal.close()
    mine, raws = zip(*pairs, strict=True)
    ratio = statistics.median(one / other for one, other in pairs)
    return statistics.median(mine), statistics.median(raws), ratio


def main() -> int:
    """Print the figures; 1 if one is above its limit."""
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=base) as folder:
        stored, received, whole = alarms(Path(folder) / "alarms")
        even, each = day(Path(folder) / "even", 5_000, awake=False)
        lived, lived_each = day(Path(folder) / "lived", 5_000, awake=True)
        ours, theirs, ratio = speeds(Path(folder) / "speed")
    if not stored:
        print("Nothing was counted: name a folder on a real disk, not on a tmpfs.")
        return 1
    rows = (
        ("an alarm stored (observation, counter, alert, message)", stored, None),
        ("an alarm with its receipt", received, ALARM_LIMIT),
        ("an alarm with receipt, operator's answer, second version, its receipt", whole, None),
        ("a batched observation, evenly spread day", each, OBSERVATION_LIMIT),
        ("a batched observation, day as lived", lived_each, OBSERVATION_LIMIT),
        ("a day of 5,000 observations, evenly spread, all included", even, DAY_LIMIT),
        ("a day of 5,000 observations, as lived, all included", lived, DAY_LIMIT),
    )
    failed = False
    for text, value, limit in rows:
        bad = limit is not None and value > limit
        failed |= bad
        verdict = "" if limit is None else f"  limit {limit:>12,.0f}  {'FAIL' if bad else 'ok'}"
        print(f"{text:<72}{value:>14,.0f} bytes{verdict}")
    slow = ratio < SPEED_LIMIT
    print(f"{'one reading a commit, the journal':<72}{ours:>14,.0f} a second")
    print(f"{'one row a commit, raw SQLite with WAL and FULL':<72}{theirs:>14,.0f} a second")
    print(
        f"{'median ratio of the rounds':<72}{ratio:>14.2f}        limit {SPEED_LIMIT:>12.2f}  "
        f"{'FAIL' if slow else 'ok'}"
    )
    return int(failed or slow)


if __name__ == "__main__":
    sys.exit(main())
