"""The life of alerts: one condition is one alert with versions, never a new one each hour."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert, AlertState, AlertType, Explanation, Level, Quiet
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.observation import AnswerState, CentreAnswered
from gateway.engine.ladders import NAMED, REPEATED, Rung

LATCHED_MOST = 500
"""Ended alerts of level 3 and up that wait here to be closed. The journal keeps them all; the
engine forgets the oldest beyond this, so that its memory stays bounded."""

PRESSED_AGAIN = 10.0
"""Seconds after a press in which further ones are only counted: a button that is stuck, or hammered
in panic, must not fill the card with versions of one call [D]."""

MOMENTARY = frozenset({"help"})
"""Conditions without an end of their own: the centre's closing ends them."""

_STATES = {
    AnswerState.ACCEPTED: AlertState.ACCEPTED,
    AnswerState.ACTING: AlertState.ACTING,
    AnswerState.CLOSED: AlertState.CLOSED,
}


class Context(Struct, frozen=True):
    """What every alert tells beside its cause."""

    instant: Instant
    quiet: Quiet
    suspect: tuple[str, ...]
    away: bool | None


class Condition(Struct):
    """Something that is the case. ``since`` in engine seconds; ``rung`` is the next one to climb;
    ``alert`` its alert's last version, None before the first rung; ``told`` when it was last told
    for a press, or because it is told daily."""

    family: str
    subject: str
    since: float
    rung: int = 0
    alert: Alert | None = None
    told: float = 0.0


class Book(Struct):
    """All conditions that hold, and the alerts that outlived theirs. ``made`` alerts came about
    at engine second ``moment``."""

    moment: float = -1.0
    made: int = 0
    conditions: dict[str, Condition] = {}
    latched: dict[str, Alert] = {}


def key_of(family: str, subject: str) -> str:
    """The name under which a condition stands in the book."""
    return f"{family}:{subject}"


