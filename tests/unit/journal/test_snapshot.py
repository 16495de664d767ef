"""Test whether a snapshot comes back whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.errors import JournalError
from gateway.journal import Snapshot
from gateway.journal.snapshot import save
from tests.support.journals import instant, observations, opened

BLOB = bytes(range(256)) * 40
PRINT = "engine-1:hub-7f3a"


def test_a_snapshot_comes_back_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert journal.load_snapshot(PRINT) is None
        journal.commit(observations(1, 5))
        journal.save_snapshot(3, instant(9), PRINT, b"older")
        journal.save_snapshot(5, instant(10), PRINT, BLOB)
    with opened(tmp_path) as journal:
        assert journal.load_snapshot(PRINT) == Snapshot(5, instant(10), BLOB)
        assert journal.load_snapshot("another engine") is None


def test_a_snapshot_may_not_know_more_than_the_journal(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
        with pytest.raises(JournalError):
            journal.save_snapshot(6, instant(), PRINT, BLOB)


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_journal_that_is_gone_is_no_first_start_and_its_snapshot_goes_on(
    tmp_path: Path, how: str
) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
        journal.save_snapshot(5, instant(), PRINT, BLOB)
    (tmp_path / "journal.db").unlink()
    if how == "empty":
        (tmp_path / "journal.db").touch()
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        assert journal.recovered.reason == "gone"
        assert journal.last_sequence == 5
        journal.commit(observations(6, 9))
        assert journal.load_snapshot(PRINT) is not None


def test_a_snapshot_of_another_journal_is_ignored(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        with opened(folder) as journal:
            journal.commit(observations(1, 5))
            journal.save_snapshot(5, instant(), PRINT, BLOB)
    for file in one.glob("journal.db*"):
        file.unlink()
    for file in other.glob("journal.db*"):
        file.rename(one / file.name)
    with opened(one) as journal:
        assert journal.recovered is None
        assert journal.load_snapshot(PRINT) is None


def test_a_snapshot_outlives_the_damage_of_its_journal(tmp_path: Path) -> None:
    """A silence of seven hours must not begin anew because the file that told of it is damaged."""
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5), counters={"frame:c:s1": 77})
        journal.save_snapshot(5, instant(), PRINT, BLOB)
    (tmp_path / "journal.db").write_bytes(b"damaged" * 100)
    with opened(tmp_path) as journal:
        assert journal.load_snapshot(PRINT) == Snapshot(5, instant(), BLOB)
        assert journal.last_sequence == 5, "no number comes twice"
        assert journal.counter("sensor:s1") == 5
        assert journal.counter("frame:c:s1") == 77
        journal.commit(observations(6, 9))
    with opened(tmp_path) as journal:
        assert journal.load_snapshot(PRINT) == Snapshot(5, instant(), BLOB)


def test_a_snapshot_of_an_older_program_is_read(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
        save(tmp_path, journal.journal_id, PRINT, Snapshot(5, instant(), BLOB), {})
    assert b"counters" not in (tmp_path / "snapshot").read_bytes().partition(b"\n")[0]
    with opened(tmp_path) as journal:
        assert journal.load_snapshot(PRINT) == Snapshot(5, instant(), BLOB)


def test_a_snapshot_from_before_a_loss_is_ignored(tmp_path: Path) -> None:
    """A journal that came back shorter (an older copy of the card) must not be overtaken."""
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
    older = (tmp_path / "journal.db").read_bytes()
    with opened(tmp_path) as journal:
        journal.commit(observations(6, 5))
        journal.save_snapshot(10, instant(), PRINT, BLOB)
    (tmp_path / "journal.db").write_bytes(older)
    with opened(tmp_path) as journal:
        assert journal.last_sequence == 5
        assert journal.load_snapshot(PRINT) is None


def test_every_damage_is_ignored(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 5))
        journal.save_snapshot(5, instant(), PRINT, BLOB)
        path = tmp_path / "snapshot"
        whole = path.read_bytes()
        for cut in (0, 1, 50, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:cut])
            assert journal.load_snapshot(PRINT) is None, cut
        right = Snapshot(5, instant(), BLOB)
        for at in range(len(whole)):
            spoiled = bytearray(whole)
            spoiled[at] ^= 0x01
            path.write_bytes(bytes(spoiled))
            assert journal.load_snapshot(PRINT) in (None, right), at
        path.write_bytes(b"\0" * 5000)
        assert journal.load_snapshot(PRINT) is None
        path.unlink()
        path.mkdir()
        assert journal.load_snapshot(PRINT) is None
        with pytest.raises(JournalError):
            journal.save_snapshot(5, instant(), PRINT, BLOB)
