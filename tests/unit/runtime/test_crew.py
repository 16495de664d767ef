"""A task that fails is counted, told and started again."""

from __future__ import annotations

from gateway.domain.instant import Instant
from gateway.runtime.clocks import VirtualClock
from gateway.runtime.crew import LONGEST_PAUSE, Crew

START = Instant("virtual-1", 1000.0, 1_772_377_200.0)


async def test_a_failed_task_is_started_again_after_a_growing_pause() -> None:
    clock = VirtualClock(START)
    crew = Crew(clock)
    starts: list[float] = []
    reasons: list[str] = []

    async def work() -> None:
        starts.append(clock.now().boottime - START.boottime)
        raise OSError("the radio is gone")

    crew.start("radio", work, failed=reasons.append)
    await clock.advance(600)
    assert starts[:5] == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert starts[-1] - starts[-2] == LONGEST_PAUSE
    assert crew.counters["restarts-radio"] == len(starts)
    assert set(reasons) == {"OSError"}
    await crew.stop()


async def test_a_task_that_ran_long_starts_again_at_once() -> None:
    clock = VirtualClock(START)
    crew = Crew(clock)
    starts: list[float] = []

    async def work() -> None:
        starts.append(clock.now().boottime - START.boottime)
        await clock.sleep(1000)
        raise OSError

    crew.start("radio", work)
    await clock.advance(3010)
    assert starts == [0.0, 1001.0, 2002.0, 3003.0]
    await crew.stop()


async def test_work_that_may_end_is_not_started_again() -> None:
    clock = VirtualClock(START)
    crew = Crew(clock)
    starts: list[int] = []

    async def work() -> None:
        starts.append(1)

    crew.start("recording", work, forever=False)
    await clock.advance(60)
    assert starts == [1]
    assert not crew.counters


async def test_an_end_without_an_error_is_a_failure_of_what_should_never_end() -> None:
    clock = VirtualClock(START)
    crew = Crew(clock)
    reasons: list[str] = []

    async def work() -> None:
        pass

    crew.start("uplink", work, failed=reasons.append)
    await clock.advance(2)
    assert reasons[0] == "ended"
    await crew.stop()
