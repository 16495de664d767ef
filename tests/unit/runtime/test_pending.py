"""When what waits is committed, and what stays while the disk refuses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.observation import Pressed
from gateway.runtime.pending import BATCH_MOST, LARGEST_PENDING, SUMMARIES_MOST, Pending
from tests.support.hubs import RunningHub
from tests.support.journals import alert, alerting, observation, observations, summary, summing


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


@pytest.mark.parametrize("waiting", [1, BATCH_MOST, 3 * BATCH_MOST])
def test_a_commit_that_was_refused_is_tried_ever_more_rarely_however_much_waits(
    waiting: int,
) -> None:
    pending = Pending(0.0)
    for one in observations(1, waiting):
        pending.observe(one)
    tries = []
    pending.kept(100.0)
    for second in range(101, 400):
        pending.observe(observation(waiting + second))
        if pending.due(float(second)):
            tries.append(second)
            pending.kept(float(second))
    assert tries == [101, 103, 107, 115, 131, 163, 223, 283, 343]
    assert pending.next_moment() == 403.0


def test_a_full_batch_is_committed_at_once_while_the_disk_takes_it() -> None:
    pending = Pending(100.0)
    for one in observations(1, BATCH_MOST - 1):
        pending.observe(one)
    assert not pending.due(102.0)
    pending.observe(observation(BATCH_MOST))
    assert pending.due(102.0)


def test_news_waits_for_no_backoff() -> None:
    pending = Pending(0.0)
    pending.observe(observation(1))
    pending.kept(100.0)
    pending.observe(observation(2, Pressed("help")))
    assert pending.due(100.0)


@pytest.mark.parametrize("beyond", [0, 1, 700])
def test_of_too_many_readings_the_oldest_go_and_what_people_did_stays(beyond: int) -> None:
    pending = Pending(0.0)
    press = observation(1, Pressed("help"))
    pending.observe(press)
    for one in observations(2, LARGEST_PENDING + beyond):
        pending.observe(one)
    lost = pending.kept(1.0)
    assert lost == ({"observations-lost": beyond} if beyond else {})
    assert pending.observations[0] == press
    kept = [one.sequence for one in pending.observations[1:]]
    assert kept == list(range(2 + beyond, LARGEST_PENDING + 2 + beyond))


def test_of_too_many_summaries_the_oldest_go_and_every_alert_stays() -> None:
    pending = Pending(0.0)
    for n in range(SUMMARIES_MOST + 5):
        pending.decide(summing(summary(600.0 * n))[0], 0.0)
    for n in range(SUMMARIES_MOST + 5):
        pending.decide(alerting(alert(str(n)))[0], 0.0)
    assert pending.kept(1.0) == {"summaries-lost": 5}
    assert pending.decisions[0] == summing(summary(600.0 * 5))[0]
    assert sum(len(one.alerts) for one in pending.decisions) == SUMMARIES_MOST + 5
