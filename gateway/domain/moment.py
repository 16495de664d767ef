"""What the engine believes at one moment, whether or not there is an alert (``ansim replay --explain``)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from gateway.domain.alert import Alert, AlertType, Explanation, Level, Quiet
from gateway.domain.instant import Instant


class Belief(StrEnum):
    """How the home is held to be. Where several hold, the first one here is told."""

    STARTING = "starting"
    PAUSED = "paused"
    BLIND = "blind"
    AWAY = "away"
    HOME = "home"


class Step(Struct, frozen=True):
    """What would be told if nobody moved from now on.

    ``at``       when; None if it was told already
    ``after``    seconds of seen silence that it takes, or of absence or blindness
    ``by``       who decides it, as in ``Explanation``
    """

    level: Level
    type: AlertType
    at: Instant | None
    after: float
    by: str


class Moment(Struct, frozen=True):
    """One moment, explained. ``away`` is None where no sensor watches the entrance; ``by`` in
    ``explanation`` is empty unless an alert about this silence is open."""

    at: Instant
    belief: Belief
    away: bool | None
    quiet: Quiet
    explanation: Explanation
    steps: tuple[Step, ...]
    suspect: tuple[str, ...]
    open_alerts: tuple[Alert, ...]
