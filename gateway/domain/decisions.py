"""What the engine says after an observation or a tick."""

from __future__ import annotations

from msgspec import Struct

from gateway.domain.alert import Alert


class Summary(Struct, frozen=True):
    """Ten minutes of a home as counts: all that leaves it about ordinary life (P2).

    ``start``   wall seconds of its beginning
    ``events``  readings by sensor id, only sensors that spoke
    """

    start: float
    seconds: float
    events: dict[str, int]
    away: bool
    blind: bool


class Decisions(Struct, frozen=True):
    """``alerts``     new alert versions, to be stored with the observation in one commit
    ``summaries``  finished summaries, likewise
    ``due``        boottime (seconds) at which the engine next wants a tick; None for never
    """

    alerts: tuple[Alert, ...] = ()
    summaries: tuple[Summary, ...] = ()
    due: float | None = None
