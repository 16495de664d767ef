"""Everything that enters the engine is an observation; its journal is the hub's whole truth."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from gateway.domain.alert import Outcome
from gateway.domain.instant import Instant


class Switched(Struct, frozen=True, gc=False, tag="switched"):
    """A sensor with two states changed, or said its state again.

    ``on``: motion seen, contact open, seat taken, appliance in use, smoke there, mains present,
    housing tampered with. ``fresh`` is False where a level was only read again: then it can heal
    a state, but is no evidence that somebody moved.
    """

    sensor: str
    on: bool
    fresh: bool = True


class Pressed(Struct, frozen=True, gc=False, tag="pressed"):
    """A help button was pressed."""

    sensor: str


class Quantity(StrEnum):
    """What a number measures, with its unit."""

    TEMPERATURE = "temperature"  # degrees Celsius
    HUMIDITY = "humidity"  # percent
    BATTERY = "battery"  # percent
    PULSES = "pulses"  # of a meter, in one minute


class Measured(Struct, frozen=True, gc=False, tag="measured"):
    """A sensor told a number."""

    sensor: str
    quantity: Quantity
    value: float


class Heard(Struct, frozen=True, gc=False, tag="heard"):
    """A sign of life from a sensor without any news. The sensing side sends at most one in five
    minutes for a sensor, so that signs of life do not wear out the card."""

    sensor: str


class SensorFault(Struct, frozen=True, gc=False, tag="sensor-fault"):
    """Something is wrong with one sensor, or right again. It is no sign of life and no activity.

    ``fault`` is "wire" (cut, bridged, restless or unreadable), "stuck", "replay", "downgrade",
    "bad-key" or "tamper-evidence".
    """

    sensor: str
    fault: str
    present: bool


class SourceChanged(Struct, frozen=True, gc=False, tag="source"):
    """A source of observations (the radio, the wires, a recording) went deaf or hears again."""

    source: str
    alive: bool
    detail: str = ""


class Booted(Struct, frozen=True, gc=False, tag="booted"):
    """The hub's program started (again). It is no activity (R17).

    ``up_until`` is the last moment at which the run before is known to have watched; what lies
    between is time in which nobody looked.
    """

    version: str
    reason: str = ""
    up_until: Instant | None = None


class HubFault(Struct, frozen=True, gc=False, tag="fault"):
    """Something of the hub itself is wrong, or right again: ``part`` is config, storage, clock,
    link, model or update, and the alert is ``tech.<part>``; or journal, which was damaged and began
    anew (``journal.recovered``)."""

    part: str
    present: bool
    detail: str = ""


class PauseStarted(Struct, frozen=True, gc=False, tag="pause"):
    """The resident (or the centre) paused the watch. It ends by itself (R34: 1 to 24 h)."""

    seconds: float
    by: str = "resident"


class PauseEnded(Struct, frozen=True, gc=False, tag="resume"):
    """The watch goes on before the pause would have ended."""

    by: str = "resident"


class VisitStarted(Struct, frozen=True, gc=False, tag="checkin"):
    """Somebody who visits checked in with a tag (R35). ``role`` is a pseudonymous role."""

    role: str
    tag: str = ""


class VisitEnded(Struct, frozen=True, gc=False, tag="checkout"):
    """The visitor checked out."""

    role: str
    tag: str = ""


class Answered(Struct, frozen=True, gc=False, tag="answered"):
    """The resident answered a question of the hub in so many words or with a key: proof of life.
    Whoever just moves answers too; that is a ``Switched``."""

    by: str = "key"


class AnswerState(StrEnum):
    """What a centre's people say about an alert."""

    ACCEPTED = "accepted"
    ACTING = "acting"
    CLOSED = "closed"
    REJECTED = "rejected"


class CentreAnswered(Struct, frozen=True, gc=False, tag="answer"):
    """The centre's verified answer about an alert: accepted, acting, closed or rejected.

    A machine's ``received`` is not here: it is the outbox's business and changes nothing in the
    home. ``outcome`` is required when closed (without it R20 cannot be measured).
    """

    alert_id: str
    state: AnswerState
    by: str = ""
    outcome: Outcome | None = None
    service: str | None = None
    reason: str | None = None


What = (
    Switched
    | Pressed
    | Measured
    | Heard
    | SensorFault
    | SourceChanged
    | Booted
    | HubFault
    | PauseStarted
    | PauseEnded
    | VisitStarted
    | VisitEnded
    | Answered
    | CentreAnswered
)


class Observation(Struct, frozen=True):
    """One thing that became known, and when.

    ``sequence``  the journal's number; it alone gives the order
    ``counter``   the sensor's own frame counter, stored in the same commit (T2)
    """

    sequence: int
    at: Instant
    what: What
    counter: int | None = None


class Offer(Protocol):
    """How a source hands over what it saw, with the replay counter to be stored with it. It never
    waits, and the moment is that of the call."""

    def __call__(self, what: What, counter: int | None = None, /) -> None: ...
