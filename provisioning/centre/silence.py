"""Which homes are watched, and when a hub's silence is told. Pure: facts and time come in.

The centre counts "not watching" and silence alike (requirements, "Settled"). Times are wall seconds
of the centre's own clock at which something arrived; a hub's clock is never believed for this.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

INTERVAL = 300.0
"""Seconds between two heartbeats until a hub says another figure (R1)."""

LONGEST_INTERVAL = 86400.0
"""Seconds: the longest interval that R1 allows; a hub cannot talk itself out of being missed."""

MISSED = 2
GRACE = 60.0
"""A hub is silent after two missed heartbeats and 60 s: 11 minutes at 300 s (R1)."""

HOLD = 5.0
"""Seconds that ``lost`` must last before it is told. With keep-alive 50 s the broker sends the will
after about 78 s, so the notice comes within the 90 s of R1."""

HOLD_TOLD_BY_HUB = 900.0
"""Seconds before a hub's own "not watching" is told by us too: it raises an alert itself within
15 minutes (R15), and a home that has just started is honestly not watched for a while."""

STORM_LEAST = 5
STORM_SHARE = 0.1
STORM_WINDOW = 60.0
"""A common cause (power, network, broker) is assumed if within a minute five hubs fall silent and
they are a tenth of all: then one notice names them all instead of one each."""

STORM_PATIENCE = 600.0
"""Seconds after which those that did not come back are told once more, again in one notice."""

UNTOLD = frozenset({"paused", "waiting"})
"""Not watching, but nobody needs to be told: the resident's right, and a hub that is just new."""


class Facts(Struct, frozen=True):
    """What is known of a hub. ``state`` is the last of online, offline, lost."""

    hub: str
    first_seen: float
    state: str | None = None
    state_at: float | None = None
    online_at: float | None = None
    heartbeat_at: float | None = None
    watching: bool = False
    reasons: tuple[str, ...] = ()
    interval: float | None = None


class Judgement(Struct, frozen=True):
    """``why`` is empty while watching; else offline, lost, silent, waiting, paused or the reasons
    of the heartbeat. ``hold`` seconds until it is told."""

    watching: bool
    why: str = ""
    hold: float = 0.0


class Notice(Struct, frozen=True):
    """Something the towns must hear from the centre itself. ``kind``: "silence" (one hub), "storm"
    (many at once) or "still silent" (of a storm)."""

    kind: str
    hubs: tuple[str, ...]
    why: str


def limit(interval: float | None) -> float:
    """Seconds of silence after which a hub that seems connected counts as hung."""
    known = INTERVAL if interval is None else min(max(interval, 1.0), LONGEST_INTERVAL)
    return MISSED * known + GRACE


def judge(facts: Facts, now: float, listening_since: float) -> Judgement:
    """Whether a home is watched. ``listening_since``: since when we could have heard anything; the
    time in which we were not there is nobody's silence but ours."""
    heard = max(
        facts.heartbeat_at or 0.0,
        facts.online_at or 0.0,
        facts.first_seen if facts.heartbeat_at is None else 0.0,
    )
    if facts.state in ("lost", "offline") and (facts.state_at or 0.0) >= heard:
        return Judgement(False, facts.state, HOLD)
    if now - max(heard, listening_since) > limit(facts.interval):
        return Judgement(False, "silent")
    if facts.heartbeat_at is None:
        return Judgement(False, "waiting")
    if not facts.watching:
        why = "+".join(sorted(facts.reasons)) or "unsaid"
        return Judgement(False, why, HOLD_TOLD_BY_HUB)
    return Judgement(True)


class _Out(Struct):
    why: str
    since: float
    hold: float
    told: float | None = None


class Watchman:
    """Remembers who is out and what was told, so that each silence is told once."""

    def __init__(self) -> None:
        self._out: dict[str, _Out] = {}
        self._storm: set[str] = set()
        self._storm_began: float | None = None

    def told_before(self, hub: str, why: str, since: float) -> None:
        """A centre that ran before told this silence already."""
        self._out[hub] = _Out(why, since, HOLD, told=since)

    def look(
        self, facts: Iterable[Facts], now: float, listening_since: float
    ) -> tuple[dict[str, Judgement], list[Notice]]:
        """Judge every hub; say what is to be told now."""
        judgements = {one.hub: judge(one, now, listening_since) for one in facts}
        fresh: list[str] = []
        for hub, judgement in judgements.items():
            if judgement.watching or judgement.why in UNTOLD:
                self._out.pop(hub, None)
                self._storm.discard(hub)
                continue
            out = self._out.setdefault(hub, _Out(judgement.why, now, judgement.hold))
            out.why, out.hold = judgement.why, judgement.hold
            if out.told is None and now - out.since >= judgement.hold:
                fresh.append(hub)
        for hub in fresh:
            self._out[hub].told = now
        return judgements, [*self._tell(fresh, len(judgements), now), *self._after(now)]

    def _tell(self, fresh: list[str], homes: int, now: float) -> list[Notice]:
        if self._storm_began is not None:
            self._storm.update(fresh)
            return []
        falling = [h for h, out in self._out.items() if _falling(out, now)]
        if fresh and len(falling) >= max(STORM_LEAST, STORM_SHARE * homes):
            self._storm_began = now
            self._storm = set(falling) | set(fresh)
            for hub in falling:
                self._out[hub].told = now
            return [Notice("storm", tuple(sorted(self._storm)), self._whys())]
        return [Notice("silence", (hub,), self._out[hub].why) for hub in fresh]

    def _after(self, now: float) -> list[Notice]:
        if self._storm_began is None or now - self._storm_began < STORM_PATIENCE:
            return []
        self._storm_began = None
        left, why = tuple(sorted(self._storm)), self._whys()
        self._storm = set()
        return [Notice("still silent", left, why)] if left else []

    def _whys(self) -> str:
        return ", ".join(sorted({self._out[h].why for h in self._storm if h in self._out}))


def _falling(out: _Out, now: float) -> bool:
    """Told within the window, or about to be told."""
    if out.told is not None:
        return now - out.told <= STORM_WINDOW
    return out.hold <= HOLD and now - out.since <= STORM_WINDOW