class Alerts:
    """Raises, escalates, clears and closes. Every change is one version, handed to ``emit``."""

    def __init__(
        self,
        book: Book,
        hub: str,
        ladders: dict[str, tuple[Rung, ...]],
        context: Callable[[float], Context],
        emit: Callable[[Alert], None],
        days_left: Callable[[str, float], int | None],
        explain: Callable[[Alert, float], Explanation | None],
    ) -> None:
        self._explain = explain
        self._days_left = days_left
        self._book = book
        self._hub = hub
        self._ladders = ladders
        self._context = context
        self._emit = emit

    def holds(self, family: str, subject: str = "") -> bool:
        """Whether this condition holds."""
        return key_of(family, subject) in self._book.conditions

    def id_of(self, family: str, subject: str = "") -> str | None:
        """The id of this condition's alert, if it holds and has one."""
        condition = self._book.conditions.get(key_of(family, subject))
        return None if condition is None or condition.alert is None else condition.alert.id

    def level_of(self, family: str, subject: str = "") -> Level:
        """The level of this condition's alert; a note while it has none."""
        condition = self._book.conditions.get(key_of(family, subject))
        return Level.NOTE if condition is None or condition.alert is None else condition.alert.level

    def start(
        self, family: str, now: float, *, subject: str = "", since: float | None = None
    ) -> None:
        """A condition begins to hold, or did so ``since``. Again has no effect."""
        key = key_of(family, subject)
        if key not in self._book.conditions:
            begun = now if since is None else since
            self._book.conditions[key] = Condition(family, subject, begun)
            self._climb(self._book.conditions[key], now)

    def stop(self, family: str, now: float, *, subject: str = "", because: str = "") -> None:
        """A condition no longer holds: its alert clears; level 3 and up stays until closed."""
        condition = self._book.conditions.pop(key_of(family, subject), None)
        if condition is None or condition.alert is None or not condition.alert.open:
            return
        alert = condition.alert
        because = NAMED.get(family, because)
        stays = alert.level >= Level.ALARM
        self._change(
            condition, now, state=AlertState.CLEARED, because=because, cause=False, open=stays
        )
        if stays:
            self._latch(condition.alert)

    def raise_to(
        self,
        family: str,
        now: float,
        alert_type: AlertType,
        level: Level,
        because: str,
        *,
        since: float,
        subject: str = "",
    ) -> None:
        """Bring a condition's alert to a level: a new alert, or the next version of the open one.
        A lower or equal level has no effect on an open alert."""
        key = key_of(family, subject)
        condition = self._book.conditions.get(key)
        if condition is None:
            condition = self._book.conditions[key] = Condition(family, subject, since)
        alert = condition.alert
        if alert is not None and alert.open:
            if level > alert.level:
                state = AlertState.ESCALATED
                self._change(
                    condition, now, state=state, because=because, type=alert_type, level=level
                )
                condition.told = now
            return
        context = self._context(now)
        at = context.instant
        made = Alert(
            id=self._id(at, now, family, subject),
            version=1,
            type=alert_type,
            level=level,
            state=AlertState.RAISED,
            at=at,
            raised=at,
            subject=subject,
            because=because,
            quiet=context.quiet,
            suspect=context.suspect,
            away=context.away,
            presses=1 if family in MOMENTARY else 0,
            days_left=self._days(alert_type, subject, now),
        )
        condition.told = now
        condition.alert = self._tell(made, now)

    def press(self, family: str, subject: str, now: float) -> None:
        """A call for help: a new alert, or the open one told again with one press more."""
        condition = self._book.conditions.get(key_of(family, subject))
        if condition is not None and condition.alert is not None and condition.alert.open:
            presses = condition.alert.presses + 1
            if now - condition.told < PRESSED_AGAIN:
                condition.alert = msgspec.structs.replace(condition.alert, presses=presses)
                return
            condition.told = now
            self._change(
                condition, now, state=AlertState.RAISED, because="pressed again", presses=presses
            )
        else:
            self.start(family, now, subject=subject)
            self._book.conditions[key_of(family, subject)].told = now

    def answer(self, answer: CentreAnswered, now: float) -> None:
        """The centre's people accepted, act on or closed an alert. An id that is not open here
        (closed before, or another hub's) has no effect."""
        state = _STATES.get(answer.state)
        if state is None:
            return  # rejected: the message was not taken; that is the outbox's business
        closing = state is AlertState.CLOSED
        latched = self._book.latched.get(answer.alert_id)
        if latched is not None:
            self._book.latched[latched.id] = self._next(
                latched, now, **_answered(answer, state, closing)
            )
            if closing:
                del self._book.latched[latched.id]
            return
        for key, condition in self._book.conditions.items():
            if condition.alert is not None and condition.alert.id == answer.alert_id:
                if condition.alert.open:
                    self._change(condition, now, **_answered(answer, state, closing))
                    if closing and condition.family in MOMENTARY:
                        del self._book.conditions[key]
                return

    def climb(self, now: float) -> None:
        """Let every condition reach the rungs that are due, and tell again what is told daily."""
        for condition in list(self._book.conditions.values()):
            self._climb(condition, now)
            again = _again(condition)
            if again is not None and again <= now:
                condition.told = now
                self._change(condition, now, because="daily")

    def due(self) -> float | None:
        """Engine second of the next rung or repetition; None if there is none."""
        times: list[float] = []
        for condition in self._book.conditions.values():
            if condition.rung < len(rungs := self._ladders.get(condition.family, ())):
                times.append(condition.since + rungs[condition.rung].after)
            if condition.family in REPEATED and (again := _again(condition)) is not None:
                times.append(again)
        return min(times, default=None)

    def open_alerts(self) -> list[Alert]:
        """The last version of every alert that still wants something."""
        held = (condition.alert for condition in self._book.conditions.values())
        return [a for a in held if a is not None and a.open] + list(self._book.latched.values())

    def _climb(self, condition: Condition, now: float) -> None:
        rungs = self._ladders.get(condition.family, ())
        while condition.rung < len(rungs) and condition.since + rungs[condition.rung].after <= now:
            rung = rungs[condition.rung]
            condition.rung += 1
            because = "lasts" if rung.after else "began"
            if condition.family in MOMENTARY:
                because = "pressed"
            self.raise_to(
                condition.family,
                now,
                rung.type,
                rung.level,
                NAMED.get(condition.family, because),
                since=condition.since,
                subject=condition.subject,
            )

    def _change(self, condition: Condition, now: float, **fields: object) -> None:
        if condition.alert is not None:
            condition.alert = self._next(condition.alert, now, **fields)

    def _next(self, alert: Alert, now: float, **fields: object) -> Alert:
        context = self._context(now)
        changed = msgspec.structs.replace(
            alert,
            version=alert.version + 1,
            at=context.instant,
            quiet=context.quiet,
            suspect=context.suspect,
            away=context.away,
            days_left=self._days(alert.type, alert.subject, now),
            **fields,
        )
        return self._tell(changed, now)

    def _tell(self, alert: Alert, now: float) -> Alert:
        """The version with its explanation, handed on."""
        explanation = self._explain(alert, now)
        if explanation is not alert.explanation:
            alert = msgspec.structs.replace(alert, explanation=explanation)
        self._emit(alert)
        return alert

    def _days(self, alert_type: AlertType, subject: str, now: float) -> int | None:
        battery = alert_type is AlertType.TECH_SENSOR_BATTERY
        return self._days_left(subject, now) if battery else None

    def _id(self, at: Instant, now: float, family: str, subject: str) -> str:
        """An id from what the alert is about and when it began, not from how many there were
        before: an engine rebuilt from a journal that forgot its oldest days makes the same."""
        book = self._book
        book.made = book.made + 1 if book.moment == now else 1
        book.moment = now
        return ulid(at.wall, self._hub, at.boot, round(at.boottime, 3), family, subject, book.made)

    def _latch(self, alert: Alert) -> None:
        latched = self._book.latched
        latched[alert.id] = alert
        while len(latched) > LATCHED_MOST:
            del latched[next(iter(latched))]


def _again(condition: Condition) -> float | None:
    """Engine second at which an open alert is told again. One that the centre closed is not: its
    people took the matter on, and a battery that dies for all that is a lost sensor."""
    after = REPEATED.get(condition.family)
    if after is None or condition.alert is None or not condition.alert.open:
        return None
    return condition.told + after


def _answered(answer: CentreAnswered, state: AlertState, closing: bool) -> dict[str, object]:
    fields: dict[str, object] = {"state": state, "because": "answered", "by": answer.by}
    if closing:
        fields |= {"open": False, "outcome": answer.outcome, "service": answer.service}
    return fields
