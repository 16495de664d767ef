"""A whole hub as a process: broker, mutual TLS, journal, control socket, clean and unclean ends."""

from __future__ import annotations

import signal
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime.asking import NAME
from models.homes import Plan, generate, write
from tests.support.broker import Broker, Town
from tests.support.hub_process import HubProcess, place_for, running_centre
from tests.support.programs import ANSIM, Program, ansim, command, until


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A town with a broker and a recorded home with a help button."""
    folder = tmp_path_factory.mktemp("place")
    town = Town(folder / "town")
    plan = Plan(seed=5, days=3, events_per_day=600, help=True, temperature=True, mains=True)
    write(generate(plan), folder / "home", "home")
    with Broker(town, folder / "broker") as broker:
        place_for(town, broker, folder)
        yield folder


@pytest.fixture
def hub(place: Path, tmp_path: Path) -> HubProcess:
    recording = f'[recording]\npath = "{place}/home/home.csv.gz"\n'
    return HubProcess(place, tmp_path, recording)


@pytest.fixture
def centre(place: Path, tmp_path: Path) -> Iterator[Path]:
    """A running centre; the folder of its store."""
    with running_centre(place, tmp_path) as data:
        yield data


def lockstep(hub: HubProcess) -> Program:
    recording = hub.place / "home" / "home.csv.gz"
    return hub.run("--lockstep", "--recording", recording, "--no-model")


def stored(centre: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the centre's store."""
    with closing(sqlite3.connect(centre / "centre.sqlite3")) as store:
        return store.execute(query, values).fetchall()


def test_it_runs_says_how_it_is_and_ends_cleanly(hub: HubProcess) -> None:
    with hub.run("--no-model", "--speed", "600") as program:
        hub.up()
        until(lambda: hub.status()["connected"], "a session")
        until(lambda: hub.status()["observations"] > 5, "observations")
        found = hub.status()
        assert found["watching"]
        assert found["pid"] == program.process.pid
        assert stat.S_IMODE((hub.data / NAME).stat().st_mode) == 0o600
        done = ansim("status", "--settings", hub.settings)
        assert done.returncode in (0, 1), done.stdout.decode()
        assert program.end() == 0
    assert not (hub.data / NAME).exists()
    assert "Traceback" not in program.said
    done = ansim("status", "--settings", hub.settings)
    assert done.returncode == 2
    assert b"not running" in done.stdout


def test_status_of_a_frozen_hub_comes_from_its_journal(hub: HubProcess) -> None:
    with hub.run("--no-model", "--speed", "600") as program:
        hub.up()
        program.process.send_signal(signal.SIGSTOP)
        done = ansim("status", "--settings", hub.settings)
        assert done.returncode == 2
        assert b"does not answer" in done.stdout
        program.process.send_signal(signal.SIGCONT)


def test_a_second_hub_in_the_same_folder_is_refused(hub: HubProcess) -> None:
    with hub.run("--no-model") as first:
        hub.up()
        done = ansim("run", "--settings", hub.settings, "--no-model")
        assert done.returncode == 5
        assert done.stderr.decode().count("\n") == 1
        assert hub.status()["pid"] == first.process.pid


def test_an_interrupt_ends_it_as_cleanly(hub: HubProcess) -> None:
    with hub.run("--no-model") as program:
        hub.up()
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(20) == 0


def test_a_person_hears_about_bad_settings_and_a_service_goes_on(hub: HubProcess) -> None:
    with hub.run("--no-model") as program:
        hub.up()
        program.end()
    hub.settings.write_text("[hub]\nid = 7\n")
    done = ansim("run", "--settings", hub.settings)
    assert done.returncode == 3
    assert done.stderr.decode().count("\n") == 1
    words = command(ANSIM, "run", "--settings", hub.settings, "--data", hub.data, "--no-model")
    with Program(words, hub.folder / "service.log", INVOCATION_ID="1") as service:
        hub.up()
        until(lambda: "config" in hub.status()["faults"], "tech.config")
        assert [a["type"] for a in hub.status()["alerts"]] == ["tech.config"]
        assert service.end() == 0


def test_memory_stays_below_fifty_without_the_model_and_eighty_five_with_it(
    hub: HubProcess,
) -> None:
    for options, limit in (((), 85), (("--no-model",), 50)):
        with hub.run("--speed", "20000", *options) as program:
            hub.up()
            until(lambda: hub.status()["connected"], "a session")
            until(lambda: hub.status()["observations"] > 400, "a day of observations")
            assert hub.status()["memory_mib"] < limit
            assert program.end() == 0


def test_status_is_there_in_a_blink(hub: HubProcess) -> None:
    with hub.run("--no-model"):
        hub.up()
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            ansim("status", "--settings", hub.settings)
            times.append(time.perf_counter() - begun)
        assert min(times) < 0.3


def test_a_press_is_received_and_accepted_on_virtual_time(hub: HubProcess, centre: Path) -> None:
    with lockstep(hub):
        hub.up()
        assert hub.ask(do="advance", to="2026-03-02T10:00")["ok"]
        pressed = hub.ask(do="press", sensor="help_button", seconds=10)
        assert pressed["received_ms"] < 2000
        until(
            lambda: [a["state"] for a in hub.status()["alerts"]] == ["accepted"],
            "the home knows that the call was accepted",
        )
        versions = stored(
            centre,
            "SELECT version, state FROM alert_versions WHERE alert_id = ? ORDER BY version",
            pressed["alert_id"],
        )
        assert versions[0] == (1, "raised")
        until(lambda: not hub.status()["waiting_alerts"], "nothing waits")
        assert "ten years" in str(hub.ask(do="advance", to=1e308))


def test_a_killed_hub_goes_on_where_it_stood_and_says_nothing_twice(
    hub: HubProcess, centre: Path
) -> None:
    with lockstep(hub) as program:
        hub.up()
        hub.ask(do="advance", to="2026-03-02T09:00")
        hub.ask(do="press", sensor="help_button", seconds=10)
        hub.ask(do="advance", to="2026-03-02T11:30")
        before = hub.status()
        program.kill()
    with lockstep(hub) as program:
        hub.up()
        after = hub.status()
        assert after["boot"] != before["boot"]
        assert [a["alert_id"] for a in after["alerts"]] == [a["alert_id"] for a in before["alerts"]]
        hub.ask(do="advance", to="2026-03-02T14:00")
        assert hub.ask(do="flush", seconds=10)["empty"]
        assert stored(centre, "SELECT count(*) FROM alerts WHERE type = 'help.button'") == [(1,)]
        assert stored(centre, "SELECT count(*) FROM gaps WHERE settled IS NULL") == [(0,)]
        assert program.end() == 0
