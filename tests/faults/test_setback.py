"""Test whether a press is heard that a hub makes after its journal was set back to an earlier copy: it
gets a number under which the centre has another press already."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.faults.books import JOURNAL, centre_book, hub_book, rows
from tests.faults.oracle import account
from tests.faults.stage import ANSWERS, Life, Stage

FILES = (JOURNAL, f"{JOURNAL}-wal")


def press_again(life: Life, button: str) -> None:
    assert life.hub.ask(do="press", sensor=button)["ok"]
    for _ in range(2):
        life.hub.ask(do="flush", seconds=ANSWERS)
        life.advance(60.0)


def test_a_press_after_a_setback_is_kept_beside_the_first_and_told(
    stage: Stage, tmp_path: Path
) -> None:
    assert stage.centre is not None
    life = stage.new_life()
    with life.start() as program:
        life.hub.up()
        pressed = life.next_button
        alert_id = life.press()
        life.advance(60.0)
        for name in FILES:
            shutil.copy(life.data / name, tmp_path)
        press_again(life, pressed)
        program.kill()
    (life.data / f"{JOURNAL}-shm").unlink(missing_ok=True)
    for name in FILES:
        shutil.copy(tmp_path / name, life.data)
    with life.start() as program:
        life.hub.up()
        life.advance(3600.0)
        press_again(life, pressed)
        program.kill()
    life.settle()
    verdict = account(life.ledger, hub_book(life.data), centre_book(stage.centre, life.name))
    assert (verdict.lost, verdict.doubled) == (0, 0), verdict.cases
    # those of before that are in no journal any more: the oracle says so
    assert verdict.forged >= 1
    told = rows(
        stage.centre / "centre.sqlite3",
        "SELECT version, count(*) FROM notices WHERE hub = ? AND alert_id = ? GROUP BY version",
        life.name,
        alert_id,
    )
    assert max(count for _, count in told) == 2  # the press of before, and the new one
