"""Whether the resident is at home (R21)."""

from __future__ import annotations

from msgspec import Struct

AT_THE_DOOR = 60.0
"""Seconds: an entrance event this short before the last activity means that the silence began at
the door. Measured to beat "the last event is the door" (inactivity.md, section 4.2)."""

AWAY_AFTER = 15 * 60.0
"""Seconds of silence that began at the door after which we believe in an absence [D]."""


class Presence(Struct):
    """``entrance`` is the last entrance event, ``activity`` the last activity of any kind,
    ``since`` the begin of the absence; engine seconds, None for never or not.
    ``visitors_door`` is True while the last entrance event belonged to a visitor we know of;
    ``seats`` are beds and seats that are taken: who lies in one has not gone out."""

    entrance: float | None = None
    activity: float | None = None
    since: float | None = None
    visitors_door: bool = False
    seats: list[str] = []

    def seat(self, sensor: str, taken: bool) -> None:
        """A bed or a seat was taken, or left."""
        if taken and sensor not in self.seats:
            self.seats.append(sensor)
        elif not taken and sensor in self.seats:
            self.seats.remove(sensor)

    def visitor_at_door(self, t: float) -> None:
        """A visitor used the entrance: who is left inside is not away for that."""
        self.entrance = t
        self.visitors_door = True

    def seen(self, t: float, entrance: bool) -> bool:
        """Somebody moved. Returns True if this ends an absence."""
        returned = self.since is not None
        self.since = None
        self.activity = t
        if entrance:
            self.entrance = t
            self.visitors_door = False
            self.seats = []  # who is at the door is in no bed, whatever a mat still says
        return returned

    @property
    def at_door(self) -> bool:
        """Whether the last activity was at the entrance, or just after it was used."""
        return (
            self.entrance is not None
            and self.activity is not None
            and not self.visitors_door
            and not self.seats
            and self.activity - self.entrance <= AT_THE_DOOR
        )

    def due(self) -> float | None:
        """When an absence would be believed in, should nobody move until then."""
        if self.since is not None or self.activity is None or not self.at_door:
            return None
        return self.activity + AWAY_AFTER

    def leave(self) -> float:
        """Believe in the absence. Returns since when."""
        self.since = self.activity or 0.0
        return self.since
