"""One guest for all tests of a tier; each test leaves it as it found it.

``make test-hardware`` prepares kernel, image and radio (``vm/run.sh``) and says which tiers ran.
``ANSIM_TIER`` chooses: T2 is amd64, T3 arm64.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.machine import TIERS, Machine
from tests.hardware.town import GOOD, Town

TIER = os.environ.get("ANSIM_TIER", "T2")
WORK = Path(os.environ.get("ANSIM_VM_WORK", Path.home() / ".cache" / "ansim-vm"))
"""The writable cache: images, unpacked kernels, the radio's Python."""

FIGURES = pytest.StashKey[dict[str, object]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = {}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The measured figures under the results, and as a file if ANSIM_VM_FIGURES names one."""
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.write_sep("-", f"{TIER}, emulated: upper bounds, no figures of a Raspberry Pi")
    for name, value in figures.items():
        terminalreporter.write_line(f"{name}: {value}")
    if told := os.environ.get("ANSIM_VM_FIGURES"):
        Path(told).write_text(json.dumps({"tier": TIER, **figures}, indent=1) + "\n")


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> dict[str, object]:
    """What tests measured, shown at the end."""
    return request.config.stash[FIGURES]


@pytest.fixture(scope="session")
def machine(
    tmp_path_factory: pytest.TempPathFactory, figures: dict[str, object]
) -> Iterator[Machine]:
    """The guest, up, with the virtual radio on its line."""
    ready = WORK / TIERS[TIER].name / "ready.json"
    if not ready.is_file():
        pytest.skip(f"{TIER} did not run: no guest is prepared; use make test-hardware")
    paths = {name: Path(path) for name, path in json.loads(ready.read_text()).items()}
    missing = [str(path) for path in paths.values() if not path.exists()]
    if missing:
        pytest.skip(f"{TIER} did not run: {', '.join(missing)} is gone; use make test-hardware")
    folder = tmp_path_factory.mktemp(TIER.lower())
    with Machine(TIER, paths["image"], paths["kernel"], paths["radio"], folder) as machine:
        figures["boot until the agent answers, s"] = round(machine.boot_seconds, 1)
        yield machine


@pytest.fixture(scope="session")
def _town(machine: Machine) -> Town:
    return Town(machine)


@pytest.fixture
def town(_town: Town) -> Iterator[Town]:
    """Broker and centre in the guest, with a good link."""
    _town.link(GOOD)
    yield _town
    _town.link(GOOD)
