"""``ansim-office demo``: it shows what it promises, and sabotaged from outside it says what failed.

The sabotage is real: signals to the pids that it prints, and files changed in the folder that it
was given.
"""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.office import authority
from tests.support.programs import OFFICE, command, environment

LONGEST = 115.0
"""Seconds: it ends by itself within these, whatever was done to it."""


class Demo:
    """A running demonstration."""

    def __init__(self, folder: Path, *options: str, **more: str) -> None:
        self.folder = folder
        self.out = folder.with_name("out.txt")
        self.begun = time.monotonic()
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                command(OFFICE, "demo", "--folder", folder, *options),
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment(**more),
            )

    def text(self) -> str:
        return self.out.read_text()

    def wait_for(self, word: str) -> None:
        while word not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() - self.begun < LONGEST
            time.sleep(0.02)

    def pids(self) -> dict[str, int]:
        self.wait_for("Programs ")
        found = re.search(r"Programs (.*)", self.text())
        assert found is not None
        pairs = (pair.split() for pair in found[1].split(", "))
        return {name: int(pid) for name, pid in pairs}

    def ends(self) -> int:
        code = self.process.wait(max(1.0, LONGEST - (time.monotonic() - self.begun)))
        left = [pid for pid in self.pids_printed() if Path(f"/proc/{pid}").exists()]
        assert not left, "programs were left running"
        return code

    def pids_printed(self) -> list[int]:
        found = re.search(r"Programs (.*)", self.text())
        return [] if found is None else [int(pid) for pid in re.findall(r"\d+", found[1])]

    def line(self, key: str) -> str:
        """The line of a scene in the table, and what stands below it."""
        lines = self.text().splitlines()
        at = max(i for i, line in enumerate(lines) if line.startswith(f"  {key}  "))
        return "\n".join(lines[at : at + 2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.mark.slow
def test_a_week_goes_well_and_fits_a_terminal(folder: Path) -> None:
    demo = Demo(folder, LANG="ko_KR.UTF-8")
    assert demo.ends() == 0, demo.text()
    for key in "0abcd":
        assert not re.search("FAILED|실패", demo.line(key)), demo.text()
    assert all(len(line) <= 100 for line in demo.text().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "number", "said"),
    [
        ("mosquitto", signal.SIGKILL, "mosquitto was killed (SIGKILL)"),
        ("centre", signal.SIGSTOP, "centre is frozen (SIGSTOP)"),
        ("hub", signal.SIGSTOP, "hub is frozen (SIGSTOP)"),
    ],
)
def test_a_program_that_is_killed_or_frozen_is_named(
    folder: Path, program: str, number: signal.Signals, said: str
) -> None:
    demo = Demo(folder)
    pid = demo.pids()[program]
    demo.wait_for("Mon 10:30")
    os.kill(pid, number)
    assert demo.ends() == 1
    assert "ok" in demo.line("a").splitlines()[0]
    assert "FAILED" in demo.line("d"), demo.text()
    assert said in demo.line("d"), demo.text()
    assert "not played" in demo.line("b")


def foreign_authority(folder: Path) -> None:
    authority.create(folder / "foreign")
    (folder / "hub" / "ca.crt").write_bytes((folder / "foreign" / "ca.crt").read_bytes())


def wrong_signing_key(folder: Path) -> None:
    authority.create(folder / "foreign")
    authority.centre(folder / "foreign", "one", folder / "foreign-centre")
    key = (folder / "foreign-centre" / "signing.key").read_bytes()
    (folder / "centre" / "signing.key").write_bytes(key)


def without_the_sensor(folder: Path) -> None:
    rows = folder / "home" / "week.csv.gz"
    kept = [
        line for line in gzip.decompress(rows.read_bytes()).splitlines() if b"bath_" not in line
    ]
    rows.write_bytes(gzip.compress(b"\n".join(kept) + b"\n"))
    sensors = folder / "home" / "week.sensors.csv"
    sensors.write_text(
        "".join(line for line in sensors.read_text().splitlines(True) if "bath_" not in line)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sabotage", "key", "said"),
    [
        (foreign_authority, "0", "(tls)"),
        (wrong_signing_key, "a", "The centre does not answer"),
        (without_the_sensor, "d", "bath_motion"),
    ],
    ids=["wrong CA", "silent centre", "missing sensor"],
)
def test_what_was_changed_in_its_folder_is_noticed(
    folder: Path, sabotage: Callable[[Path], None], key: str, said: str
) -> None:
    assert Demo(folder, "--prepare").process.wait(30) == 0
    sabotage(folder)
    demo = Demo(folder, *(() if key == "0" else ("--scene", key)))
    assert demo.ends() == 1, demo.text()
    assert "FAILED" in demo.line(key), demo.text()
    assert said in demo.line(key), demo.text()


def test_without_mosquitto_it_says_so_at_once(folder: Path) -> None:
    demo = Demo(folder, "--mosquitto", "/nonexistent/mosquitto")
    assert demo.ends() == 1
    assert "/nonexistent/mosquitto" in demo.line("0")


def test_an_interrupt_leaves_nothing_behind(folder: Path) -> None:
    demo = Demo(folder)
    demo.pids()
    demo.wait_for("Mon 10:00")
    demo.process.send_signal(signal.SIGINT)
    assert demo.ends() == 130


def test_its_programs_end_with_it_even_if_it_is_killed(folder: Path) -> None:
    demo = Demo(folder)
    pids = demo.pids()
    demo.process.kill()
    demo.process.wait(5)
    end = time.monotonic() + 5.0
    while any(Path(f"/proc/{pid}").exists() for pid in pids.values()):
        assert time.monotonic() < end, "programs were left running"
        time.sleep(0.02)
