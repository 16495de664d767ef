"""How a deaf radio is brought back: gentle remedies first, each told, counted and rate-limited.

Pure: time and events come in, the next rung comes out. Nothing here touches a radio, so that a week
of jamming is a test of milliseconds. The order and the limits are those of requirements,
"Settled", R16 and of the recovery in habluetooth and bluetooth-auto-recovery.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum, StrEnum
from typing import Final

from gateway.domain.instant import HOUR
from gateway.sensing.usual import CAP, Usual


class Rung(IntEnum):
    """From gentle to rough. ``START`` is no remedy: it begins or follows something that came."""

    START = 0
    RESTART = 1  # stop and start the scanner
    FRESH = 2  # a new connection to BlueZ and a new scanner
    POWER = 3  # power cycle of the adapter, by the privileged helper
    DAEMON = 4  # restart of bluetoothd, by the service manager
    EXIT = 5  # this process ends and is started again
    REBOOT = 6


class Trouble(StrEnum):
    """Why the radio is held to be deaf; the detail of ``SourceChanged``."""

    SILENT = "silent"
    DAEMON_GONE = "bluetoothd-gone"
    NO_ADAPTER = "adapter-gone"
    POWERED_OFF = "powered-off"
    REFUSED = "scan-refused"
    HUNG = "bluetoothd-hung"
    BUS_LOST = "bus-lost"


STARTS: Final = 4
"""Attempts to start a scanner before the next rung: what habluetooth found to be worth trying."""

FIRST_RETRY: Final = 1.5
"""Seconds to the second attempt, then doubled (1.5, 3, 6): InProgress of an adapter that is just
switching on is over after one to five seconds."""

SPACING: Final = 1.0
"""Seconds between two starts that something new asks for: a bluetoothd that dies twice a second
must not make us connect twice a second."""

GRACE: Final = 30.0
"""Seconds that a missing bluetoothd or adapter has to come back by itself. systemd restarts a
service within a second, a USB stick is there again after three, firmware loads in under ten."""

EVERY: Final[dict[Rung, float]] = {
    Rung.RESTART: 60.0,
    Rung.FRESH: 60.0,
    Rung.POWER: 5 * 60.0,
    Rung.DAEMON: 15 * 60.0,
}
"""Seconds between two uses of a rung. A restart of bluetoothd disturbs everything else that uses
Bluetooth, hence not oftener than the quarter of an hour in which blindness is told anyway."""

EXIT_LIVED: Final = HOUR
EXIT_DEAF: Final = 10 * 60.0
"""Leaving helps against a fault of our own process only: once it has lived an hour (so at most once
an hour, with nothing to remember) and was deaf for ten minutes."""

REBOOT_UP: Final = 6 * HOUR
REBOOT_DEAF: Final = 30 * 60.0
"""At most one reboot in 6 h (requirements, "Settled"): the machine must have been up so long, which
needs no record and no wall clock. The half hour leaves a technician's hand on the plug in peace."""

DECLINED: Final = 30.0
"""Seconds until a reboot is asked for again that was refused because of a commit."""

_BY_SILENCE = frozenset(Rung) - {Rung.START}
_GENTLE = frozenset({Rung.RESTART, Rung.FRESH})
_BY_REFUSAL = _BY_SILENCE - {Rung.RESTART}
_BY_ABSENCE = frozenset({Rung.FRESH, Rung.POWER, Rung.DAEMON, Rung.REBOOT})
_BY_POWER = _BY_ABSENCE - {Rung.FRESH}  # no new connection switches an adapter on
_BY_DAEMON = frozenset({Rung.DAEMON, Rung.REBOOT})
_ABSENT = frozenset({Trouble.DAEMON_GONE, Trouble.NO_ADAPTER, Trouble.POWERED_OFF})


