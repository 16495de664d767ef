"""The clocks of the shell."""

from __future__ import annotations

import asyncio

from gateway.domain.instant import RELEASED, Clock, Instant
from gateway.engine.timeline import kernel_boot
from gateway.runtime.clocks import SystemClock, VirtualClock, boot_id

START = Instant("virtual-1", 1000.0, 1_772_377_200.0)


async def sleeper(clock: Clock, seconds: float, name: str, woken: list[tuple[str, float]]) -> None:
    await clock.sleep(seconds)
    woken.append((name, clock.now().boottime - START.boottime))


async def test_sleepers_wake_in_the_order_of_time_and_never_early() -> None:
    clock = VirtualClock(START)
    woken: list[tuple[str, float]] = []
    tasks = [
        asyncio.create_task(sleeper(clock, seconds, name, woken))
        for name, seconds in (("late", 30.0), ("early", 10.0), ("never", 99.0))
    ]
    await clock.advance_to(START.wall + 40)
    assert woken == [("early", 10.0), ("late", 30.0)]
    assert clock.now() == START.plus(40)
    tasks[2].cancel()


async def test_who_sleeps_again_is_woken_again_within_one_move() -> None:
    clock = VirtualClock(START)
    beats: list[float] = []

    async def beat() -> None:
        while True:
            await clock.sleep(60)
            beats.append(clock.now().wall - START.wall)

    task = asyncio.create_task(beat())
    await clock.advance(600)
    assert beats == [60.0 * n for n in range(1, 11)]
    task.cancel()


async def test_time_stands_still_while_something_is_in_flight() -> None:
    flying = {"message"}
    clock = VirtualClock(START, busy=lambda: bool(flying))
    woken: list[tuple[str, float]] = []
    task = asyncio.create_task(sleeper(clock, 5, "timer", woken))
    move = asyncio.create_task(clock.advance(60))
    for _ in range(50):
        await asyncio.sleep(0)
    assert clock.now() == START
    assert not woken
    flying.clear()
    await move
    assert woken == [("timer", 5.0)]
    await task


async def test_a_sleeper_that_was_cancelled_stops_nothing() -> None:
    clock = VirtualClock(START)
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await clock.advance(10)
    assert clock.next_sleeper() is None
    assert clock.now() == START.plus(10)


async def test_time_does_not_go_back() -> None:
    clock = VirtualClock(START)
    await clock.advance(10)
    await clock.advance_to(START.wall)
    assert clock.now() == START.plus(10)


async def test_wall_and_monotonic_time_do_not_part_in_a_hundred_thousand_steps() -> None:
    clock = VirtualClock(START)

    async def tick() -> None:
        while True:
            await clock.sleep(0.1)

    task = asyncio.create_task(tick())
    await clock.advance(1000)
    now = clock.now()
    assert now.wall - now.boottime == START.wall - START.boottime
    task.cancel()


def test_each_start_has_its_own_boot_id_within_the_same_boot_of_the_machine() -> None:
    one, two = boot_id(), boot_id()
    assert one != two
    assert kernel_boot(one) == kernel_boot(two)


def test_a_clock_that_was_set_once_stays_set() -> None:
    answers = [False, True, False, False]
    clock = SystemClock(synced=lambda: answers.pop(0))
    clock._next_look = 0.0
    seen = []
    for _ in range(3):
        seen.append(clock.now().synced)
        clock._next_look = 0.0
    assert seen == [False, True, True]


def test_a_clock_from_before_the_program_existed_is_never_believed() -> None:
    clock = SystemClock(synced=lambda: True)
    assert clock.now().synced is (clock.now().wall >= RELEASED)
