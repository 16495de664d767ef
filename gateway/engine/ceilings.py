"""The fixed ceilings (R18): plain code that no model, message or setting can postpone."""

from __future__ import annotations

from gateway.domain.alert import AlertType, Level
from gateway.engine.stopping import Outlook

STEPS: tuple[tuple[Level, AlertType], ...] = (
    (Level.WATCH, AlertType.INACTIVITY_WATCH),
    (Level.WARNING, AlertType.INACTIVITY_WARNING),
    (Level.ALARM, AlertType.INACTIVITY_ALARM),
)
"""The levels of a silence, in the order in which it climbs them."""


def model_after(level: Level, outlook: Outlook | None) -> float | None:
    """Seconds of silence after which the model wants ``level``; None where it has no say."""
    if outlook is None or level >= Level.ALARM:
        return None
    return outlook.ask_after if level is Level.WATCH else outlook.tell_after


def due_after(level: Level, ceilings: tuple[float, float, float], model: float | None) -> float:
    """Seconds of silence after which ``level`` (1 to 3) holds: the ceiling, or earlier if the
    model says so. Whatever else a model returns (not a number, negative, later) counts for
    nothing."""
    ceiling = ceilings[level - 1]
    if model is None or not 0.0 < model < ceiling:  # a NaN fails every comparison
        return ceiling
    return model


def again_after(closed: float | None, ceilings: tuple[float, float, float]) -> float | None:
    """Seconds of silence after which a silence whose level 3 the centre ``closed`` (at so many
    seconds of it) is an alert again: nobody moved for another time of the last ceiling, and a
    closing may have been a mistake. None while it is not closed."""
    return None if closed is None else closed + ceilings[-1]
