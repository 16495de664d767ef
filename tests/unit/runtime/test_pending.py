"""When what waits is committed, and what stays while the disk refuses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.observation import Pressed
from tests.support.hubs import RunningHub


class Guards:
    """Counts the commits; asks for one more in the midst of the first."""

    def __init__(self, home: RunningHub) -> None:
        self.commits = 0
        self._home = home

    def marks(self, now: float) -> Mapping[str, int]:
        return {}

    def release(self) -> Mapping[str, int]:
        return {}

    def stored(self) -> None:
        self.commits += 1
        if self.commits == 1:
            self._home.hub.hurry()


async def test_a_hurry_that_is_asked_for_once_a_commit_is_stored_brings_the_next_at_once(
    tmp_path: Path,
) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.along = guards = Guards(home)
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert guards.commits == 2


async def test_a_hurry_that_is_asked_for_during_a_commit_brings_the_next_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunningHub(tmp_path) as home:
        commit, commits = home.journal.commit, 0

        def asked(*args: Any, **kwargs: Any) -> object:
            nonlocal commits
            commits += 1
            if commits == 1:
                home.hub.hurry()
            return commit(*args, **kwargs)

        monkeypatch.setattr(home.journal, "commit", asked)
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert commits == 2
