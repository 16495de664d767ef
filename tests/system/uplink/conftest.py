"""A town, a broker and a folder for each test; a broker starts in 20 ms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker, Town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def broker(town: Town, tmp_path: Path) -> Iterator[Broker]:
    with Broker(town, tmp_path / "broker") as running:
        yield running