class Ladder:
    """``step`` says what to do now; the caller does it and reports with ``done``.

    All moments are seconds of CLOCK_BOOTTIME, which the limits for leaving and rebooting rely on.
    """

    def __init__(
        self,
        now: float,
        usual: Usual,
        *,
        available: Collection[Rung] = tuple(Rung),
    ) -> None:
        """``available``: rungs for which this hub has a helper; the others are passed over."""
        self.usual = usual
        self.trouble: Trouble | None = None
        self.counts: dict[Rung, int] = dict.fromkeys(Rung, 0)
        self._available = frozenset(available)
        self._begun = now
        self._last = now
        self._listening = self._broken = False
        self._deaf: float | None = None
        self._level = Rung.START
        self._attempts = 0
        self._rounds = 0
        self._start_at: float | None = now
        self._climb_at = now
        self._started = now - SPACING
        self._used: dict[Rung, float] = {}

    # -- what happened ---------------------------------------------------------------------------

    def heard(self, now: float) -> bool:
        """A new advertisement, whoever sent it. Returns whether that ends a trouble."""
        if not self._listening:  # still on its way when the scanner was given up
            return False
        if not self._broken and self._level <= Rung.RESTART:
            # A gap that needed more than a restart was a fault and no habit of this home.
            self.usual.gap(now - self._last, now)
        self._last, self._broken = now, False
        if self.trouble is None:
            return False
        self.trouble, self._deaf = None, None
        self._level, self._attempts, self._rounds = Rung.START, 0, 0
        return True

    def gone(self, trouble: Trouble, now: float) -> None:
        """bluetoothd, the adapter or its power is missing: wait for it, then help."""
        self._fail(trouble, now)
        self._level, self._attempts, self._rounds = Rung.START, 0, 0
        self._start_at = None
        self._climb_at = now + GRACE

    def arrived(self, now: float) -> None:
        """What was missing is there (again), or the mode changed: start at once."""
        self._listening = False
        self._attempts = 0
        self._start_at = max(now, self._started + SPACING)

    def lost(self, trouble: Trouble, now: float) -> None:
        """The connection to BlueZ broke or hangs: a new one, soon."""
        self._fail(trouble, now)
        self._start_at = max(now, self._started + FIRST_RETRY)

    # -- what to do ------------------------------------------------------------------------------

    def step(self, now: float) -> Rung | None:
        """The rung to do now, or None until ``due``."""
        if self._start_at is not None:
            if now < self._start_at:
                return None
            self._start_at = None
            return self._use(Rung.START, now)
        if self._listening and self.trouble is None:
            if now - self._last < self.usual.limit:
                return None
            self._deaf = self._last
            self.trouble = Trouble.SILENT
            self._climb_at = now
        if now < self._climb_at:
            return None
        return self._climb(now)

    def done(self, failed: Trouble | None, now: float) -> None:
        """The rung that ``step`` gave was done. ``failed``: why no scanner runs after it."""
        if failed is None:
            self._listening = True
            self._attempts = 0
            self._last = now if self.trouble is None else self._last
            if self.trouble is not None:
                self.trouble = Trouble.SILENT  # it runs, but nothing was heard yet
            self._climb_at = now + self.patience
            return
        self._fail(failed, now)
        if self._start_at is not None:  # something came meanwhile: that start decides
            return
        if failed in _ABSENT:
            self._climb_at = now + GRACE
            return
        self._attempts += 1
        if self._attempts < STARTS:
            self._start_at = now + FIRST_RETRY * 2.0 ** (self._attempts - 1)
        else:
            self._attempts = 0
            self._climb_at = now

    def declined(self, now: float) -> None:
        """A reboot was refused because something is being written."""
        self._used.pop(Rung.REBOOT, None)
        self.counts[Rung.REBOOT] -= 1
        self._level = Rung.EXIT
        self._climb_at = now + DECLINED

    def due(self, now: float) -> float:
        """When to ask ``step`` again if nothing happens until then."""
        if self._start_at is not None:
            return max(now, self._start_at)
        if self._listening and self.trouble is None:
            return max(now, self._last + self.usual.limit)
        return max(now, self._climb_at)

    @property
    def listening(self) -> bool:
        """Whether a scanner runs, as far as is known."""
        return self._listening

    @property
    def patience(self) -> float:
        """Seconds that a remedy has to show an effect. Each must have this home's usual silence,
        and the further rounds of a trouble that no remedy ends are slower."""
        return min(CAP, self.usual.limit * 2.0**self._rounds)

    def _fail(self, trouble: Trouble, now: float) -> None:
        self._listening, self._broken = False, True
        self.trouble = trouble
        if self._deaf is None:
            self._deaf = now

    def _climb(self, now: float) -> Rung | None:
        for rung in self._above(self._level):
            if self._allowed(rung, now):
                self._level = rung
                return self._use(rung, now)
        if self._level > Rung.START:
            self._rounds = min(self._rounds + 1, 8)
            self._level = Rung.START
        self._climb_at = now + self.patience
        return None

    def _above(self, level: Rung) -> list[Rung]:
        if self.trouble is Trouble.SILENT:
            fitting = _GENTLE if self.usual.quiet_home else _BY_SILENCE
        elif self.trouble is Trouble.DAEMON_GONE:
            fitting = _BY_DAEMON
        elif self.trouble is Trouble.POWERED_OFF:
            fitting = _BY_POWER
        elif self.trouble in _ABSENT:
            fitting = _BY_ABSENCE
        else:
            fitting = _BY_REFUSAL
        return sorted(rung for rung in fitting & self._available if rung > level)

    def _allowed(self, rung: Rung, now: float) -> bool:
        deaf = 0.0 if self._deaf is None else now - self._deaf
        if rung is Rung.EXIT:
            return rung not in self._used and now - self._begun >= EXIT_LIVED and deaf >= EXIT_DEAF
        if rung is Rung.REBOOT:
            return rung not in self._used and now >= REBOOT_UP and deaf >= REBOOT_DEAF
        used = self._used.get(rung)
        return used is None or now - used >= EVERY[rung]

    def _use(self, rung: Rung, now: float) -> Rung:
        self._used[rung] = self._started = now
        self.counts[rung] += 1
        return rung
