"""What a generated home shall be: who lives there, for how long, and what goes wrong when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from gateway.sensing.rows import moment
from models.homes.people import KINDS

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

Moment: TypeAlias = float | str
"""Hours since the first midnight, or local ISO time ("2026-03-09T14:30")."""

FEWEST: Final = 30
MOST: Final = 3000
"""Rows a day. Recorded homes have between 57 and 3,144."""


@dataclass(frozen=True)
class Plan:
    """Everything that makes a generated home. The same plan makes the same home, byte by byte.

    ``events_per_day``    rows a day that somebody's doings cause, on average; signs of life,
                          temperatures and rows about the home come on top
    ``beacons``           sensors are radio beacons that are HEARD every five minutes instead of
                          wired ones; some 4,000 rows a day more
    ``event_only``        sensors that speak only when something happens and prove nothing
    ``collapse``          from then on nobody moves and occupancy stays as it was; put off until
                          the resident is at home and alone (see ``truth``)
    ``dead``              (sensor, since): it says nothing more, nor is it heard
    ``absences``          (start, hours) away, out and back through the door
    ``visits``            (start, hours) of a visitor besides those of ordinary life
    ``tagged_visits``     visitors check in and out with a tag
    ``radio_silence``     (start, hours) in which no beacon is heard
    ``radio_silence_told`` whether the radio says itself that it is deaf
    ``decline``           over 60 days from then less and less is done, more is slept and the
                          house is hardly left
    ``turn``              within four days from then night becomes day
    ``presses``           when the help button is pressed
    ``temperature_drop``  the heating fails then and it becomes 5 degrees Celsius
    ``mains_cuts``        (start, hours) without mains
    ``pauses``            (start, hours) for which the resident pauses the watch; life goes on
    """

    seed: int = 1
    kind: str = "regular"
    days: int = 28
    start: str = "2026-03-02"
    events_per_day: float = 300.0
    beacons: bool = False
    event_only: tuple[str, ...] = ()
    help: bool = False
    temperature: bool = False
    mains: bool = False
    collapse: Moment | None = None
    dead: tuple[tuple[str, Moment], ...] = ()
    absences: tuple[tuple[Moment, float], ...] = ()
    visits: tuple[tuple[Moment, float], ...] = ()
    tagged_visits: bool = False
    radio_silence: tuple[tuple[Moment, float], ...] = ()
    radio_silence_told: bool = False
    decline: Moment | None = None
    turn: Moment | None = None
    presses: tuple[Moment, ...] = ()
    temperature_drop: Moment | None = None
    mains_cuts: tuple[tuple[Moment, float], ...] = ()
    pauses: tuple[tuple[Moment, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind; take one of {', '.join(KINDS)}.")
        if not 1 <= self.days <= 3660:
            raise ValueError("A home is generated for 1 to 3660 days.")
        if not FEWEST <= self.events_per_day <= MOST:
            raise ValueError(f"A home has {FEWEST} to {MOST} events a day.")
        if self.radio_silence and not self.beacons:
            raise ValueError("Only beacons can fall silent together; ask for beacons as well.")

    @property
    def origin(self) -> float:
        """Local seconds of the first midnight."""
        return moment(self.start)

    @property
    def end(self) -> float:
        """Local seconds of the midnight at which the home ends."""
        return self.origin + self.days * DAY

    def at(self, when: Moment) -> float:
        """Local seconds of a moment."""
        return moment(when) if isinstance(when, str) else self.origin + when * HOUR

    def stretch(self, stretch: tuple[Moment, float]) -> tuple[float, float]:
        """Local seconds of the begin and the end of (start, hours)."""
        start = self.at(stretch[0])
        return start, start + stretch[1] * HOUR


def weekday(local: float) -> int:
    """0 for Monday."""
    return datetime.fromtimestamp(local, UTC).weekday()
