"""Test whether everything that is whole in a damaged journal comes back, and nothing else."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.alert import Alert
from gateway.domain.errors import JournalError
from gateway.domain.ids import is_ulid
from gateway.domain.observation import Heard
from gateway.journal.aside import KEPT_FILES, files_aside
from gateway.journal.pages import log_is_torn_inside
from tests.support.full_journal import filled, whole, write
from tests.support.journals import (
    Wall,
    alert,
    alerting,
    observation,
    observations,
    opened,
    tell,
)

FILE = "journal.db"
PAGE = 512
MONTH = 30 * 86400.0


def zero(path: Path, start: int, count: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[start : start + count] = bytes(len(raw[start : start + count]))
    path.write_bytes(bytes(raw))


def zeroed_header(path: Path) -> None:
    zero(path, 0, 100)


def flipped_magic(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[3] ^= 0x10
    path.write_bytes(bytes(raw))


def flipped_application(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[68] ^= 0x01
    path.write_bytes(bytes(raw))


def lost_schema(path: Path) -> None:
    """All pages of the schema: which table is where is not known any more."""
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.close()
    assert tables > 10
    zero(path, 0, 100)
    raw = bytearray(path.read_bytes())
    raw[100] = 0
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("damage", [zeroed_header, flipped_magic, flipped_application, lost_schema])
def test_where_only_the_way_to_the_rows_is_gone_nothing_is_lost(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    before = filled(tmp_path)
    damage(tmp_path / FILE)
    with opened(tmp_path) as journal:
        assert journal.recovered is not None
        salvaged = journal.recovered.salvaged
        assert (salvaged.journal_id, salvaged.observations, salvaged.lost) == (before, 302, 0)
        assert (salvaged.alerts, salvaged.waiting, salvaged.records) == (3, 1, 2)
        assert salvaged.bodiless == 0
        assert journal.journal_id != before
        whole(journal)
        journal.commit([observation(303)], alerting(alert("c")))
        assert sorted(r.sequence for r in journal.waiting("alert")) == [1, 2]
        tell(journal)
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        assert journal.counter("sensor:s2") == 55


@pytest.mark.parametrize("log_header", [True, False])
def test_what_is_only_in_the_log_comes_back_too(tmp_path: Path, log_header: bool) -> None:
    journal = opened(tmp_path / "running")
    write(journal)
    crashed = copied(tmp_path / "running", tmp_path / "crashed")
    journal.close()
    (crashed / FILE).write_bytes(b"\xff" * 4096)
    if not log_header:
        zero(crashed / f"{FILE}-wal", 0, 32)
    with opened(crashed) as again:
        assert (again.recovered is None) is log_header
        whole(again, before=1 if log_header else 0)


def copied(running: Path, to: Path) -> Path:
    """What a power cut leaves: the file and its log as they are."""
    to.mkdir()
    for beside in ("", "-wal"):
        (to / f"{FILE}{beside}").write_bytes((running / f"{FILE}{beside}").read_bytes())
    return to


def test_a_log_that_lost_a_synced_frame_is_noticed_and_the_rest_is_saved(tmp_path: Path) -> None:
    """SQLite forgets everything from the damaged frame on, without a word."""
    journal = opened(tmp_path / "running")
    for n in range(1, 101):
        journal.commit([observation(n, counter=n)], alerting(alert(str(n))))
    crashed = copied(tmp_path / "running", tmp_path / "crashed")
    journal.close()
    zero(crashed / f"{FILE}-wal", 32 + 40 * 536 + 24, PAGE)
    assert log_is_torn_inside(crashed / FILE)
    with opened(crashed) as again:
        assert again.recovered is not None
        assert again.recovered.reason == "damaged"
        assert again.last_sequence == 100
        assert again.recovered.salvaged.observations >= 99
        assert again.counter("sensor:s1") == 100
        assert len(again.waiting("alert", 1000)) >= 99


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_a_log_that_was_cut_off_opens_with_what_is_left(tmp_path: Path, keep: float) -> None:
    journal = opened(tmp_path / "running")
    for n in range(1, 101):
        journal.commit([observation(n, counter=n)], alerting(alert(str(n))))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for beside in ("", "-wal"):
        raw = (tmp_path / "running" / f"{FILE}{beside}").read_bytes()
        part = len(raw) if not beside else int(len(raw) * keep)
        (crashed / f"{FILE}{beside}").write_bytes(raw[:part])
    journal.close()
    assert not log_is_torn_inside(crashed / FILE)
    with opened(crashed) as again:
        last = again.last_sequence
        assert last >= int(100 * keep) - 3
        assert [o.sequence for o in again.observations()] == list(range(1, last + 1))
        assert len(again.waiting("alert", 1000)) == last
        assert again.verify().whole


@pytest.mark.parametrize("raw", [b"", b"\0" * 30_000, random.Random(5).randbytes(30_000), b"x\n"])
def test_a_file_of_nothing_saves_nothing_and_stops_nobody(tmp_path: Path, raw: bytes) -> None:
    filled(tmp_path)
    (tmp_path / FILE).write_bytes(raw)
    with opened(tmp_path) as journal:
        assert list(journal.observations()) == []
        assert journal.waiting() == []
        journal.commit(observations(1, 1), alerting(alert()))
        assert journal.last_sequence == 1


def test_nothing_of_another_home_is_taken_over(tmp_path: Path) -> None:
    filled(tmp_path)
    zeroed_header(tmp_path / FILE)
    with opened(tmp_path, hub="hub-other") as journal:
        assert journal.recovered is not None
        assert journal.recovered.salvaged.observations == 0
        assert journal.waiting() == []
        assert journal.counter("sensor:s1") is None


def test_what_was_forgotten_on_purpose_does_not_come_back(tmp_path: Path) -> None:
    """Pages that are no longer in use still hold it (P2)."""
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 4000))
        late = [observation(n, seconds=MONTH + 90_000.0 + n) for n in range(4001, 4011)]
        journal.commit(late)
        journal.save_snapshot(4010, late[-1].at, "p", b"state")
        while journal.retain(late[-1].at.wall).more:
            pass
        assert next(journal.observations()).sequence == 4001
    zeroed_header(tmp_path / FILE)
    with opened(tmp_path, wall=Wall(late[-1].at.wall)) as journal:
        assert [o.sequence for o in journal.observations()] == list(range(4001, 4011))
        assert journal.counter("sensor:s1") == 4000


@given(
    hits=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 7), st.sampled_from([1, 60, 512, 4096])),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_damaged_the_hub_has_a_journal_that_works(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    filled(folder)
    path = folder / FILE
    raw = bytearray(path.read_bytes())
    for at, bit, count in hits:
        for n in range(at % len(raw), min(at % len(raw) + count, len(raw))):
            raw[n] ^= 1 << bit
    path.write_bytes(bytes(raw))
    with opened(folder) as journal:
        journal.commit([observation(journal.last_sequence + 10, counter=1)], alerting(alert("new")))
        waiting = [row.message for row in journal.waiting("alert", 1000)]
        assert alert("new") in waiting
        assert all(is_ulid(one.id) for one in waiting if isinstance(one, Alert))
        assert journal.alert(alert("new").id) == alert("new")
    with opened(folder) as journal:
        assert journal.alert(alert("new").id) == alert("new")


def test_damage_that_is_met_while_running_is_healed_by_the_next_commit(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        write(journal)
        journal.commit(observations(303, 5000))
        journal.commit([observation(5303, Heard("s2"), counter=77)])
    journal = opened(tmp_path)
    before = journal.journal_id
    zero(tmp_path / FILE, 100 * PAGE, PAGE)
    with pytest.raises(JournalError, match="damaged"):
        list(journal.observations())
    assert journal.stats().journal_id == before
    journal.commit([observation(5304, counter=303)], alerting(alert("c")))
    assert journal.recovered is not None
    assert journal.recovered.salvaged.observations + journal.recovered.salvaged.lost == 5303
    assert 0 < journal.recovered.salvaged.lost < 50
    assert journal.journal_id != before
    assert journal.last_sequence == 5304
    assert journal.counter("sensor:s2") == 77
    names = {row.message.id for row in journal.waiting("alert") if isinstance(row.message, Alert)}
    assert names == {alert("b").id, alert("c").id}
    tell(journal)
    journal.close()
    with opened(tmp_path) as again:
        assert again.recovered is None
        assert again.last_sequence == 5305


def test_a_suspicion_that_proves_wrong_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        write(journal)
        before = journal.journal_id
        journal.heal()
        assert journal.recovered is None
        assert journal.journal_id == before
        whole(journal, before=1)


def test_while_nothing_can_be_read_figures_do_not_raise_and_waiting_does(tmp_path: Path) -> None:
    """A heartbeat must not fall silent because the file is unreadable (invariant 8), and nobody may
    take that for an empty outbox."""
    journal = opened(tmp_path)
    write(journal)
    told = journal.stats()
    raw = (tmp_path / FILE).read_bytes()
    (tmp_path / f"{FILE}-wal").write_bytes(b"")
    (tmp_path / FILE).write_bytes(b"\xff" * len(raw))
    assert journal.stats().journal_id == told.journal_id
    with pytest.raises(JournalError):
        journal.waiting()
    journal.commit([observation(303)], alerting(alert("c")))
    assert alert("c") in [row.message for row in journal.waiting("alert")]
    journal.close()


@pytest.mark.parametrize("killed_after", ["ready", "aside"])
def test_a_kill_in_the_middle_of_recovery_is_made_good(tmp_path: Path, killed_after: str) -> None:
    filled(tmp_path)
    (tmp_path / "other").mkdir()
    for path in list(tmp_path.glob(f"{FILE}*")):
        (tmp_path / "other" / path.name).write_bytes(path.read_bytes())
    zeroed_header(tmp_path / "other" / FILE)
    damaged = (tmp_path / "other" / FILE).read_bytes()
    with opened(tmp_path / "other") as journal:
        whole(journal)
    ready = (tmp_path / "other" / FILE).read_bytes()
    (tmp_path / f"{FILE}.ready").write_bytes(ready)
    if killed_after == "ready":
        (tmp_path / FILE).write_bytes(damaged)
    else:
        (tmp_path / FILE).rename(tmp_path / f"{FILE}.damaged-1")
    with opened(tmp_path) as journal:
        whole(journal)
    assert not (tmp_path / f"{FILE}.ready").exists()


def test_only_a_few_files_are_kept_and_none_for_longer_than_its_readings_may(
    tmp_path: Path,
) -> None:
    for _ in range(KEPT_FILES + 2):
        filled(tmp_path)
        zeroed_header(tmp_path / FILE)
        opened(tmp_path).close()
        (tmp_path / FILE).unlink()
    kept = files_aside(tmp_path)
    assert [path.name for path in kept] == [f"{FILE}.damaged-{n}" for n in (3, 4, 5)]
    with opened(tmp_path) as journal:
        journal.retain(kept[-1].stat().st_mtime + 31 * 86400)
    assert files_aside(tmp_path) == []
