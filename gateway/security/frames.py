"""Whether a sensor's frame may count: the guard against forged and replayed frames. Pure.

A replayed "motion" hides a fallen person, so a frame counts as life only if it cannot be an older
one (T1, T2). What protects a keyed sensor is the 32-bit counter inside its encryption:

* A frame whose check value (MIC) is false changes nothing, however many come. Decoders that give up
  on their counter after two false frames let the third, a replay, pass (bthome-ble 3.25, measured).
* The counter must rise. It is never lowered by itself, not near 0, not after any number of rising
  frames: who recorded an hour can replay an hour. The same counter passes only with another payload
  and only once (pvvx firmware sends two frames under one counter); such a frame is no event.
* An authentic frame with a lower counter is a replay, a changed battery or a 16-bit counter that
  wrapped, and nobody can tell which. The sensor is *set aside*: nothing it sends is life until a
  person on site re-arms it. Then the next frame within ``REARM_WINDOW`` is the new start (itself
  not life), and the counters used before stay known: until they are passed, steps may not be larger
  than the time that went by explains, and one counter may not carry two payloads. An old frame that
  is played then is found out at the sensor's own next one, which sets it aside again.
* A plain frame of a keyed sensor is refused and told.

After an unclean stop the counters of the last seconds are lost: observations wait up to a minute
for their commit ("Settled": journal cost). Storing each frame at once would wear the card out, and
an allowance of so and so many frames would be a guess. So counters are *reserved ahead*, as one
does for nonces: with each commit goes a mark that lies above the last counter. A frame counts as
life only if it is not above the mark on disk; above it, it is *held* until the next commit, which
is asked for at once. After a start, frames up to the stored mark may be replays of lost seconds:
they show that the sensor lives and may call for help, and are not life. A clean stop gives the
reservation back, so nothing is in doubt after it. How far ahead follows the sensor: what it sends
between two commits and up to four times that, at least ``AHEAD_LEAST`` counters. So after a pulled
plug a few minutes' frames of each sensor do not count, of one that seldom speaks the next four.

What no receiver can know: a frame that was recorded while we did not hear it (jamming, a hub that
is off or lost it with its plug, held) and is played before the sensor's next one, is new to us.
Jamming is told as blindness. And a sensor that was never heard before is believed to be where its
first frame says; that frame is not life. After a battery change only a new key closes the old
counters for good.

Packet ids (0 to 255) of sensors without a key tell repeats from news and no more: anybody can forge
them, so such sensors are never evidence (T1, the engine's rule) and are not set aside.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final

from msgspec import Struct

AHEAD_LEAST, AHEAD_MOST = 4, 1024
"""Counters reserved ahead. Four outlast the minute of a sensor that sends each 20 s; a sensor that
needs more asks for an early commit and gets twice as many."""

AHEAD_SHRINKS: Final = 3600.0
"""Seconds without such haste after which half as many are reserved."""

REARM_WINDOW: Final = 600.0
"""Seconds in which a re-armed sensor must be heard: the technician stands beside it [D]."""

STEP: Final = 64
STEP_RATE: Final = 1.0
"""Counters that a re-armed sensor may leap over at once and for each second since its last frame,
as long as its counters were in use before the battery change. One a second is more than sensors in
homes send; 64 is a burst of repeats with a counter each [D]."""

BAD_TOLD: Final = 3
"""False check values after which "bad-key" is told: one may be a damaged frame (CRC passes 1 in
2^24), three are a wrong key or somebody who tries."""

QUIET: Final = 600.0
"""Seconds without another bad or plain frame after which that fault is over."""

TRIES: Final = 10_000
TRY_RATE: Final = 1.0
"""False check values that are looked at in a burst, and each second. A MIC has 32 bits: 5,000 tries
a second would find one in ten days, one a second in 136 years."""

OLDER: Final = 60.0
"""Seconds in which a lower packet id is an older frame; later the sensor was out of reach."""

AGAIN: Final = 10.0
"""Seconds for which a plain frame without packet id is repeated; later it is a new event."""

_SEEN_ASIDE: Final = 64


class Reason(StrEnum):
    """Why a frame does not count."""

    REPEATED = "repeated"  # heard before: no news and no harm
    REPLAY = "replay"  # its counter lies below the last one: the sensor is set aside by it
    SET_ASIDE = "set-aside"  # the sensor waits for a person
    DOWNGRADE = "downgrade"  # a plain frame of a keyed sensor
    BAD_KEY = "bad-key"  # its check value is false
    FLOOD = "flood"  # not even looked at: too many false ones


class Accepted(Struct, frozen=True):
    """The frame may be told.

    ``fresh``  new, and it cannot be an older one: what it says is evidence of life
    ``sure``   False: it may be a replay of lost seconds. Only what calls for help is told.
    ``held``   it counts once the next commit is on disk (``FrameGuard.covers``)
    """

    fresh: bool
    sure: bool = True
    held: bool = False


class Refused(Struct, frozen=True):
    """The frame is not news and no sign of life, not even of the sensor. ``authentic``: it was made
    with the sensor's key, some time; it may still warn of fire and gas, never filtered (R24)."""

    reason: Reason
    authentic: bool = False


