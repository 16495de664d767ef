"""The slow controller: brings a home into its budget of false alarms, whoever lives there.

A silence that ended well tells more than whether it was disturbed: it tells with which knob it
would have been. From the last weeks of such ends follows the knob that would have kept the budget.
It moves slowly and between bounds, and no ceiling knows of it (R18).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from gateway.domain.alert import Outcome
from gateway.engine.stopping import Knobs

QUESTIONS = 1.0 / 7.0
"""Budget of questions a day: one a week (docs/detection.md)."""
ALARMS = 1.0 / 30.4
"""Budget of false alarms at the centre a day: one a home-month (requirements, "Settled")."""
KEEP_DAYS = 60
KEEP_ENDS = 48
"""Only the ends that came nearest to an alarm matter; bounds the snapshot."""
PRIOR_DAYS = 30.0
"""What is known of other homes weighs as much as so many days of this one [D]."""
PRIOR_SHARE = 0.7
"""The share of its budget that an ordinary home spends with the knobs as they come."""
DOOR_SHARE = 0.3
"""The share of both budgets that absences may spend [D]."""
LEAST, MOST = 0.7, 4.0
"""A home's knobs stay between these multiples of the town's [D]."""
UP, DOWN = 1.06, 0.98
"""A day's change at most: half as much again in a week, back within three [D]."""
CAREFUL = 1.4
"""A home of which little is known begins with this multiple: a false alarm in the first week is
what makes people take the sensors down [D]."""
UNLEARNED_DAYS = 7.0
"""The first days tell how little is known of a home, and nothing about its knobs [D]."""
UNJUDGED_DAYS = 7
"""An alert that the resident ended by moving, and that nobody judged for so long, was false [D]."""

FALSE = frozenset(Outcome) - {Outcome.TRUE, Outcome.TEST, Outcome.UNKNOWN}


class End(Struct, array_like=True, frozen=True):
    """A silence that ended well on local day ``day``: the dearest knobs with which it would have
    been asked about and told, and what an asking then costs the centre."""

    day: int
    ask: float
    tell: float
    cost: float
    door: bool = False
    """Whether it began at the door: absences have a knob of their own."""


class Pending(Struct, array_like=True, frozen=True):
    """An end whose alert waits for the centre's judgement."""

    alert: str
    end: End


class Control(Struct):
    """``ask`` and ``tell`` multiply the town's knobs. ``days`` of watching, ``day`` the last."""

    ends: list[End] = []
    pending: list[Pending] = []
    ask: float = CAREFUL
    tell: float = CAREFUL
    door_ask: float = CAREFUL
    door_tell: float = CAREFUL
    day: int = -1
    days: float = 0.0

    def ended(self, end: End, alert: str | None) -> None:
        """A silence ended by the resident's own activity; ``alert`` had told the centre of it."""
        if self.days <= UNLEARNED_DAYS:
            return
        if alert is None:
            self.ends.append(end)
        else:
            self.pending = [*self.pending[-15:], Pending(alert, end)]

    def judged(self, alert: str, outcome: Outcome | None) -> None:
        """The centre closed an alert: a false one counts, anything else does not."""
        for pending in self.pending:
            if pending.alert == alert:
                self.pending.remove(pending)
                if outcome in FALSE:
                    self.ends.append(pending.end)
                return

    def turned(self, knobs: Knobs, door: bool) -> Knobs:
        """The town's knobs as this home needs them, inside or at the door."""
        ask, tell = (self.door_ask, self.door_tell) if door else (self.ask, self.tell)
        return structs.replace(
            knobs,
            ask=knobs.ask * ask,
            tell=knobs.tell * tell,
            tell_by_asking=knobs.tell_by_asking * ask,
        )

    def turn(self, day: int, knobs: Knobs, asks: bool) -> None:
        """A new local day: forget what is old and let the knobs move a little."""
        if day == self.day:
            return
        self.days = min(KEEP_DAYS + UNLEARNED_DAYS, self.days + 1.0)
        self.day = day
        for pending in [p for p in self.pending if day - p.end.day >= UNJUDGED_DAYS]:
            self.pending.remove(pending)
            self.ends.append(pending.end)
        kept = [end for end in self.ends if abs(day - end.day) <= KEEP_DAYS]
        asking = knobs.tell_by_asking if asks else knobs.ask  # the one that ``ask`` multiplies
        kept.sort(key=lambda end: max(end.ask / asking, end.tell / knobs.tell), reverse=True)
        self.ends = kept[:KEEP_ENDS]
        days = max(0.0, self.days - UNLEARNED_DAYS)
        inside = [end for end in self.ends if not end.door]
        door = [end for end in self.ends if end.door]
        home = 1.0 - DOOR_SHARE
        tells = [(end.tell, 1.0) for end in inside]
        wanted = _fitting(tells, knobs.tell, ALARMS * home, days)
        self.tell = _towards(self.tell, wanted)
        once = [(end.ask, 1.0) for end in inside]
        if asks:
            costs = [(end.ask, end.cost) for end in inside]
            wanted = max(
                _fitting(once, asking, QUESTIONS * home, days),
                _fitting(costs, asking, ALARMS * home, days),
            )
        else:
            wanted = _fitting(once, asking, QUESTIONS * home, days)
        self.ask = _towards(self.ask, wanted)
        tells = [(end.tell, 1.0) for end in door]
        self.door_tell = _towards(
            self.door_tell, _fitting(tells, knobs.tell, ALARMS * DOOR_SHARE, days)
        )
        once = [(end.ask, 1.0) for end in door]
        self.door_ask = _towards(
            self.door_ask, _fitting(once, asking, QUESTIONS * DOOR_SHARE, days)
        )


def _fitting(
    scores: Sequence[tuple[float, float]], knob: float, budget: float, days: float
) -> float:
    """The least multiple of ``knob`` that would have kept ``budget`` a day."""
    allowed = budget * (days + PRIOR_DAYS)
    for multiple in _multiples():
        spent = sum(cost for score, cost in scores if score > knob * multiple)
        if spent + PRIOR_SHARE * budget * PRIOR_DAYS / multiple <= allowed:
            return multiple
    return MOST


def _multiples() -> Iterable[float]:
    multiple = LEAST
    while multiple < MOST:
        yield multiple
        multiple *= 1.05


def _towards(now: float, wanted: float) -> float:
    return round(min(max(wanted, now * DOWN), now * UP), 4)
