"""One sensor in the settings file, and how the hub listens: as types, and in the domain's words."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.domain.enrolment import LAST_PIN, Radio, Wire
from gateway.domain.sensor import ACTIVITY_KINDS, Kind, Room, Sensor, Supervision
from gateway.domain.wires import shows_a_cut, usual_debounce_ms
from gateway.languages import mark

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""What may stand in a topic, in a file name and in a log: letters, digits, - and _."""

Pin = Annotated[int, Meta(ge=0, le=LAST_PIN)]
Milliseconds = Annotated[int, Meta(ge=0)]


class RadioSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    adapter: Annotated[
        str | None,
        Meta(
            description=mark(
                "Address of the Bluetooth adapter, because hci0 and hci1 change places; "
                "without it the first that is switched on."
            )
        ),
    ] = None
    scan: Annotated[
        Literal["active", "passive"],
        Meta(
            description=mark(
                "How it listens. Passive spares the sensors' batteries; the hub goes back to "
                "active by itself where a beacon is then not heard."
            )
        ),
    ] = "active"


class SensorSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Annotated[
        Name, Meta(description=mark("Pseudonym inside this home; never a radio address."))
    ]
    kind: Annotated[Kind, Meta(description=mark("What it senses."))]
    room: Annotated[
        Room, Meta(description=mark("The kind of room it is in; never the room's own name."))
    ] = Room.OTHER
    supervision: Annotated[
        Supervision | None,
        Meta(
            description=mark(
                "How the hub knows that it lives: wired is read at any time, a beacon is heard "
                "at least every interval_s seconds, event-only speaks only when something happens "
                "and never proves that the home is seen. Without it a recorded sensor is wired, "
                "and so is one on a pin, unless a cut of its wire would look like a quiet home; "
                "a Bluetooth sensor must have it."
            )
        ),
    ] = None
    interval_s: Annotated[
        float | None,
        Meta(
            description=mark(
                "Seconds between two signs of life, above 0; a beacon needs it, "
                "an event-only sensor may have it."
            )
        ),
    ] = None
    source: Annotated[
        Literal["recording", "gpio", "ble"] | None,
        Meta(
            description=mark(
                "Which part of the hub hears it. Without it: ble where there is an address, "
                "gpio where there is a pin, else recording."
            )
        ),
    ] = None
    keyed: Annotated[
        bool | None,
        Meta(
            description=mark(
                "Whether its frames are authenticated; an unkeyed sensor alone is no evidence "
                "of life (T1). A Bluetooth sensor without a key must say false."
            )
        ),
    ] = None
    address: Annotated[
        str | None,
        Meta(description=mark("Bluetooth address, six pairs of hex digits with colons.")),
    ] = None
    key: Annotated[
        str | None,
        Meta(description=mark("Its BTHome bind key, 32 hex digits. A secret.")),
    ] = None
    pin: Annotated[Pin | None, Meta(description=mark("GPIO number (BCM); docs/wiring.md."))] = None
    second_pin: Annotated[
        Pin | None,
        Meta(description=mark("The other half of a change-over contact: then a cut wire shows.")),
    ] = None
    pull: Annotated[
        Literal["up", "down", "none"],
        Meta(description=mark("The pin's own resistor; none where the circuit brings one.")),
    ] = "up"
    active: Annotated[
        Literal["high", "low"],
        Meta(
            description=mark(
                "Level at which the sensor says yes: motion, open, pressed, mains present."
            )
        ),
    ] = "low"
    debounce_ms: Annotated[
        Milliseconds | None,
        Meta(
            description=mark(
                "Milliseconds that a level must hold; without it what is usual for its kind."
            )
        ),
    ] = None

    def __repr__(self) -> str:
        """Neither address nor key: this may end in a log or a traceback."""
        return f"SensorSection({self.id!r}, {self.kind.value})"

    @property
    def heard_by(self) -> Literal["recording", "gpio", "ble"]:
        """Which part of the hub hears it."""
        if self.source is not None:
            return self.source
        return "ble" if self.address else "gpio" if self.pin is not None else "recording"

    def sensor(self) -> Sensor:
        """The same in the domain's words."""
        keyed = self.key is not None if self.heard_by == "ble" else True
        wired = Sensor(
            self.id,
            self.kind,
            self.room,
            Supervision.WIRED,
            self.interval_s,
            self.heard_by,
            keyed if self.keyed is None else self.keyed,
        )
        if self.supervision is not None:
            return msgspec.structs.replace(wired, supervision=self.supervision)
        if self.pin is not None and wired.kind in ACTIVITY_KINDS:
            wire = self._wire(wired)
            if not shows_a_cut(wire):
                return msgspec.structs.replace(wired, supervision=Supervision.EVENT_ONLY)
        return wired

    def radio(self) -> Radio | None:
        """Its Bluetooth side; None if it has none. Only of a section that was checked."""
        if self.heard_by != "ble" or self.address is None:
            return None
        key = None if self.key is None else bytes.fromhex(self.key)
        return Radio(self.sensor(), self.address.upper(), key)

    def wire(self) -> Wire | None:
        """Its wires; None if it has none. Only of a section that was checked."""
        if self.heard_by != "gpio" or self.pin is None:
            return None
        return self._wire(self.sensor())

    def _wire(self, sensor: Sensor) -> Wire:
        assert self.pin is not None
        usual = usual_debounce_ms(self.kind)
        return Wire(
            sensor,
            self.pin,
            None if self.pull == "none" else self.pull,
            self.active,
            usual if self.debounce_ms is None else self.debounce_ms,
            self.second_pin,
        )
