"""What the tests of faults share: a town to sabotage, a library that sabotages disks, a seed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disk import quick_folder
from tests.faults.shim import build
from tests.faults.stage import Stage


@pytest.fixture(scope="session")
def seed() -> int:
    """ANSIM_FAULT_SEED; the same moments come again as far as a machine's pace allows."""
    return int(os.environ.get("ANSIM_FAULT_SEED", "1"))


@pytest.fixture(scope="session")
def maybe_shim(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The library, or None without a compiler."""
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def shim(maybe_shim: Path | None) -> Path:
    if maybe_shim is None:
        pytest.skip("no C compiler (cc): writes can neither be watched nor broken")
    return maybe_shim


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory, where there is one: it plays a disk, and is not meant to be one."""
    with quick_folder() as name:
        yield Path(name)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One broker and one centre for all lives of all tests here."""
    with Stage(tmp_path_factory.mktemp("town")).open() as stage:
        yield stage
