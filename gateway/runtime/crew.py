"""The tasks of a hub: one that fails is counted, told and started again (invariant 8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.domain.instant import Clock

log = logging.getLogger("ansim")

FIRST_PAUSE = 1.0
"""Seconds before a failed task is started again: at once could be a loop that eats the processor."""

LONGEST_PAUSE = 60.0
"""Seconds; the same bound as for reconnecting (R44)."""

STABLE = 300.0
"""Seconds that a task must have run for its next failure to count as a first one."""


class Crew:
    """Starts tasks, restarts those that fail, and ends them all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.counters: dict[str, int] = {}
        """``restarts-<name>`` for each task that failed; may be replaced by a shared dict."""

    def start(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        failed: Callable[[str], None] = lambda _reason: None,
        forever: bool = True,
    ) -> None:
        """Run ``work`` under ``name``. ``failed(reason)`` is called for each failure.

        ``forever``: an end without an error is a failure too; False for work that may end.
        """
        self._tasks[name] = asyncio.create_task(self._keep(name, work, failed, forever), name=name)

    async def stop(self, *names: str) -> None:
        """Cancel these tasks, or all, and wait for their end."""
        tasks = [self._tasks.pop(n) for n in (names or tuple(self._tasks)) if n in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        failed: Callable[[str], None],
        forever: bool,
    ) -> None:
        pause = FIRST_PAUSE
        while True:
            begun = self._clock.now().boottime
            try:
                await work()
                if not forever:
                    return
                reason = "ended"
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise  # ``stop`` asked for it
                reason = "cancelled"  # something within was cancelled: a failure like any other
                log.error("task %s was cancelled from within and will be started again", name)
            except Exception as error:  # whatever it is: a hub goes on (invariant 8)
                reason = type(error).__name__
                log.error("task %s failed and will be started again", name, exc_info=error)
            counter = f"restarts-{name}"
            self.counters[counter] = self.counters.get(counter, 0) + 1
            failed(reason)
            if self._clock.now().boottime - begun >= STABLE:
                pause = FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
