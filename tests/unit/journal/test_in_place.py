"""Test whether files that somebody removes under a running hub cost an alert."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disks import (
    fill,
    small_disk,
)
from tests.support.full_journal import (
    add,
    all_of,
    names,
    waits,
)
from tests.support.journals import (
    alert,
    alerting,
    observation,
    opened,
)

FILE = "journal.db"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "8m") as disk:
        yield disk


@pytest.mark.parametrize("gone", [("-wal",), ("", "-wal", "-shm"), ("",)])
def test_files_that_are_removed_under_a_running_hub_are_there_again_with_the_next_alarm(
    tmp_path: Path, gone: tuple[str, ...]
) -> None:
    folder = tmp_path / "run"
    journal = opened(folder)
    add(journal, 20)
    before = journal.journal_id
    for name in gone:
        Path(f"{folder / FILE}{name}").unlink()
    add(journal, 1)
    shutil.copytree(folder, tmp_path / "killed")
    assert names(journal) == all_of(21)
    journal.close()
    with opened(tmp_path / "killed") as journal:
        assert names(journal) == all_of(21)
        assert journal.journal_id == before
        assert journal.recovered is None
        assert journal.verify().whole


@pytest.mark.parametrize("gone", [("-wal",), ("", "-wal", "-shm")])
def test_files_that_are_removed_before_the_first_alert_of_a_run_are_missed_too(
    tmp_path: Path, gone: tuple[str, ...]
) -> None:
    folder = tmp_path / "run"
    waits(folder, 3)
    journal = opened(folder)
    for name in gone:
        Path(f"{folder / FILE}{name}").unlink()
    add(journal, 1)
    shutil.copytree(folder, tmp_path / "killed")
    journal.close()
    with opened(tmp_path / "killed") as journal:
        assert names(journal) == all_of(4)


def test_damage_and_removed_files_at_once_leave_what_is_open(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        add(journal, 40)
        journal._store.mark()
        for path in tmp_path.glob(f"{FILE}*"):
            path.unlink()
        add(journal, 1)
        assert names(journal) == all_of(41)
    with opened(tmp_path) as journal:
        assert names(journal) == all_of(41)


def test_removed_files_are_made_again_on_a_full_disk_by_the_reserve(disk: Path) -> None:
    with opened(disk / "data") as journal:
        add(journal, 100)
        (disk / "data" / FILE).unlink()
        fill(disk)
        journal.commit_alarms([observation(101)], alerting(alert("a101")))
        assert names(journal) == all_of(101)
    with opened(disk / "data") as journal:
        assert names(journal) == all_of(101)