Verdict = Accepted | Refused

FRESH: Final = Accepted(fresh=True)
HELD: Final = Accepted(fresh=True, held=True)
SAME_COUNTER: Final = Accepted(fresh=False)
IN_DOUBT: Final = Accepted(fresh=False, sure=False)
_REPEATED: Final = Refused(Reason.REPEATED)
_REPLAY: Final = Refused(Reason.REPLAY, authentic=True)
_OLDER: Final = Refused(Reason.REPLAY)
_SET_ASIDE: Final = Refused(Reason.SET_ASIDE, authentic=True)
_DOWNGRADE: Final = Refused(Reason.DOWNGRADE)
_BAD_KEY: Final = Refused(Reason.BAD_KEY)
_FLOOD: Final = Refused(Reason.FLOOD)


class Kept(Struct, frozen=True):
    """What of a guard is on disk.

    ``last``     the last counter (or packet id); None: never heard
    ``reserve``  the mark: every frame that ever counted as life lies at or below it
    ``used``     highest counter that was in use before the last battery change; -1: none
    ``aside``    whether the sensor is set aside
    ``epoch``    in memory only: tells what is stored from before a re-arming
    """

    last: int | None = None
    reserve: int | None = None
    used: int = -1
    aside: bool = False
    epoch: int = 0


NOTHING: Final = Kept()


