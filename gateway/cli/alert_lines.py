"""How ``ansim replay`` writes alerts: JSON Lines for programs, lines of text for people."""

from __future__ import annotations

from typing import Protocol

import msgspec

from gateway.contract.sentences import sentence
from gateway.domain.alert import Alert, AlertState
from gateway.domain.instant import iso
from gateway.languages import mark, translator
from gateway.runtime.replay import line

STATES = {
    AlertState.RAISED: mark("raised"),
    AlertState.ESCALATED: mark("escalated"),
    AlertState.CLEARED: mark("cleared"),
    AlertState.ACCEPTED: mark("accepted"),
    AlertState.ACTING: mark("acting"),
    AlertState.CLOSED: mark("closed"),
}


class Lines(Protocol):
    """Turns alerts into lines; each ends with a line break."""

    def alert(self, alert: Alert, utc_offset: int) -> str: ...

    def end(self, observations: int, ignored: int) -> str: ...


class JsonLines:
    """One object a line and nothing else."""

    def alert(self, alert: Alert, utc_offset: int) -> str:
        return msgspec.json.encode(line(alert, utc_offset)).decode() + "\n"

    def end(self, observations: int, ignored: int) -> str:  # noqa: ARG002
        return ""


class TextLines:
    """Time, level, state, type and the sentence that an operator would read."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._translate = translator(language)
        self._ids: set[str] = set()

    def alert(self, alert: Alert, utc_offset: int) -> str:
        self._ids.add(alert.id)
        at = iso(alert.at.wall, utc_offset)[:16].replace("T", " ")
        state = self._translate(STATES[alert.state])
        what = sentence(alert, self._language)
        return f"{at}  {int(alert.level)}  {state:<9}  {alert.type:<18}  {what}\n"

    def end(self, observations: int, ignored: int) -> str:
        _ = self._translate
        text = _("{observations} observations, {alerts} alerts.").format(
            observations=observations, alerts=len(self._ids)
        )
        if ignored:
            text += " " + _(
                "{count} readings were of sensors that the settings do not list."
            ).format(count=ignored)
        return text + "\n"
