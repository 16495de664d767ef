"""What a hub looks after beside its watch: its settings file, its clock, its link, its history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gateway.domain.errors import JournalError, SettingsError
from gateway.domain.instant import Clock, Instant
from gateway.domain.observation import HubFault
from gateway.journal import Journal
from gateway.runtime.hub import Hub
from gateway.settings import Settings, changed, load, placed, stamp
from gateway.settings import fingerprint as settings_fingerprint

log = logging.getLogger("ansim")

EVERY = 10.0
"""Seconds between two rounds in real time: two system calls each."""

EVERY_VIRTUAL = 60.0
"""Seconds of a virtual clock; a simulated week is then ten thousand rounds instead of sixty."""

LINK_PATIENCE = 600.0
"""Seconds without a session before that is told as a fault: routers restart, and the centre
itself sees a missing hub after 90 s (R1)."""

CLOCK_PATIENCE = 600.0
"""Seconds that a hub without a clock chip may wait for the network's time."""

WALL_JUMP = 1.0
"""Seconds that wall and monotonic clock may part between two rounds before the engine hears of it;
a slewed clock stays far below."""

RETAIN_EVERY = 3600.0
"""Seconds between two rounds of retention: small bites, so that no commit waits for a big one."""


class Care:
    """One task; each of its duties may fail without the others."""

    def __init__(
        self,
        hub: Hub,
        journal: Journal,
        clock: Clock,
        *,
        path: Path,
        settings: Settings,
        link: Callable[[], str | None],
        link_fault: Callable[[], str | None] = lambda: None,
        recorded: bool = False,
        every: float = EVERY,
    ) -> None:
        """``link`` says why there is no session; None if there is one. ``link_fault`` says what is
        wrong although there may be one (``Uplink.fault``). ``recorded``: a recorded home brings the
        sensors."""
        self._hub = hub
        self._journal = journal
        self._clock = clock
        self._path = path
        self._recorded = recorded
        self._data = settings.hub.data
        self._stamp = stamp(path)
        self._settings = settings_fingerprint(settings)
        self._link = link
        self._link_fault = link_fault
        self._every = every
        now = clock.now()
        self._begun = self._up = now.boottime
        self._retained = now.boottime - RETAIN_EVERY
        self._before = now
        self._failing: set[str] = set()
        self.restart_wanted = False
        """Whether the settings file now says something that only a restart brings into use."""

    async def run(self) -> None:
        """Look after everything, for ever."""
        while True:
            now = self._clock.now()
            with self._apart("settings"):
                self.look_at_settings()
            with self._apart("link"):
                self.look_at_link(now)
            with self._apart("clock"):
                self.look_at_clock(now)
            with self._apart("history"):
                await self.retain(now)
            await self._clock.sleep(self._every)

    @contextmanager
    def _apart(self, duty: str) -> Iterator[None]:
        """A duty that fails is counted, and logged the first time; the next one has its turn."""
        try:
            yield
        except Exception:  # a bug of ours in one must not end the others (invariant 8)
            if duty not in self._failing:
                log.exception("looking after the %s failed", duty)
            self._failing.add(duty)
            counters = self._hub.counters
            counters["care-failures"] = counters.get("care-failures", 0) + 1
        else:
            self._failing.discard(duty)

    def look_at_settings(self) -> None:
        """A file that was damaged meanwhile is told; the hub goes on with what it read (R: settings
        damaged in the field). A good change waits for the next start."""
        if not changed(self._path, self._stamp):
            return
        self._stamp = stamp(self._path)
        try:
            settings = placed(self._data, load(self._path, recorded=self._recorded))
        except SettingsError as error:
            log.error("%s", error)
            self._hub.fault("config", True, error.reason)
            return
        self._hub.fault("config", False)
        self.restart_wanted = settings_fingerprint(settings) != self._settings
        if self.restart_wanted:
            log.warning("the settings have changed; restart the service to use them")

    def look_at_link(self, now: Instant) -> None:
        """No session for long is a fault of its own, and so is a link that is open and of no use:
        that one has been waited for already. Told again when all is well."""
        trouble, fault = self._link(), self._link_fault()
        if trouble is None:
            self._up = now.boottime
        if fault is not None:
            self._hub.fault("link", True, fault)
        elif trouble is None:
            self._hub.fault("link", False)
        elif now.boottime - self._up >= LINK_PATIENCE:
            self._hub.fault("link", True, trouble)

    def look_at_clock(self, now: Instant) -> None:
        """The engine learns of a clock that was set or that jumped at once, not with the next
        motion; a clock that stays unset is a fault."""
        before, self._before = self._before, now
        if not now.synced and now.boottime - self._begun >= CLOCK_PATIENCE:
            self._hub.fault("clock", True, "unsynchronised")
        elif now.synced:
            self._hub.fault("clock", False)
        parted = (now.wall - before.wall) - (now.boottime - before.boottime)
        if abs(parted) > WALL_JUMP or now.synced is not before.synced:
            self._hub.offer(HubFault("clock", "clock" in self._hub.faults, "set"))

    async def retain(self, now: Instant) -> None:
        """Forget what may no longer be kept (P2). A slow card holds up neither sensors nor link
        meanwhile, and a commit gets its turn between two bites."""
        if now.boottime - self._retained < RETAIN_EVERY:
            return
        self._retained = now.boottime
        try:
            bite = partial(self._journal.retain, now.wall, synced=now.synced)
            while (await self._hub.writer.carefully(bite)).more:
                pass
        except JournalError as error:
            log.error("%s", error)