class FrameGuard:
    """One for each sensor. All times are seconds of one monotonic clock; ``away``: seconds between
    the end of the run before and ``now``, as far as known."""

    def __init__(
        self, *, keyed: bool, kept: Kept = NOTHING, now: float = 0.0, away: float = 0.0
    ) -> None:
        self.keyed = keyed
        self.aside = kept.aside
        self.refused: dict[Reason, int] = {}
        """How many frames were refused, by reason; since the start."""
        self._last = kept.last
        self._payloads: list[bytes] = []
        self._at = now - away
        self._used = kept.used
        self._doubt = max(-1 if kept.last is None else kept.last, kept.reserve or -1)
        self._durable: int | None = kept.reserve
        self._ahead = AHEAD_LEAST
        self._widened = now
        self._kept_last = kept.last
        self._epoch = 0
        self._armed_until = float("-inf")
        self._seen: deque[tuple[int, bytes]] = deque(maxlen=_SEEN_ASIDE)
        self._highest_aside = -1
        self._tries = float(TRIES)
        self._tried_at = now
        self._bad = 0
        # What the run before had told is unknown here, so the first judgement is always told.
        self._told: dict[str, bool] = {} if keyed else {"replay": False}
        self._trouble_at = {"bad-key": now - QUIET}
        if keyed:
            self._trouble_at["downgrade"] = now - QUIET
        self._news: list[tuple[str, bool]] = []

    # -- frames ----------------------------------------------------------------------------------

    def judge(self, counter: int | None, payload: bytes, now: float) -> Verdict:
        """A frame that was read. ``counter``: the encryption's if keyed, else packet id or None."""
        if self.keyed:
            if counter is None:
                return self.plain(now)
            verdict = self._judge_keyed(counter, payload, now)
        elif counter is None:
            verdict = self._judge_bytes(payload, now)
        else:
            verdict = self._judge_id(counter, payload, now)
        if isinstance(verdict, Refused):
            self._count(verdict.reason)
        else:
            self._at = now
            self._calm(now)
        return verdict

    def plain(self, now: float) -> Refused:
        """A plain frame of a keyed sensor: anybody could have sent it."""
        self._trouble("downgrade", now)
        self._count(Reason.DOWNGRADE)
        return _DOWNGRADE

    def bad_mic(self, now: float) -> Refused:
        """A frame whose check value is false. It changes nothing but counts."""
        self._tries -= 1
        self._bad += 1
        self._trouble_at["bad-key"] = now
        if self._bad >= BAD_TOLD:
            self._trouble("bad-key", now)
        self._count(Reason.BAD_KEY)
        return _BAD_KEY

    def may_try(self, now: float) -> Refused | None:
        """To be asked before a check value is looked at; None: go on."""
        if self._tries < TRIES:
            self._tries = min(TRIES, self._tries + (now - self._tried_at) * TRY_RATE)
        self._tried_at = now
        if self._tries >= 1:
            return None
        self._trouble("bad-key", now)
        self._count(Reason.FLOOD)
        return _FLOOD

    def _judge_keyed(self, counter: int, payload: bytes, now: float) -> Verdict:
        last = self._last
        armed = now <= self._armed_until
        if self.aside or armed:
            # What was heard before starts nothing: neither these very frames nor, where the counter
            # went on above the last one (it was no battery), any up to where it has come.
            heard = (counter, payload) in self._seen
            if heard or (counter == last and payload in self._payloads):
                return _REPEATED
            if not armed:
                return self._set_aside(counter, payload, _SET_ASIDE)
            if last is not None and last < counter <= self._highest_aside:
                return _REPEATED
            return self._start_anew(counter, payload)
        if last is None:
            self._advance(counter, payload)
            return IN_DOUBT
        if counter > last:
            # Asked of where it was, not of where it comes to: a leap over all used counters is one.
            if last < self._used and counter - last > STEP + STEP_RATE * (now - self._at):
                return self._set_aside(counter, payload)
            self._advance(counter, payload)
            if counter <= self._doubt:
                return IN_DOUBT
            return FRESH if self.covers(counter) else HELD
        if counter < last:
            return self._set_aside(counter, payload)
        if payload in self._payloads or not self._payloads:
            return _REPEATED
        if counter <= self._used:
            return self._set_aside(counter, payload)
        if len(self._payloads) > 1:
            return _REPEATED
        self._payloads.append(payload)
        return IN_DOUBT if counter <= self._doubt else SAME_COUNTER

    def _judge_id(self, id: int, payload: bytes, now: float) -> Verdict:
        last = self._last
        if last is None:
            self._advance(id, payload)
            return IN_DOUBT
        forward = (id - last) & 0xFF
        if not forward:
            if payload in self._payloads or not self._payloads or len(self._payloads) > 1:
                return _REPEATED
            self._payloads.append(payload)
            return SAME_COUNTER
        if forward < 128:
            self._advance(id, payload)
            return FRESH
        if now - self._at < OLDER:
            return _OLDER
        self._advance(id, payload)
        return IN_DOUBT

    def _judge_bytes(self, payload: bytes, now: float) -> Verdict:
        first = not self._payloads
        same = payload in self._payloads
        since, self._at = now - self._at, now
        if same and since < AGAIN:
            return _REPEATED
        self._payloads = [payload]
        return SAME_COUNTER if first else FRESH

    def _advance(self, counter: int, payload: bytes) -> None:
        self._last = counter
        self._payloads = [payload]

    def _set_aside(self, counter: int, payload: bytes, why: Refused = _REPLAY) -> Refused:
        self.aside = True
        self._tell("replay", True)
        self._seen.append((counter, payload))
        self._highest_aside = max(self._highest_aside, counter)
        self._used = max(self._used, counter)
        return why

    # -- re-arming -------------------------------------------------------------------------------

    def rearm(self, now: float) -> None:
        """A person on site vouches for the next frame. Only then may a counter start lower."""
        self._armed_until = now + REARM_WINDOW

    def _start_anew(self, counter: int, payload: bytes) -> Verdict:
        if self._last is not None and counter <= self._last:
            # What is in doubt may have been used too: in the seconds that a pulled plug lost.
            self._used = max(self._used, self._last, self._doubt)
            self._doubt = counter
            self._durable = None
            self._epoch += 1
        self._advance(counter, payload)
        self.aside = False
        self._armed_until = float("-inf")
        self._seen.clear()
        self._highest_aside = -1
        self._tell("replay", False)
        return IN_DOUBT

    # -- what is on disk -------------------------------------------------------------------------

    def covers(self, counter: int) -> bool:
        """Whether a frame with this counter may count as life: the mark on disk lies not below."""
        return self._durable is not None and counter <= self._durable

    @property
    def short(self) -> bool:
        """Whether a commit should come soon: the reservation is half used up."""
        if not self.keyed or self._last is None or self.aside:
            return False
        return self._durable is None or self._last > self._durable - self._ahead // 2

    def keep(self, now: float) -> Kept:
        """What the next commit shall store. Tell ``stored`` when it is on disk."""
        last = self._last
        if not self.keyed or last is None:
            return Kept(last)
        if self._kept_last is not None and last - self._kept_last > self._ahead // 2:
            self._ahead = min(AHEAD_MOST, 2 * self._ahead)
            self._widened = now
        elif now - self._widened >= AHEAD_SHRINKS:
            self._ahead = max(AHEAD_LEAST, self._ahead // 2)
            self._widened = now
        self._kept_last = last
        mark = max(self._doubt, last + self._ahead)
        if self._durable is not None:  # a mark may come down again if nothing above it counts
            self._durable = min(self._durable, mark)
        return Kept(last, mark, self._used, self.aside, self._epoch)

    def stored(self, kept: Kept) -> None:
        """``kept``, what was said to be kept last, is on disk."""
        if kept.epoch == self._epoch and kept.reserve is not None:
            self._durable = kept.reserve

    def release(self) -> Kept:
        """For the last commit before a clean stop: nothing stays reserved, no frame counts now."""
        self._durable = -1
        self._epoch += 1
        if not self.keyed or self._last is None:
            return Kept(self._last)
        # What was in doubt stays so, unless it has been passed.
        return Kept(self._last, max(self._last, self._doubt), self._used, self.aside, self._epoch)

    # -- faults ----------------------------------------------------------------------------------

    def faults(self) -> list[tuple[str, bool]]:
        """What began or ended since this was asked last: "replay", "downgrade", "bad-key"."""
        news, self._news = self._news, []
        return news

    def _calm(self, now: float) -> None:
        """A frame was accepted: troubles that have been quiet for long are over."""
        for fault, at in self._trouble_at.items():
            if now - at >= QUIET:
                self._tell(fault, False)
        if now - self._trouble_at["bad-key"] >= QUIET:
            self._bad = 0
        if "replay" not in self._told:
            self._tell("replay", False)

    def _trouble(self, fault: str, now: float) -> None:
        self._trouble_at[fault] = now
        self._tell(fault, True)

    def _tell(self, fault: str, present: bool) -> None:
        if self._told.get(fault) is not present:
            self._told[fault] = present
            self._news.append((fault, present))

    def _count(self, reason: Reason) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
