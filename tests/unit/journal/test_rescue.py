"""Test whether a new journal takes the damaged one's place whole, whatever the disk and the moment."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gateway.domain.errors import JournalError
from gateway.journal import JournalReader, RecordsReceived, pages
from gateway.journal.aside import BESIDE, files_aside
from gateway.journal.committing import Done
from gateway.journal.reserve import Reserve
from gateway.journal.schema import Unusable
from gateway.runtime.storing import store
from tests.support.disks import fill, small_disk
from tests.support.full_journal import (
    add,
    all_of,
    killed,
    names,
    recovered,
    spoil,
    waits,
)
from tests.support.journals import (
    NOON,
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
    tell,
)

FILE = "journal.db"
KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "8m") as disk:
        yield disk


@pytest.mark.parametrize("free", [0, 32 * KIB, 128 * KIB, 256 * KIB, 400 * KIB, 2000 * KIB])
def test_what_waits_outlives_damage_on_a_disk_that_is_nearly_full(disk: Path, free: int) -> None:
    waits(disk / "data", 300)
    journal = opened(disk / "data")
    filler = fill(disk, free)
    spoil(disk / "data" / FILE)
    journal._store.mark()  # as the read does that meets it
    journal.commit_alarms([observation(301)], alerting(alert("late")))
    assert names(journal) == all_of(300) | {alert("late").id}, "the reserve had room for them"
    filler.unlink()
    journal.commit([observation(302)])
    assert all_of(300) <= names(journal)
    assert journal.recovered is not None
    journal.close()


def test_a_hub_starts_on_a_full_disk_by_a_piece_of_its_reserve(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(disk / "data", 3)
    fill(disk)
    held = Reserve(disk / "data").size
    assert held
    # On ext4 there is no room for SQLite's index. A tmpfs has it, so the refusal is made by hand.
    refusals = [JournalError("full", reason="io")]

    def look(path: Path) -> bool:
        if refusals:
            raise refusals.pop()
        return False

    monkeypatch.setattr("gateway.journal.opening.log_is_torn_inside", look)
    with opened(disk / "data") as journal:
        assert journal.reserve.size < held
        journal.commit_alarms([observation(9)], alerting(alert("new")))
        assert names(journal) == all_of(3) | {alert("new").id}


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
@pytest.mark.parametrize("snapshot", [True, False])
def test_a_log_whose_file_is_gone_is_read(tmp_path: Path, left: str, snapshot: bool) -> None:
    if snapshot:
        with opened(tmp_path / "run") as journal:
            journal.save_snapshot(0, instant(), "print", b"state")
    folder = killed(tmp_path / "run", tmp_path / "killed")
    (folder / FILE).unlink()
    if left == "an empty file":
        (folder / FILE).touch()
    with opened(folder) as journal:
        assert names(journal) == all_of(40)
        assert journal.recovered is not None
        assert journal.recovered.reason == "gone"


def test_a_journal_that_is_gone_altogether_is_no_first_start(tmp_path: Path) -> None:
    waits(tmp_path, 3)
    assert (tmp_path / "journal.reserve").exists()
    (tmp_path / FILE).unlink()
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.reason == "gone"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", range(1, 9))
def test_a_kill_between_any_two_names_loses_nothing_and_is_told(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed(tmp_path / "run", tmp_path / "killed")
    wal = Path(f"{folder / FILE}-wal")
    raw = bytearray(wal.read_bytes())
    raw[2000] ^= 1  # one frame is torn in the middle: all that is behind it must be salvaged
    wal.write_bytes(raw)
    shutil.copytree(folder, tmp_path / "whole")
    with opened(tmp_path / "whole") as journal:
        saved = names(journal)
    assert len(saved) >= 39
    done = 0
    rename = Path.rename

    def one(path: Path, target: Path) -> Path:
        nonlocal done
        moved = rename(path, target)
        done += 1
        if done == after:
            raise Killed
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", one)
        try:
            opened(folder).close()
        except Killed:
            pass
        else:
            assert after > 4
    with opened(folder) as journal:
        assert names(journal) == saved
        assert journal.verify().whole
        assert journal.recovered is not None
        assert journal.recovered.reason == "damaged"
        assert journal.recovered.salvaged.waiting == len(saved)
        assert not any(Path(f"{folder / FILE}{end}").exists() for end in (".ready", ".new"))
        journal.commit([observation(journal.last_sequence + 1)])
    with opened(folder) as journal:
        assert journal.recovered is not None, "killed before it could tell"
        tell(journal)
    with opened(folder) as journal:
        assert journal.recovered is None, "told once"


@pytest.mark.parametrize("bad", ["the first page", "a page inside", "a page of the log"])
def test_what_the_card_cannot_read_is_left_and_the_rest_is_saved(
    tmp_path: Path, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed(tmp_path / "run", tmp_path / "killed")
    if "log" not in bad:
        opened(folder).close()  # everything is in the file now
        spoil(folder / FILE)  # as SQLite sees it: a mapped or cached page does not come
    name, start = {
        "the first page": (FILE, 0),
        "a page inside": (FILE, 8 * KIB),
        "a page of the log": (f"{FILE}-wal", 8 * KIB),
    }[bad]
    pread = os.pread

    def read(handle: int, size: int, at: int) -> bytes:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.name == name and at < start + 4 * KIB and at + size > start:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(handle, size, at)

    monkeypatch.setattr(os, "pread", read)
    assert pages.is_spotty(folder / FILE)
    with opened(folder) as journal:
        assert recovered(journal).reason == "damaged"
        assert 20 <= len(names(journal)) <= 40


def test_counters_are_kept_where_nothing_can_be_read(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 50), counters={"centre:c1": 7})
        journal.save_snapshot(50, instant(50), "print", b"state")
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with opened(tmp_path) as journal:
        assert recovered(journal).reason == "cannot-open"
        assert journal.counter("centre:c1") == 7
        assert journal.counter("sensor:s1") == 50
        assert journal.last_sequence == 50
        assert journal.load_snapshot("print") is not None, "the silence goes on"


def test_marks_of_two_boots_are_not_mixed(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5), counters={"hub:up_boottime_ms": 30 * 86_400_000})
        journal.save_snapshot(5, instant(5), "print", b"state")
        journal.commit(observations(6, 5), counters={"hub:up_boottime_ms": 300_000})
    spoil(tmp_path / FILE)
    with opened(tmp_path) as journal:
        assert recovered(journal).salvaged.observations == 10
        assert journal.counter("hub:up_boottime_ms") is None


@pytest.mark.parametrize("lazy", [True, False])
def test_an_answer_about_records_of_the_old_journal_frees_none_of_the_new(
    tmp_path: Path, lazy: bool
) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(*(summary(600.0 * n) for n in range(20))))
        receive_records(journal, 10)
    with opened(tmp_path) as journal:
        old, receipt = journal.journal_id, RecordsReceived(12, NOON, journal.journal_id)
        if lazy:
            journal.commit(receipts=[receipt], counters={"centre:c1": 3}, lazy=True)
        spoil(tmp_path / FILE)
        journal._store.mark()
        journal.commit([observation(1)], receipts=[] if lazy else [receipt])
        assert journal.journal_id != old
        assert journal.stats().waiting_records == (8 if lazy else 10)
        journal.commit(decisions=summing(summary(600.0 * 20)))
        assert journal.waiting("record", 100)[-1].message == summary(600.0 * 20)


def test_damage_that_the_commit_itself_meets_swallows_no_records_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        journal.commit(decisions=summing(*(summary(600.0 * n) for n in range(20))))
        receive_records(journal, 10)
    with opened(tmp_path) as journal:
        journal.commit(receipts=[RecordsReceived(12, NOON)], counters={"centre:c1": 3}, lazy=True)
        spoil(tmp_path / FILE)
        transacted = journal._store.transacted
        met = [True]

        def once(work: Callable[[sqlite3.Connection], Done]) -> Done:
            if met:
                met.clear()
                raise JournalError("damaged", reason="damaged")
            return transacted(work)

        monkeypatch.setattr(journal._store, "transacted", once)
        journal.commit([observation(1)])
        assert recovered(journal).reason == "damaged"
        assert journal.stats().waiting_records == 8, "not what is yet to come"
        assert journal.counter("centre:c1") == 3


def test_a_file_that_our_own_reading_stumbles_over_takes_no_earlier_ones_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(tmp_path, 2)
    spoil(tmp_path / FILE)
    opened(tmp_path).close()
    spoil(tmp_path / FILE)

    def stumble(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("gateway.journal.rescue.salvage", stumble)
    with opened(tmp_path) as journal:
        assert recovered(journal).kept.name.endswith("-2")
        assert [path.name[-1] for path in files_aside(tmp_path)] == ["1", "2"]
        assert receive(journal, alert("a1").id) is False


def test_nothing_is_left_beside_a_file_that_took_anothers_place(tmp_path: Path) -> None:
    waits(tmp_path, 2)
    spoil(tmp_path / FILE)
    opened(tmp_path).close()
    assert not any(Path(f"{tmp_path / FILE}{end}").exists() for end in BESIDE)


def test_an_alarm_whose_healing_fails_is_refused_and_not_called_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        add(journal, 2)
        journal._store.mark()

        def fails(*_: object, **__: object) -> None:
            raise Unusable("damaged")

        with monkeypatch.context() as patched:
            patched.setattr("gateway.journal.opening._begin", fails)
            with pytest.raises(JournalError) as error:
                store(journal, [observation(3)], alerting(alert("a3")), {}, NOON)
            assert error.value.reason == "damaged"
        add(journal, 1)
        assert names(journal) == all_of(3)


@pytest.mark.parametrize("name", [".new", ".ready", ".suspect", "-wal"])
def test_a_folder_where_a_file_belongs_stops_no_hub(tmp_path: Path, name: str) -> None:
    waits(tmp_path, 3)
    held = Reserve(tmp_path).size
    if name != "-wal":
        spoil(tmp_path / FILE)
    Path(f"{tmp_path / FILE}{name}").mkdir()
    (Path(f"{tmp_path / FILE}{name}") / "something").touch()
    with opened(tmp_path) as journal:
        assert names(journal) == all_of(3)
        assert journal.reserve.size == held


def test_one_reading_of_the_future_makes_the_others_no_older(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 600))
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE observation SET wall = 1e17 WHERE sequence = 300")
    spoil(tmp_path / FILE)
    with opened(tmp_path) as journal:
        assert recovered(journal).salvaged.observations == 600
        assert journal.counter("sensor:s1") == 600


def test_whoever_only_reads_a_damaged_file_gets_a_sentence(tmp_path: Path) -> None:
    waits(tmp_path, 3)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE journal SET created = 'x', hub = x'ff'")
        connection.execute("UPDATE alert SET at = 'x', received = 'y', sequence = 'z'")
        connection.execute("UPDATE quarantine SET at = 'x'")
    with JournalReader(tmp_path) as reader:
        asked: tuple[Callable[[], object], ...] = (
            reader.stats,
            lambda: reader.alarms(0.0),
            reader.lines,
            reader.report,
            reader.last_observation,
            reader.quarantined,
        )
        for ask in asked:
            with suppress(JournalError):
                ask()
