"""What all tests share. Helpers live in tests/support and are imported as `tests.support.<name>`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOMES = Path(os.environ.get("ANSIM_HOMES", ROOT.parent / "shared" / "data"))
"""The folder of recorded homes; they are not part of the repository."""

PATIENCE_S = float(os.environ.get("ANSIM_TEST_PATIENCE_S", "120"))
"""Seconds that set-up, test and clean-up may each take: a test that hangs fails with its name, and
the tests after it still run. The slowest takes a tenth of this."""


FULL = os.environ.get("ANSIM_FULL") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in full length say that they did not run."""
    skip = pytest.mark.skip(reason="in full length only: ANSIM_FULL=1, or make faults")
    for item in items:
        if not FULL and item.get_closest_marker("full"):
            item.add_marker(skip)


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Raises TimeoutError in the main thread, also out of an event loop that waits for ever."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"no end of {what} after {PATIENCE_S:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with patience(f"the set-up of {item.name}"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with patience(item.name):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    with patience(f"the clean-up of {item.name}"):
        return (yield)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def homes() -> Path:
    """The folder of recorded homes; a test that needs it is skipped where it is not there."""
    if not (HOMES / "tm000.csv.gz").is_file():
        pytest.skip(f"no recorded homes in {HOMES}: set ANSIM_HOMES to the folder that holds them")
    return HOMES


@pytest.fixture(scope="session")
def other_python() -> Path:
    """A Python of the other supported version with our dependencies (ANSIM_OTHER_PYTHON)."""
    told = os.environ.get("ANSIM_OTHER_PYTHON", "")
    if not told or not Path(told).is_file():
        pytest.skip("no second Python: set ANSIM_OTHER_PYTHON to compare 3.11 with 3.13")
    return Path(told)
