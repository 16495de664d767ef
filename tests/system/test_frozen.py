"""Test whether a hub that was stopped (SIGSTOP) goes on as if it had only blinked."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.homes import Plan, generate, write
from tests.support.broker import Broker, Town
from tests.support.hub_process import HubProcess, place_for, running_centre


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "town")


@pytest.fixture
def broker(town: Town, tmp_path: Path) -> Iterator[Broker]:
    with Broker(town, tmp_path / "broker") as running:
        yield running


def received(hub: HubProcess) -> float:
    """Let virtual time go on until nothing waits; the seconds that took. The centre, which lost the
    broker too, comes back in real time."""
    began = now = float(hub.ask(do="advance", to=0, offline=True)["wall"])
    end = time.monotonic() + 20
    while hub.status()["waiting_alerts"]:
        assert time.monotonic() < end
        now = hub.ask(do="advance", to=now + 1, offline=True)["wall"]
        time.sleep(0.1)
    return now - began


@pytest.mark.slow
def test_a_stopped_process_goes_on_with_nothing_missing(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    """The broker dies and comes back while the hub stands still, as its line would in a freeze of
    minutes; then it stands still once more with an alert on its way."""
    plan = Plan(seed=5, days=3, events_per_day=600, help=True)
    write(generate(plan), tmp_path / "home", "home")
    place = place_for(town, broker, tmp_path)
    folder = tmp_path / "run"
    folder.mkdir()
    hub = HubProcess(place, folder)
    recording = tmp_path / "home" / "home.csv.gz"
    with (
        running_centre(place, tmp_path) as store,
        hub.run("--lockstep", "--recording", recording, "--no-model") as program,
    ):
        hub.up()
        hub.ask(do="advance", to="2026-03-02T10:00")
        made = [hub.ask(do="press", sensor="help_button", seconds=10)["alert_id"]]
        for hour in (11, 12, 13):
            hub.ask(do="advance", to=f"2026-03-02T{hour}:00", offline=True)
            program.process.send_signal(signal.SIGSTOP)
            broker.kill()
            broker.start()
            program.process.send_signal(signal.SIGCONT)
            made.append(hub.ask(do="press", sensor="help_button")["alert_id"])
            assert received(hub) <= 60, "a press ends any wait, and R4 does the rest"
        # Stopped in the middle of it: the alert is on disk, its answer waits in the socket.
        hub.ask(do="advance", to="2026-03-02T14:00", offline=True)
        broker.freeze()
        pressed = hub.ask(do="press", sensor="help_button")
        program.process.send_signal(signal.SIGSTOP)
        broker.thaw()
        program.process.send_signal(signal.SIGCONT)
        received(hub)
        made.append(pressed["alert_id"])
        assert hub.ask(do="flush", seconds=10)["empty"]
        with closing(sqlite3.connect(store / "centre.sqlite3")) as db:
            rows = db.execute(
                "SELECT alert_id, version, count(*) FROM alert_versions "
                "GROUP BY alert_id, version HAVING alert_id IN "
                "(SELECT alert_id FROM alerts WHERE type = 'help.button')"
            ).fetchall()
            gaps = db.execute(
                "SELECT count(*) FROM gaps WHERE settled IS NULL AND lane IN ('alert', 'record')"
            ).fetchone()
        assert {row[0] for row in rows} == set(made)
        assert all(row[2] == 1 for row in rows)
        assert gaps == (0,)
        assert program.end() == 0
