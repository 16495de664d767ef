"""Test whether a hub that is killed at any moment loses nothing: a sample of the thousand kills
that ``make faults`` does (60 with those of the other tests here), and some clean ends."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioning.centre.store import FILE
from tests.faults.books import centre_book, hub_book
from tests.faults.kills import kill_run, stop_run
from tests.faults.oracle import Verdict, account
from tests.faults.stage import Stage


def good(verdict: Verdict) -> bool:
    assert verdict.bad == 0, verdict.cases
    assert verdict.accepted > 0
    return True


@pytest.mark.slow
@pytest.mark.parametrize(("turn", "loud"), [(0, False), (1, True), (2, False)])
def test_kills_lose_nothing(
    stage: Stage, maybe_shim: Path | None, seed: int, turn: int, loud: bool
) -> None:
    assert good(kill_run(stage, 16, 1000 * seed + turn, shim=maybe_shim, loud=(loud,)))


@pytest.mark.slow
def test_clean_ends_under_load_lose_nothing(stage: Stage, seed: int) -> None:
    assert good(stop_run(stage, 4, seed))


def test_the_oracle_sees_what_is_taken_from_a_real_store(stage: Stage, tmp_path: Path) -> None:
    life = stage.new_life()
    with life.start() as program:
        life.hub.up()
        for _ in range(3):
            assert life.press()
        program.kill()
    verdict = life.verdict()
    assert good(verdict)
    assert verdict.presses == 3
    assert stage.centre is not None
    with (
        closing(sqlite3.connect(stage.centre / FILE)) as store,
        closing(sqlite3.connect(tmp_path / FILE)) as copy,
    ):
        store.backup(copy)
        first = next(iter(life.ledger.acknowledged.values()))
        copy.execute("DELETE FROM alert_versions WHERE alert_id = ? AND version = 1", (first,))
        copy.execute(
            "INSERT INTO alert_versions SELECT hub, 'forged', version, type, level, state, open, at,"
            " received, late, body FROM alert_versions WHERE hub = ? AND level = 4 LIMIT 1",
            (life.name,),
        )
        copy.commit()
    told = account(life.ledger, hub_book(life.data), centre_book(tmp_path, life.name))
    assert (told.lost, told.forged) == (1, 1), told.cases
