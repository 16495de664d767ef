"""Bluetooth sensors as a source of observations: listens for ever, and says so when it cannot.

One scanner for the life of the program, and one task that starts it, judges it and climbs the
ladder; everything else only leaves a note and wakes that task. "The program runs" is no sign that
the radio hears: new advertisements are, whoever sends them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.domain.enrolment import Radio
from gateway.domain.instant import Clock
from gateway.domain.observation import Offer, SourceChanged, What
from gateway.domain.sensor import Supervision
from gateway.sensing.adverts import Adverts, Decode
from gateway.sensing.ladder import Ladder, Rung, Trouble
from gateway.sensing.modes import Mode, Modes
from gateway.sensing.owner import OwnerWatch
from gateway.sensing.scanner import PassiveRefusedError, ScanError, Scanner
from gateway.sensing.usual import Usual

log = logging.getLogger("ansim")

NAME: Final = "ble"

LOOK_EVERY: Final = 15.0
"""Seconds between two looks at how late the connection is and whether the mode still fits. Two late
answers are a flood, so it is noticed within half a minute; a look costs one D-Bus message."""

TRUE_EVERY: Final = 30.0
"""Seconds between two messages that the radio hears again. A bluetoothd that dies every second must
not fill the journal; that the radio is deaf is always told at once."""

ACTION_TIMEOUT: Final = 60.0
"""Seconds for a helper unit. A restart of bluetoothd that hangs is killed by the service manager
after 90 s at the latest; we rather go on climbing while it works."""


@dataclass(frozen=True)
class Actions:
    """What this process may not or should not do itself. None: this hub has no such helper, the
    rung is passed over. What raises is counted and logged, and the ladder goes on."""

    power_cycle: Callable[[str], Awaitable[None]] | None = None
    """Switch an adapter ("hci0", or "any") off and on, rfkill included."""
    restart_daemon: Callable[[], Awaitable[None]] | None = None
    leave: Callable[[], None] | None = None
    """Ask for the end of this process; it is started again."""
    reboot: Callable[[], Awaitable[bool]] | None = None
    """Reboot, unless something is just being written: then False."""


class BleSource:
    """A ``Source`` (gateway.runtime.sources). ``run`` may be cancelled at any moment and started
    again; what the ladder knows stays."""

    names: tuple[str, ...] = (NAME,)
    tells_itself = True

    def __init__(
        self,
        radios: Iterable[Radio],
        clock: Clock,
        decode: Decode,
        *,
        adapter: str | None = None,
        mode: Mode = Mode.ACTIVE,
        actions: Actions | None = None,
    ) -> None:
        """``adapter``: address of the adapter; None takes the first that is powered."""
        radios = tuple(radios)
        beacons = {
            radio.sensor.id: radio.sensor.interval
            for radio in radios
            if radio.sensor.supervision is Supervision.BEACON and radio.sensor.interval
        }
        self.adverts = Adverts(radios, decode)
        self.modes = Modes(mode, beacons)
        self.on_progress: Callable[[], None] = lambda: None
        """Called with each round of the main loop: at least once a minute."""
        self._clock = clock
        self._actions = actions or Actions()
        self._watch = OwnerWatch(clock)
        self._scanner = Scanner([radio.address for radio in radios], adapter, self)
        self._usual = Usual(min(beacons.values(), default=None))
        self._ladder: Ladder | None = None
        self._own = {"ble-floods": 0, "ble-passive-refused": 0, "ble-passive-unproven": 0}
        self._own["ble-helper-failures"] = 0
        self._offer: Offer = _nowhere
        self._news = asyncio.Event()
        self._motions = asyncio.Event()
        self._told: tuple[bool, str] | None = None
        self._told_true = float("-inf")
        self._look_at = 0.0
        self._since = 0.0

    # -- what can be said of it ------------------------------------------------------------------

    @property
    def counters(self) -> dict[str, int]:
        """Everything that was counted since the start, for the heartbeat."""
        counts = {} if self._ladder is None else self._ladder.counts
        return {
            **{f"ble-{rung.name.lower()}": count for rung, count in counts.items()},
            **self._own,
            **self.adverts.counters,
            **self._scanner.counters,
            "ble-bluetoothd-changes": self._watch.changes,
        }

    @property
    def trouble(self) -> Trouble | None:
        """Why the radio is held to be deaf; None while it hears."""
        return None if self._ladder is None else self._ladder.trouble

    @property
    def flooded(self) -> bool:
        """Whether strangers are filtered because there are more than this machine can take."""
        return self.modes.flooded(self._now())

    @property
    def mode(self) -> Mode | None:
        """How the scanner listens now; None while none runs."""
        return self._scanner.mode

    @property
    def remembered(self) -> int:
        """D-Bus objects in memory: adapters and enrolled sensors only."""
        return self._scanner.remembered

    # -- the source ------------------------------------------------------------------------------

    async def run(self, offer: Offer) -> None:
        """Listen until cancelled."""
        self._offer = offer
        self._told = None  # whoever started us again has said that we are deaf
        now = self._now()
        if self._ladder is None:
            self._ladder = Ladder(now, self._usual, available=self._available())
        else:
            self._ladder.arrived(now)
        helpers = {
            asyncio.create_task(self._watch.run(self._owner_changed)),
            asyncio.create_task(self._end_motions()),
        }
        for helper in helpers:  # a helper that fails wakes the main loop, which then fails too
            helper.add_done_callback(lambda _task: self._news.set())
        try:
            await self._listen(self._ladder, helpers)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.shield(self._end(helpers))

    async def _end(self, helpers: set[asyncio.Task[None]]) -> None:
        await asyncio.gather(*helpers, return_exceptions=True)
        await self._scanner.stop()
        await self._scanner.drop()

    async def _listen(self, ladder: Ladder, helpers: set[asyncio.Task[None]]) -> None:
        while True:
            for helper in helpers:
                if helper.done():
                    helper.result()
            self._news.clear()
            self.on_progress()
            if not self._watch.known:
                await self._wait(self._news, self._now() + LOOK_EVERY)
                continue
            if self._watch.owner is None:
                await self._scanner.drop()
            now = self._now()
            rung = ladder.step(now)
            if rung is not None:
                await self._climb(ladder, rung)
            elif now >= self._look_at:
                self._look_at = now + LOOK_EVERY
                await self._look(ladder)
            else:
                self._tell()
                until = min(ladder.due(now), self._look_at)
                if self._told is not None and not self._told[0] and ladder.trouble is None:
                    until = min(until, self._told_true + TRUE_EVERY)
                await self._wait(self._news, until)

    # -- heard: called by the scanner, in the loop's own thread ----------------------------------

    def pulse(self) -> None:
        """Somebody's new advertisement."""
        if self._ladder is not None and (self._ladder.heard(self._now()) or self._told is None):
            self._told = self._told or (False, "")
            self._tell()
            self._news.set()

    def frame(self, address: str, data: bytes) -> None:
        """New service data of an enrolled sensor."""
        for what, counter in self.adverts.frame(address, data, self._now()):
            self._offer(what, counter)
        self._motions.set()

    def adapter(self, path: str, here: bool | None, powered: bool | None) -> None:
        """An adapter came, went, or was switched."""
        ladder = self._ladder
        if ladder is None:
            return
        now = self._now()
        if here is False or powered is False:
            if path == self._scanner.adapter:
                ladder.gone(Trouble.NO_ADAPTER if here is False else Trouble.POWERED_OFF, now)
        elif not ladder.listening:
            ladder.arrived(now)
        self._tell()
        self._news.set()

    def lost(self) -> None:
        """The connection broke."""
        if self._ladder is not None:
            self._ladder.lost(Trouble.BUS_LOST, self._now())
            self._tell()
            self._news.set()

    def _owner_changed(self, owner: str | None) -> None:
        ladder = self._ladder
        assert ladder is not None  # run() made it
        if owner is None:
            ladder.gone(Trouble.DAEMON_GONE, self._now())
        else:
            ladder.arrived(self._now())
        self._tell()
        self._news.set()

    # -- done ------------------------------------------------------------------------------------

    async def _climb(self, ladder: Ladder, rung: Rung) -> None:
        if rung is not Rung.START:
            assert ladder.trouble is not None  # nothing else leads onto a rung
            log.warning("the radio is deaf (%s): %s", ladder.trouble.value, rung.name.lower())
            self._say(alive=False, detail=f"{ladder.trouble.value}:{rung.name.lower()}")
        match rung:
            case Rung.FRESH:
                await self._scanner.drop()
            case Rung.POWER:
                await self._scanner.drop()
                await self._help(self._power_cycle())
            case Rung.DAEMON:
                await self._scanner.drop()
                if self._actions.restart_daemon is not None:
                    await self._help(self._actions.restart_daemon())
            case Rung.EXIT:
                if self._actions.leave is not None:
                    self._actions.leave()
            case Rung.REBOOT:
                if not await self._reboot():
                    ladder.declined(self._now())
                    return
            case _:
                pass
        if rung in (Rung.EXIT, Rung.REBOOT) and self._scanner.running:
            ladder.done(None, self._now())  # it goes on listening until the end comes
            return
        ladder.done(await self._start(), self._now())
        self._tell()

    async def _start(self) -> Trouble | None:
        owner = self._watch.owner
        if owner is None:
            return Trouble.DAEMON_GONE
        try:
            try:
                await self._scanner.start(self.modes.current(self._now()), owner)
            except PassiveRefusedError:
                self._own["ble-passive-refused"] += 1
                self.modes.refused(self._now())
                await self._scanner.start(Mode.ACTIVE, owner)
        except ScanError as error:
            log.warning("no Bluetooth scan: %s (%s)", error.trouble.value, error)
            return error.trouble
        self._since = self._now()
        self._look_at = self._since + LOOK_EVERY
        return None

    async def _look(self, ladder: Ladder) -> None:
        if not self._scanner.running:
            return
        try:
            lag = await self._scanner.ping()
        except ScanError as error:
            ladder.lost(error.trouble, self._now())
            self._tell()
            return
        now = self._now()
        if lag is not None and self.modes.lag(lag, now):
            self._own["ble-floods"] += 1
            log.warning("more Bluetooth frames than this machine can take: strangers are filtered")
        sensor = self.modes.check(self.adverts.heard, self._since, now)
        if sensor is not None:
            self._own["ble-passive-unproven"] += 1
            log.warning("passive scanning does not hear %s: back to active scanning", sensor)
        if self.modes.current(now) is not self._scanner.mode:
            ladder.arrived(now)
        self._tell()

    async def _power_cycle(self) -> None:
        if self._actions.power_cycle is not None:
            path = self._scanner.adapter
            await self._actions.power_cycle("any" if path is None else path.rpartition("/")[2])

    async def _reboot(self) -> bool:
        if self._actions.reboot is None:
            return False
        try:
            async with asyncio.timeout(ACTION_TIMEOUT):
                return await self._actions.reboot()
        except Exception:  # a helper's failure must not end the listening (invariant 8)
            log.exception("the reboot helper failed")
            self._own["ble-helper-failures"] += 1
            return False

    async def _help(self, action: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(ACTION_TIMEOUT):
                await action
        except Exception:  # a helper's failure must not end the listening (invariant 8)
            log.exception("a helper for the radio failed")
            self._own["ble-helper-failures"] += 1

    async def _end_motions(self) -> None:
        while True:
            self._motions.clear()
            now = self._now()
            for what in self.adverts.ended(now):
                self._offer(what)
            due = self.adverts.due()
            if due is None:
                await self._motions.wait()
            else:
                await self._wait(self._motions, due)

    # -- told ------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Say whether we hear, if that changed."""
        trouble = self.trouble
        if trouble is not None:
            if self._told is None or self._told[0]:
                self._say(alive=False, detail=trouble.value)
            return
        if self._told is None:
            return  # a scanner that runs is not yet one that hears
        now = self._now()
        state = (True, "flood" if self.modes.flooded(now) else "")
        if state == self._told or now - self._told_true < TRUE_EVERY:
            return
        self._told_true = now
        self._say(alive=True, detail=state[1])

    def _say(self, *, alive: bool, detail: str) -> None:
        self._told = (alive, detail)
        self._offer(SourceChanged(NAME, alive=alive, detail=detail))

    # -- time ------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock.now().boottime

    async def _wait(self, event: asyncio.Event, until: float) -> None:
        """Until the event or the moment."""
        waits = {
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._clock.sleep(max(0.0, until - self._now()))),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _available(self) -> frozenset[Rung]:
        actions = {
            Rung.POWER: self._actions.power_cycle,
            Rung.DAEMON: self._actions.restart_daemon,
            Rung.EXIT: self._actions.leave,
            Rung.REBOOT: self._actions.reboot,
        }
        return frozenset(rung for rung in Rung if actions.get(rung, True) is not None)


def _nowhere(_what: What, _counter: int | None = None, /) -> None:
    """Before ``run`` nobody listens."""
