"""All that the engine remembers, as one typed value that survives a restart."""

from __future__ import annotations

from msgspec import Struct, field

from gateway.engine.alerts import Book
from gateway.engine.asking import Asking
from gateway.engine.batteries import Battery
from gateway.engine.comparing import Comparison
from gateway.engine.control import Control
from gateway.engine.drift import Drift
from gateway.engine.habits import Habits
from gateway.engine.household_rules import Rules
from gateway.engine.presence import Presence
from gateway.engine.quiet import Silence
from gateway.engine.routine import Routine
from gateway.engine.supervision import Senses
from gateway.engine.timeline import Timeline

FORMAT = 5
"""Raised whenever an older snapshot no longer means the same; the engine is then rebuilt."""


class Visit(Struct):
    """Somebody who checked in. ``until`` in engine seconds."""

    role: str
    until: float


class Counting(Struct):
    """The summary in the making: ten minutes that begin at ``start`` (engine seconds)."""

    start: float = 0.0
    events: dict[str, int] = {}


class State(Struct):
    """``now`` is the last engine second that was lived through; ``ignored`` counts readings of
    sensors that this home does not have; until ``visitor_leaves`` the entrance is a visitor's.
    ``batteries`` by sensor."""

    format: int = FORMAT
    started: bool = False
    now: float = 0.0
    timeline: Timeline = field(default_factory=Timeline)
    senses: Senses = field(default_factory=Senses)
    presence: Presence = field(default_factory=Presence)
    silence: Silence = field(default_factory=Silence)
    habits: Habits = field(default_factory=Habits)
    asking: Asking = field(default_factory=Asking)
    control: Control = field(default_factory=Control)
    rules: Rules = field(default_factory=Rules)
    comparison: Comparison = field(default_factory=Comparison)
    routine: Routine = field(default_factory=Routine)
    drift: Drift = field(default_factory=Drift)
    batteries: dict[str, Battery] = {}
    book: Book = field(default_factory=Book)
    counting: Counting = field(default_factory=Counting)
    paused_until: float | None = None
    visit: Visit | None = None
    visitor_leaves: float = -1.0
    ignored: int = 0
