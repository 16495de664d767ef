"""The inactivity clock: how long nobody moved, and how much of it was seen."""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.alert import Outcome
from gateway.domain.instant import HOUR
from gateway.domain.sensor import Room
from gateway.engine.stopping import Outlook

WELFARE_BLIND = 1 * HOUR
"""Seconds of blindness after which a home that was quiet before becomes ``welfare.unknown``
(R15)."""


class Silence(Struct):
    """The present silence. All times in engine seconds.

    The clock stands still while the home is not seen or the watch is paused: an alert about
    inactivity rests on seen silence only (R15), what is not known is told as not known.

    ``since``     last activity, or the start of the watch if there was none yet
    ``active``    whether ``since`` was an activity
    ``blind`` and ``paused``  seconds of this silence that were blind, or paused
    ``stopped``   since when the clock stands still, None while it runs
    ``level``     level reached by this silence (0 to 3)
    ``told``      id of the alert by which the centre was told of it
    ``closed``    seconds of seen silence at which the centre closed that alert, with ``outcome``;
                  None while it has not
    ``visited``   whether a visit fell into this silence: then it teaches nothing (T15)
    ``unseen``    whether part of it was blind or paused, before an answer set the clock back
    ``foreseen``  whether the model was asked about this silence
    ``outlook``   what it then said: seconds of seen silence for levels 1 and 2
    ``began``     the last activity, whatever the resident answered since then; an answer only
                  sets ``since``
    ``first``     the outlook that was made before any answer
    ``question``  seconds of seen silence at which the resident was asked; None while not
    ``asked``     local seconds of that question
    """

    since: float = 0.0
    active: bool = False
    began: float = 0.0
    room: Room | None = None
    sensor: str | None = None
    blind: float = 0.0
    paused: float = 0.0
    stopped: float | None = None
    is_blind: bool = False
    is_paused: bool = False
    level: int = 0
    told: str | None = None
    closed: float | None = None
    outcome: Outcome | None = None
    visited: bool = False
    unseen: bool = False
    foreseen: bool = False
    outlook: Outlook | None = None
    first: Outlook | None = None
    question: float | None = None
    asked: float = 0.0

    def restart(self, t: float, room: Room, sensor: str) -> None:
        """Somebody moved: a new silence begins."""
        self._again(t)
        self.began = t
        self.visited = self.unseen = False
        self.tell(None)
        self.first = None
        self.asked = 0.0
        self.active = True
        self.room = room
        self.sensor = sensor

    def answered(self, t: float) -> None:
        """The resident is well, and as still as before: the clock begins anew."""
        self.unseen = self.is_unseen
        self._again(t)

    def tell(self, alert: str | None) -> None:
        """The centre is told of this silence by another alert, or of the next one by none yet."""
        if alert != self.told:
            self.closed = self.outcome = None
        self.told = alert

    def slept(self, missing: float, rebooted: float, unseen: bool) -> None:
        """What was before ``rebooted`` is ``missing`` seconds older than it seemed."""
        if self.began < rebooted:
            self.began -= missing
            self.unseen = self.unseen or unseen
        if self.since < rebooted:
            self.since -= missing
            if unseen:
                self.add_blind(missing)

    @property
    def is_unseen(self) -> bool:
        """Whether part of this silence was blind or paused."""
        now = self.blind > 0.0 or self.paused > 0.0 or self.stopped is not None
        return self.unseen or now

    @property
    def is_spoilt(self) -> bool:
        """Whether it says nothing about how long such silences last (T15)."""
        return self.visited or self.is_unseen

    def _again(self, t: float) -> None:
        self.since = t
        self.blind = self.paused = 0.0
        if self.stopped is not None:
            self.stopped = t
        self.level = 0
        self.foreseen = False
        self.outlook = None
        self.question = None

    def seen(self, t: float) -> float:
        """Seconds of this silence during which the home was seen and watched."""
        end = t if self.stopped is None else self.stopped
        return max(0.0, end - self.since - self.blind - self.paused)

    def unpaused(self, t: float) -> float:
        """Seconds of this silence without the paused ones, seen or not."""
        paused = self.paused
        if self.is_paused and self.stopped is not None:
            paused += t - self.stopped
        return max(0.0, t - self.since - paused)

    def reached(self, seen: float) -> float | None:
        """Engine second at which ``seen`` seconds will have been seen; None while it stands."""
        if self.stopped is not None:
            return None
        return self.since + self.blind + self.paused + seen

    def set_blind(self, t: float, blind: bool) -> None:
        """The home is no longer seen, or seen again, from ``t`` on."""
        self._settle(t)
        self.is_blind = blind
        self.stopped = t if self.is_blind or self.is_paused else None

    def set_paused(self, t: float, paused: bool) -> None:
        """The watch is paused, or goes on, from ``t`` on."""
        self._settle(t)
        self.is_paused = paused
        self.stopped = t if self.is_blind or self.is_paused else None

    def add_blind(self, seconds: float) -> None:
        """Time in which the hub itself was off."""
        self.blind += seconds

    def blind_seconds(self, t: float) -> float:
        """Seconds of this silence that were blind and not paused."""
        running = self.is_blind and not self.is_paused and self.stopped is not None
        return self.blind + (t - self.stopped if running and self.stopped is not None else 0.0)

    def _settle(self, t: float) -> None:
        if self.stopped is None:
            return
        gone = max(0.0, t - self.stopped)
        if self.is_paused:  # nobody wanted to be watched: that counts before being unseen
            self.paused += gone
        else:
            self.blind += gone
        self.stopped = t
