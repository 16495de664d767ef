"""Test whether frames from before a kill are no life after it."""

from __future__ import annotations

from tests.faults.replays import replay_run
from tests.faults.stage import Stage


async def test_frames_from_before_a_kill_are_no_life_after_it(stage: Stage, seed: int) -> None:
    verdict = await replay_run(stage, 1, seed)
    assert verdict.bad == 0, verdict.cases
    assert verdict.accepted > 0
