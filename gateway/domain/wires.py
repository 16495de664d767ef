"""What is usual on a wire of each kind, and what a cut wire looks like (docs/wiring.md)."""

from __future__ import annotations

from typing import Final

from gateway.domain.enrolment import Wire
from gateway.domain.sensor import ACTIVITY_KINDS, Kind

USUAL_DEBOUNCE_MS: Final[dict[Kind, int]] = {
    Kind.HELP: 20,
    Kind.METER: 10,
    Kind.MAINS: 1500,
    Kind.SMOKE: 100,
    Kind.GAS: 100,
    Kind.CO: 100,
    Kind.FLOOD: 100,
    Kind.TAMPER: 100,
}
"""Milliseconds that a level must hold, where the settings do not say. A help button: far above the
bounce of a switch and far below the shortest press of a finger. A meter: IEC 62053-31 gives pulse
and pause at least 30 ms. Mains: a voltage dip of a second is no power cut, and R12 leaves ten
seconds. Relays of detectors: an induced spike is no fire, and R24 allows no filter beyond that."""

DEBOUNCE_MS: Final = 30
"""Milliseconds for all other kinds: doors, seats, motion."""

LONGEST_DEBOUNCE_MS: Final[dict[Kind, int]] = {
    Kind.HELP: 50,
    Kind.METER: 25,
    Kind.MAINS: 5000,
    Kind.SMOKE: 1000,
    Kind.GAS: 1000,
    Kind.CO: 1000,
}
"""Milliseconds that the settings may ask for: beyond, a short press or a pulse would be lost, or
R12's ten seconds (with the two seconds that a lost edge takes to heal) and R24 be broken."""

LONGEST_OTHER_MS: Final = 1000
"""Milliseconds that the settings may ask for on any other wire."""


def usual_debounce_ms(kind: Kind) -> int:
    """How long a level must hold on a wire of this kind if nobody says otherwise."""
    return USUAL_DEBOUNCE_MS.get(kind, DEBOUNCE_MS)


def longest_debounce_ms(kind: Kind) -> int:
    """The longest time that settings may ask for."""
    return LONGEST_DEBOUNCE_MS.get(kind, LONGEST_OTHER_MS)


def shows_a_cut(wire: Wire) -> bool:
    """Whether a cut wire looks different from a quiet home.

    It does on a supervised line (two pins that must disagree), and where the open line falls to the
    other side than it rests on. A sensor rests at no, and mains at yes: so a cut door contact that
    is pulled up says "open" if high is its yes, a cut button "pressed" and then "stuck", and a cut
    mains wire "lost". Otherwise a cut wire is silent for ever. A wire without a pull of ours is
    taken for silent: its circuit is not known.
    """
    if wire.second_pin is not None:
        return True
    if wire.pull is None:
        return False
    open_says_yes = (wire.pull == "up") is (wire.active == "high")
    return open_says_yes is not (wire.sensor.kind is Kind.MAINS)


def proves_the_home(wire: Wire) -> bool:
    """Whether the sensor on this wire may prove that the home is seen (R15): it tells activity,
    and its silence cannot be that of a cut wire. Others are best enrolled as event-only."""
    return wire.sensor.kind in ACTIVITY_KINDS and shows_a_cut(wire)
