"""Test whether commits stay as cheap as the card needs them to be.

Counted in bytes of the write-ahead log, which do not depend on the machine. What the kernel makes
of them, with checkpoints, snapshots and retention, is measured by tests/bench/journal_cost.py.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.domain.alert import Doubt, Explanation
from gateway.domain.observation import Pressed
from gateway.engine.explain import NAMED_MOST
from gateway.journal import AlertReceived, stats
from tests.support.journals import NOON, alert, alerting, observation, observations, opened

KERNEL_PAGE = 4096
"""Bytes. What a commit leaves of its last page is written again with the next one."""


def wal(folder: Path) -> int:
    return (folder / "journal.db-wal").stat().st_size


def test_an_alarm_with_its_receipt_writes_less_than_16_kb(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 200))
        before = wal(tmp_path)
        for n in range(201, 221):
            made = alert(str(n))
            said = observation(n, Pressed("help"), counter=n)
            journal.commit([said], alerting(made), counters={"watch": n})
            receipt = AlertReceived(made.id, 1, NOON, "c1")
            journal.commit(receipts=[receipt], counters={"centre:c1": n})
        each = (wal(tmp_path) - before) / 20
    assert each + 2 * KERNEL_PAGE < 16_000


def test_an_explained_alert_with_the_longest_list_writes_less_than_16_kb(tmp_path: Path) -> None:
    names = tuple(f"sensor-{n:02d}-" + "x" * 22 for n in range(NAMED_MOST))
    why = Explanation("network+kernel", 1.0, 2.0, silent=names, doubts=tuple(Doubt))
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 200))
        before = wal(tmp_path)
        for n in range(201, 221):
            made = msgspec.structs.replace(alert(str(n)), explanation=why)
            journal.commit([observation(n, counter=n)], alerting(made), counters={"watch": n})
            receipt = AlertReceived(made.id, 1, NOON, "c1")
            journal.commit(receipts=[receipt], counters={"centre:c1": n})
        each = (wal(tmp_path) - before) / 20
        assert journal.alert(made.id) == made
    assert each + 2 * KERNEL_PAGE < 16_000


def test_a_batched_observation_writes_less_than_2_kb(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.commit(observations(1, 200))
        before = wal(tmp_path)
        for n in range(201, 401, 4):
            journal.commit(observations(n, 4), counters={"watch": n})
        each = (wal(tmp_path) - before) / 200
    assert each + KERNEL_PAGE / 4 < 2_000


def test_a_month_of_observations_stays_small(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for n in range(1, 50_001, 2500):
            journal.commit(observations(n, 2500))
    assert stats(tmp_path).bytes / 50_000 < 50
