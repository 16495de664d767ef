"""What counts as evidence that the resident is alive and moving."""

from __future__ import annotations

from gateway.domain.observation import Switched
from gateway.domain.sensor import ACTIVITY_KINDS, Kind, Sensor

_ON_ONLY = frozenset({Kind.MOTION, Kind.USE})
"""Their end is a timer or a machine that finished, not a person."""


def is_activity(sensor: Sensor, switched: Switched) -> bool:
    """Whether this reading shows that somebody moved.

    A motion's or an appliance's end is no evidence, a door's closing and a seat's leaving are.
    A level that was only read again is none (``fresh``), nor is anything from a sensor without
    a key: it could be forged (T1), so it never stands alone.
    """
    if not switched.fresh or not sensor.keyed or sensor.kind not in ACTIVITY_KINDS:
        return False
    return switched.on or sensor.kind not in _ON_ONLY
