"""Test whether a power cut at any point of a recorded run leaves a journal that holds everything
that was acknowledged before it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.faults.disk import Disk, Event, Leaves
from tests.faults.prefixes import Recorded, acknowledged, every_prefix, record
from tests.faults.stage import Stage


@pytest.fixture(scope="session")
def recorded(stage: Stage, shim: Path) -> Recorded:
    return record(stage.new_life(), shim, 12)


def test_no_prefix_of_a_run_loses_what_was_acknowledged(
    recorded: Recorded, quick: Path, seed: int
) -> None:
    figures = every_prefix(recorded, quick, seed, every=5)
    assert figures.verdict.bad == 0, figures.verdict.cases
    assert figures.verdict.presses == recorded.marks == 12
    assert figures.opened > 100


def test_a_disk_that_does_not_sync_is_found_out(recorded: Recorded, quick: Path, seed: int) -> None:
    """The same run on a disk whose syncs of the WAL do nothing: the oracle must see the loss."""
    lying = [e for e in recorded.events if not (e.op == "s" and e.name.endswith("-wal"))]
    figures = every_prefix(
        replace(recorded, events=tuple(lying)),
        quick,
        seed,
        leaves=(Leaves.NOTHING, Leaves.TORN),
        every=10,
    )
    assert figures.verdict.lost > 0
    assert (quick / "broken" / "where").exists()


def test_a_word_before_its_commit_is_found_out(recorded: Recorded, quick: Path, seed: int) -> None:
    """The same run of a hub that acknowledges ten events too early."""
    events = list(recorded.events)
    for at in [at for at, event in enumerate(events) if acknowledged(event)]:
        events.insert(max(0, at - 10), events.pop(at))
    figures = every_prefix(
        replace(recorded, events=tuple(events)), quick, seed, leaves=(Leaves.NOTHING,)
    )
    assert figures.verdict.lost > 0


def test_what_was_not_synced_may_be_lost_and_what_was_may_not() -> None:
    disk = Disk()
    for event in (
        Event("c", "file", 0, b""),
        Event("w", "file", 0, b"one"),
        Event("s", "file", 0, b""),
        Event("w", "file", 3, b"two"),
    ):
        disk.feed(event)
    chance = Random(1)
    assert disk.image(Leaves.NOTHING, chance) == {}
    assert disk.image(Leaves.ALL, chance) == {"file": b"onetwo"}
    disk.feed(Event("s", "", 0, b""))
    assert disk.image(Leaves.NOTHING, chance) == {"file": b"one"}
    assert {disk.image(Leaves.SOME, chance)["file"] for _ in range(20)} == {b"one", b"onetwo"}


def test_a_write_is_torn_only_at_sectors() -> None:
    disk = Disk()
    disk.feed(Event("c", "file", 0, b""))
    disk.feed(Event("s", "", 0, b""))
    disk.feed(Event("w", "file", 500, b"x" * 1000))
    seen = {disk.image(Leaves.TORN, Random(n))["file"] for n in range(200)}
    assert len(seen) == 8  # three sectors are touched, each is there or not
    assert {content.count(b"x") for content in seen} == {0, 12, 476, 488, 512, 524, 988, 1000}


def test_a_name_moves_with_its_contents_and_stays_after_a_sync_of_its_folder() -> None:
    disk = Disk()
    for event in (
        Event("c", "new", 0, b""),
        Event("w", "new", 0, b"new"),
        Event("s", "new", 0, b""),
        Event("r", "new", 0, b"/anywhere/kept"),
    ):
        disk.feed(event)
    assert disk.image(Leaves.ALL, Random(1)) == {"kept": b"new"}
    assert disk.image(Leaves.NOTHING, Random(1)) == {}
    disk.feed(Event("s", "", 0, b""))
    disk.feed(Event("u", "kept", 0, b""))
    assert disk.image(Leaves.NOTHING, Random(1)) == {"kept": b"new"}
    assert disk.image(Leaves.ALL, Random(1)) == {}
