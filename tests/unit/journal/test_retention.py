"""Test whether what is old goes, and nothing that is still needed (P2)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from gateway.domain.alert import Level
from gateway.domain.instant import DAY, HOUR, Instant
from gateway.domain.observation import Heard, Observation, Pressed, Switched, What
from gateway.journal import Journal, Keep
from tests.support.journals import (
    NOON,
    Wall,
    alert,
    alerting,
    instant,
    observation,
    observations,
    opened,
    receive,
    receive_records,
    summary,
    summing,
)


@pytest.fixture
def wall() -> Wall:
    return Wall()


def forget(journal: Journal, now: float, keep: Keep | None = None) -> int:
    """Retain until there is nothing left to do; returns the observations that went."""
    gone = 0
    while (retained := journal.retain(now, keep)).more:
        gone += retained.observations
    return gone + retained.observations


def lived(journal: Journal, days: int, daily: int = 24) -> float:
    """Days of observations, a snapshot after the last; returns the wall time then."""
    step = DAY / daily
    first = journal.last_sequence + 1
    journal.commit(
        [observation(n, seconds=n * step, counter=n) for n in range(first, first + days * daily)]
    )
    last = journal.last_observation()
    assert last is not None
    journal.save_snapshot(last.sequence, last.at, "p", b"")
    return last.at.wall


def hourly(folder: Path) -> dict[tuple[int, str], int]:
    connection = sqlite3.connect(folder / "journal.db")
    rows = connection.execute("SELECT hour, sensor, events FROM hourly").fetchall()
    connection.close()
    return {(hour, sensor): events for hour, sensor, events in rows}


def test_observations_are_never_older_than_30_days_and_29_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        now = oldest = 0.0
        for _ in range(40):
            now = lived(journal, 1)
            forget(journal, now)
            oldest = journal.stats().first_observation or 0.0
            assert now - oldest <= 30 * DAY
        assert now - oldest >= 28.5 * DAY
        assert journal.counter("sensor:s1") == journal.last_sequence


def test_what_goes_is_counted_by_the_hour(tmp_path: Path, wall: Wall) -> None:
    start = NOON - NOON % HOUR
    with opened(tmp_path, wall=wall) as journal:
        said: list[tuple[float, What]] = [
            (0, Switched("s1", on=True)),
            (10, Switched("s1", on=False)),
            (20, Switched("s1", on=True, fresh=False)),
            (30, Heard("s1")),
            (3600, Pressed("help")),
        ]
        journal.commit(
            [
                Observation(n + 1, Instant("b", seconds, start + seconds), what)
                for n, (seconds, what) in enumerate(said)
            ]
        )
        journal.commit([Observation(6, Instant("b", 40 * DAY, start + 40 * DAY), Heard("s1"))])
        journal.save_snapshot(6, Instant("b", 40 * DAY, start + 40 * DAY), "p", b"")
        assert forget(journal, start + 40 * DAY) == 5
    hour = int(start // HOUR)
    assert hourly(tmp_path) == {(hour, "s1"): 2, (hour + 1, "help"): 1}
    with opened(tmp_path) as journal:
        forget(journal, start + 370 * DAY)
    assert hourly(tmp_path) == {}


def test_nothing_after_the_snapshot_goes(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit([observation(n, seconds=n * HOUR) for n in range(1, 1000)])
        retained = journal.retain(NOON + 1000 * HOUR)
        assert retained.observations == 0
        assert retained.held
        journal.save_snapshot(100, observation(100).at, "p", b"")
        forget(journal, NOON + 1000 * HOUR)
        assert next(journal.observations()).sequence == 101


def test_the_newest_observation_stays_so_that_no_number_comes_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        lived(journal, 2)
        forget(journal, NOON + 400 * DAY)
        journal.commit([observation(49, seconds=400 * DAY)])
        journal.save_snapshot(49, observation(49).at, "p", b"")
        forget(journal, NOON + 400 * DAY)
        assert [o.sequence for o in journal.observations()] == [49]
        forget(journal, NOON + 900 * DAY)
    with opened(tmp_path) as journal:
        assert journal.last_sequence == 49


def test_a_reading_of_1970_among_todays_does_not_make_todays_old(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        now = lived(journal, 20)
        unsynced = Instant("b2", 5.0, 5.0, synced=False)
        lost = Instant("b2", 6.0, 6.0, synced=True)
        after = journal.last_sequence
        journal.commit(
            [
                Observation(after + 1, unsynced, Heard("s1")),
                Observation(after + 2, lost, Heard("s1")),
                Observation(after + 3, Instant("b2", 7.0, now), Heard("s1")),
            ]
        )
        journal.save_snapshot(after + 3, Instant("b2", 7.0, now), "p", b"")
        assert forget(journal, now) == 0


def test_nothing_goes_while_the_clock_is_not_known_to_be_right(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        lived(journal, 40)
        assert journal.retain(NOON + 90 * DAY, synced=False).observations == 0
        assert next(journal.observations()).sequence == 1


def test_alerts_go_only_when_ended_received_and_long_ago(tmp_path: Path, wall: Wall) -> None:
    kept = {
        "open": alert("open"),
        "waiting": alert("waiting", open=False),
        "young": alert("young", seconds=20 * DAY, open=False),
        "last": alert("last", open=False),
    }
    with opened(tmp_path, wall=wall) as journal:
        journal.commit(
            decisions=alerting(
                alert("gone"),
                alert("gone", 2, open=False),
                alert("note", 1, Level.NOTE, open=False),
            )
        )
        journal.commit(decisions=[*alerting(*kept.values()), *summing(summary(), summary(600))])
        for made in (alert("gone"), alert("gone", 2), kept["open"], kept["young"], kept["last"]):
            receive(journal, made.id, made.version)
        receive_records(journal, 3)
        wall.wall = NOON + 31 * DAY
        journal.commit(decisions=summing(summary(31 * DAY)))
        retained = journal.retain(wall.wall)
        assert retained.alerts == 3
        assert retained.records == 2
        assert journal.alert(alert("gone").id) is None
        assert {name: journal.alert(made.id) for name, made in kept.items()} == kept
        assert [r.message for r in journal.waiting()] == [kept["waiting"], summary(31 * DAY)]
    with opened(tmp_path) as journal:
        assert (journal.stats().alert_head, journal.stats().record_head) == (6, 4)


def test_records_that_wait_do_not_go(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(*(summary(600.0 * n) for n in range(10))))
        receive_records(journal, 4)
        assert journal.retain(NOON + 60 * DAY).records == 4
        assert [r.sequence for r in journal.waiting("record")] == list(range(5, 11))


def test_a_town_may_keep_less_but_never_more(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        now = lived(journal, 40)
        forget(journal, now, Keep(observations=400 * DAY))
        oldest = journal.stats().first_observation
        assert oldest is not None
        assert now - oldest <= 30 * DAY
        forget(journal, now, Keep(observations=7 * DAY))
        oldest = journal.stats().first_observation
        assert oldest is not None
        assert now - oldest <= 7 * DAY


def test_one_call_forgets_a_bounded_amount(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        now = lived(journal, 35, daily=2000)
        retained = journal.retain(now)
        assert 0 < retained.observations <= 5000
        assert retained.more


def test_readings_beyond_their_quota_go_oldest_first_once_a_snapshot_holds_them(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 500))
        keep = Keep(most_observations=200)
        assert journal.retain(NOON, keep).observations == 0
        journal.save_snapshot(250, instant(), "p", b"state")
        assert journal.retain(NOON, keep).observations == 250
        journal.save_snapshot(500, instant(), "p", b"state")
        assert journal.retain(NOON, keep).observations == 50
        assert [o.sequence for o in journal.observations()] == list(range(301, 501))


def test_records_beyond_their_quota_go_oldest_first_and_alerts_never(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for n in range(50):
            journal.commit(decisions=[*alerting(alert(str(n))), *summing(summary(600.0 * n))])
        journal.retain(NOON + 40 * 86400, Keep(most_records=20))
        assert [r.sequence for r in journal.waiting("record")] == list(range(31, 51))
        assert len(journal.waiting("alert")) == 50
        assert journal.stats().waiting_records == 20
    with opened(tmp_path) as journal:
        assert [r.sequence for r in journal.waiting("record")] == list(range(31, 51))


def test_an_alert_is_kept_from_its_receipt_on_if_that_came_later(tmp_path: Path) -> None:
    """Whether it waited a month, or its clock stood in 1970 (R17)."""
    old = msgspec.structs.replace(
        alert("1970", open=False), at=Instant("boot", 100.0, 100.0, synced=False)
    )
    late = alert("late", open=False)
    with opened(tmp_path) as journal:
        journal.commit(decisions=alerting(old, late, alert("head")))
        for one in (old, late):
            receive(journal, one.id, at=NOON + 40 * DAY)
        assert journal.retain(NOON + 41 * DAY).alerts == 0
        assert journal.retain(NOON + 71 * DAY).alerts == 2
