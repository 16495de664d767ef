"""``ansim`` and ``ansim-office`` as processes, run by this Python from this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from gateway.runtime.asking import ControlError, ask

ROOT = Path(__file__).resolve().parents[2]

ANSIM = "from gateway.cli.main import main; main()"
OFFICE = "from provisioning.office.main import main; main()"

WAIT = 20.0
"""Real seconds after which something that should have happened did not."""


def command(program: str, *arguments: object, python: str | Path = sys.executable) -> list[str]:
    return [str(python), "-c", program, *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "NOTIFY"))}
    return {**kept, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


def ansim(
    *arguments: object, python: str | Path = sys.executable, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``ansim`` to its end."""
    return subprocess.run(
        command(ANSIM, *arguments, python=python),
        env=environment(**more),
        capture_output=True,
        timeout=120,
        check=False,
    )


class Program:
    """A program that runs until it is ended; its words are in ``log``."""

    def __init__(self, words: list[str], log: Path, **more: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                words, stdout=output, stderr=subprocess.STDOUT, env=environment(**more)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(WAIT)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


def until(condition: Callable[[], object], what: str, seconds: float = WAIT) -> None:
    """Wait until something is the case; fails the test otherwise."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def status(data: Path) -> dict[str, Any] | None:
    """What the hub says of itself; None while it does not answer."""
    try:
        found = ask(data, {"do": "status"}, 5.0)["status"]
    except ControlError:
        return None
    return dict(found)
