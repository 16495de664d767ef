"""The contract's words as an operator reads them."""

from __future__ import annotations

from collections.abc import Callable

from gateway.domain.alert import Outcome
from gateway.languages import mark

LEVELS = {
    0: (mark("note"), "dim"),
    1: (mark("watch"), "cyan"),
    2: (mark("warning"), "yellow"),
    3: (mark("alarm"), "bold red"),
    4: (mark("emergency"), "bold white on red"),
}
"""Name and style by level. The level's number is always told too: never colour alone."""

STATES = {
    "raised": mark("raised"),
    "escalated": mark("escalated"),
    "cleared": mark("cause gone"),
    "accepted": mark("accepted"),
    "acting": mark("acting"),
    "closed": mark("closed"),
}

OUTCOMES = {
    Outcome.TRUE: mark("true"),
    Outcome.FALSE_AWAY: mark("was away"),
    Outcome.FALSE_SLEEP: mark("was asleep"),
    Outcome.FALSE_SENSOR: mark("sensor's fault"),
    Outcome.TEST: mark("test"),
    Outcome.VISITOR: mark("visitor"),
    Outcome.UNKNOWN: mark("unknown"),
}

SERVICES = {
    "none": mark("nothing more"),
    "call": mark("phone call"),
    "visit": mark("visit"),
    "119": mark("called 119"),
}
"""What was done. A town's own words come with ``centre close --service``."""

WHYS = {
    "lost": mark("connection lost"),
    "offline": mark("switched off"),
    "silent": mark("no heartbeat"),
    "waiting": mark("no heartbeat yet"),
    "paused": mark("paused"),
    "blind": mark("blind"),
}


def why(_: Callable[[str], str], reasons: str) -> str:
    """Why a home is not watched; a word that is not in the table is shown as it came."""
    parts = reasons.replace(", ", "+").split("+")
    return ", ".join(_(WHYS[part]) if part in WHYS else part for part in parts)
