"""From the bouncing level of one pin to clean changes. Pure: time comes in as an argument.

A level has to be *earned*: an account is filled while the pin says yes and emptied while it says
no, both as fast as time goes by, and the state changes when the account is full or empty. Against
the usual rule ("stable for so long, any bounce starts again") that loses no press behind a worn
contact which crackles all the time, and it tells the same on a clean edge: exactly ``hold`` later.
A spike shorter than ``hold`` changes nothing, and two presses are told only if the pin said no for
``hold`` in between.

gpiozero's own ``bounce_time`` is not used: it throws edges away before anybody can judge them.
"""

from __future__ import annotations

from msgspec import Struct

EPSILON = 1e-6
"""Seconds: far below any bounce, far above what is lost by adding seconds since boot (1e-9)."""


class Flip(Struct, frozen=True):
    """The debounced state changed: when, and to what. ``fresh`` is False where the change was only
    found by reading the level again, or is the first state after a start."""

    at: float
    on: bool
    fresh: bool = True


class Debouncer:
    """The account of one pin. Times are seconds of one clock and never go back."""

    def __init__(self, hold: float) -> None:
        """``hold``: seconds that a level must have over the other to count."""
        self.hold = hold
        self.state: bool | None = None
        self._level: bool | None = None
        self._account = 0.0
        self._at = 0.0

    @property
    def level(self) -> bool | None:
        """What the pin said last; None before the first time and while it cannot be read."""
        return self._level

    def feed(self, at: float, level: bool) -> tuple[Flip, ...]:
        """The pin says ``level`` from now on. Returns what became certain up to now."""
        flips = self.settle(at)
        if level == self._level:
            return flips
        if self.state is None:
            self._account = 0.0 if level else self.hold  # the first state is earned in full
        elif self._level is None:
            self._account = self.hold if self.state else 0.0
        self._at = max(self._at, at)
        self._level = level
        return flips + self.settle(self._at)

    def settle(self, at: float) -> tuple[Flip, ...]:
        """Time went on to ``at`` without another edge. Returns at most one change."""
        passed = at - self._at
        if self._level is None or passed < 0:
            return ()
        start, before = self._at, self._account
        self._at = at
        if self._level:
            self._account = min(self.hold, before + passed)
            earned = self._account >= self.hold - EPSILON
            needed = self.hold - before
        else:
            self._account = max(0.0, before - passed)
            earned = self._account <= EPSILON
            needed = before
        if not earned or self.state == self._level:
            return ()
        self._account = self.hold if self._level else 0.0
        self.state = self._level
        return (Flip(min(at, start + needed), self._level),)

    def forget(self, at: float) -> tuple[Flip, ...]:
        """The pin cannot be read any more: the state stays, what was half earned does not."""
        flips = self.settle(at)
        self._level = None
        return flips

    def due(self) -> float | None:
        """When the state changes if no edge comes; None if it stays."""
        if self._level is None or self.state == self._level:
            return None
        return self._at + (self.hold - self._account if self._level else self._account)


HEAL = 0.5
"""Seconds for which a level that was read must differ from what the edges say before the edges are
taken for lost. The callback's way through its thread takes milliseconds, at worst a tenth of a
second in a hub that is busy; a level is read each second, so two readings in a row decide."""

RESTLESS = 10.0
"""Seconds without a single quiet moment after which a pin is taken for a loose or open wire [D]:
switches bounce for milliseconds, a worn one for a fraction of a second."""

QUIET = 10.0
"""Seconds of quiet after which a restless pin is believed again [D]."""


class Contact:
    """One pin as a contact that says yes or no: debounced, with lost edges healed."""

    def __init__(self, hold: float, *, active_high: bool) -> None:
        """``active_high``: whether the high level is the yes."""
        self._debouncer = Debouncer(hold)
        self._active_high = active_high
        self._fresh = False
        self._doubt: float | None = None
        self._edge_at: float | None = None
        self._restless_since: float | None = None
        self._hold = hold
        self.restless = False
        self.healed = 0

    @property
    def state(self) -> bool | None:
        """Whether it says yes; None until that was ever certain."""
        return self._debouncer.state

    def edge(self, at: float, high: bool) -> tuple[Flip, ...]:
        """The pin changed, says the kernel."""
        self._notice(at)
        self._doubt = None
        yes = high == self._active_high
        told = self.settle(at)
        level = self._debouncer.level
        if level is None:  # from before the pin was opened: the first reading is still to come
            return told
        if yes != level or self.state is not None:
            self._fresh = True  # also where the edge comes after the reading that healed it
        return told + self._told(self._debouncer.feed(at, yes))

    def read(self, at: float, high: bool) -> tuple[Flip, ...]:
        """The pin's level was read. It counts if it is the first one after a start or a failure,
        or if it contradicts the edges twice in a row."""
        yes = high == self._active_high
        told = self.settle(at)
        level = self._debouncer.level
        if level is None:
            self._fresh = False
            return told + self._told(self._debouncer.feed(at, yes))
        if level == yes:
            self._doubt = None
            return told
        if self._doubt is None:
            self._doubt = at
            return told
        if at - self._doubt < HEAL:
            return told
        self._doubt = None
        self.healed += 1
        self._fresh = False
        return told + self._told(self._debouncer.feed(at, yes))

    def settle(self, at: float) -> tuple[Flip, ...]:
        """Time went on."""
        if self.restless and self._edge_at is not None and at >= self._edge_at + QUIET:
            self.restless = False
        return self._told(self._debouncer.settle(at))

    def forget(self, at: float) -> tuple[Flip, ...]:
        """The pin cannot be read any more."""
        self._doubt = None
        return self._told(self._debouncer.forget(at))

    def due(self) -> float | None:
        """When something changes by time alone."""
        times = [self._debouncer.due()]
        if self.restless and self._edge_at is not None:
            times.append(self._edge_at + QUIET)
        return min((time for time in times if time is not None), default=None)

    def _notice(self, at: float) -> None:
        """Whether the pin ever comes to rest."""
        quiet = self._edge_at is None or at - self._edge_at >= max(self._hold, EPSILON)
        if quiet or self._restless_since is None:
            self._restless_since = at
        self._edge_at = at
        if at - self._restless_since >= RESTLESS:
            self.restless = True

    def _told(self, flips: tuple[Flip, ...]) -> tuple[Flip, ...]:
        if self._fresh:
            return flips
        return tuple(Flip(flip.at, flip.on, fresh=False) for flip in flips)
