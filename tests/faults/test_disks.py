"""Test whether a hub with a broken disk still calls for help, or says that it does not watch."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults.books import hub_book
from tests.faults.disks import (
    Outcome,
    alert_ids,
    broken_by,
    disk_breaks,
    last_heartbeat,
    outcome,
    rotten,
    tells_storage,
)
from tests.faults.rot import ROTS
from tests.faults.small_disk import full_disk, possible
from tests.faults.stage import Stage
from tests.support.programs import status, until

HONEST = (Outcome.WORKS, Outcome.TOLD)


@pytest.mark.parametrize("plan", ["enospc:w:1", "eio:s:1", "eio:w:5-", "eio:rws:1-"])
def test_a_disk_that_breaks_is_lived_with_or_told(stage: Stage, shim: Path, plan: str) -> None:
    came, verdict = disk_breaks(stage, shim, plan)
    assert came in HONEST
    assert verdict.bad == 0, verdict.cases


def test_what_was_pressed_on_a_broken_disk_calls_once_when_it_is_whole_again(
    stage: Stage, shim: Path
) -> None:
    life = stage.new_life()
    environment, switch = broken_by(life, shim, "eio:ws:1")
    with life.start(**environment) as program:
        life.hub.up()
        switch.touch()
        button = life.next_button
        assert life.press() is None
        assert button in life.ledger.unanswered
        switch.unlink()
        life.advance(alone=True)
        until(lambda: not life.hub.status()["faults"], "the disk is whole")
        assert program.end() == 0
    assert button in set(_subjects(life.data))
    verdict = life.verdict()
    assert verdict.bad == 0, verdict.cases


def test_the_centre_hears_of_a_broken_disk_at_once(stage: Stage, shim: Path) -> None:
    """Not with the next heartbeat in its turn: time stands still here."""
    life = stage.new_life()
    environment, switch = broken_by(life, shim, "eio:ws:1")
    with life.start(**environment):
        life.hub.up()
        until(lambda: last_heartbeat(stage, life.name), "a heartbeat")
        switch.touch()
        assert life.press() is None
        until(lambda: tells_storage(stage, life.name), "watching: false, storage")


def test_a_hub_whose_disk_cannot_even_be_read_says_so_to_who_looks_and_to_the_centre(
    stage: Stage, shim: Path
) -> None:
    life = stage.new_life()
    environment, switch = broken_by(life, shim, "eio:rws:1")
    with life.start(**environment):
        life.hub.up()
        assert life.press()
        switch.touch()
        assert life.press() is None
        found = life.hub.status()
        assert not found["watching"]
        assert found["reasons"] == ["storage"]
        assert found["faults"]["storage"] in {"io", "damaged"}
        until(lambda: tells_storage(stage, life.name), "watching: false, storage")
        switch.unlink()
    verdict = life.verdict()
    assert verdict.bad == 0, verdict.cases


@pytest.mark.parametrize("name", ["all_nul", "flipped_bits"])
def test_a_file_that_rots_under_a_running_hub_costs_no_later_alarm(
    stage: Stage, seed: int, name: str
) -> None:
    """It begins a new journal and, with its numbers, a new session, without a restart."""
    life = stage.new_life()
    with life.start():
        life.hub.up()
        for _ in range(3):
            assert life.press()
        life.advance()
        ROTS[name](life.data, Random(seed))
        life.press()
        life.advance(alone=True)
        last = life.press()
        assert last is not None
        until(lambda: last in alert_ids(stage, life.name), "the call of a hub that healed")


def test_a_hub_that_starts_on_a_broken_disk_is_no_hub_that_seems_to_watch(
    stage: Stage, shim: Path
) -> None:
    life = stage.new_life()
    with life.start() as program:
        life.hub.up()
        assert life.press()
        program.kill()
    environment, switch = broken_by(life, shim, "enospc:wstn:1")
    switch.touch()
    with life.start(**environment) as program:
        until(lambda: program.process.poll() is not None or status(life.data), "up or gone")
        assert outcome(life, program) is not Outcome.SILENT
    switch.unlink()
    verdict = life.verdict()
    assert verdict.bad == 0, verdict.cases


@pytest.mark.parametrize("name", ["zeroed_header", "flipped_bits", "truncated_wal", "all_nul"])
def test_a_file_that_rotted_stops_no_alarm(stage: Stage, seed: int, name: str) -> None:
    left = rotten(stage, ROTS[name], seed, presses=3)
    assert left.outcome in HONEST
    assert left.verdict.bad == 0, left.verdict.cases
    # Whatever did not arrive was told: as the journal's loss, with an alert of its own.
    assert left.told or left.salvaged == left.unheard


def _subjects(data: Path) -> list[str]:
    return list(hub_book(data).subjects.values())


def test_a_disk_that_is_really_full_is_lived_with_or_told(stage: Stage) -> None:
    if not possible():
        pytest.skip("no user namespaces here: a small file system cannot be mounted")
    came, verdict = full_disk(stage)
    assert came in HONEST
    assert verdict.bad == 0, verdict.cases
    assert verdict.presses >= 1
