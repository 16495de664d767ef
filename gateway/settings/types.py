"""The settings file as types. The documentation is generated from here, errors are found here.

Units stand in the key names; reasons for the figures stand in the descriptions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.domain.household import CEILINGS, Household, Limits, RiskGroup
from gateway.domain.instant import HOUR
from gateway.domain.sensor import Sensor
from gateway.languages import mark
from gateway.settings.sensors import Name, RadioSection, SensorSection

DATA = Path("/var/lib/ansim")
"""Where a packaged hub keeps its journal."""


class HubSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Annotated[
        Name,
        Meta(
            description=mark(
                "The hub's random pseudonym; never a name or an address. "
                "It is also the common name in the hub's certificate."
            )
        ),
    ]
    tenant: Annotated[
        Name, Meta(description=mark("The town or city that the hub belongs to, as in the topics."))
    ]
    data: Annotated[
        Path,
        Meta(
            description=mark(
                "Folder of the journal, of the last good settings and of the control socket."
            )
        ),
    ] = DATA
    language: Annotated[
        Literal["ko", "en"], Meta(description=mark("Language of every text for people."))
    ] = "ko"


class LimitsSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    away_too_long_hours: Annotated[
        float,
        Meta(gt=0, le=72, description=mark("Away for this long raises away.too_long (R21).")),
    ] = 24.0
    no_exit_hours: Annotated[
        float,
        Meta(
            gt=0,
            le=336,
            description=mark("Nobody used the entrance for this long: no_exit (R21)."),
        ),
    ] = 72.0
    hardly_leaves: Annotated[
        bool,
        Meta(description=mark("True for somebody who hardly leaves the home: no_exit is off.")),
    ] = False
    door_open_long_hours: Annotated[
        float, Meta(gt=0, le=24, description=mark("The entrance stood open for this long."))
    ] = 1.0
    temperature_low_celsius: Annotated[
        float, Meta(ge=-10, le=20, description=mark("Colder than this for an hour: temp.low."))
    ] = 10.0
    temperature_high_celsius: Annotated[
        float,
        Meta(
            ge=25,
            le=45,
            description=mark(
                "Warmer than this for an hour: temp.high. 33 is the Korean heat-wave advisory's."
            ),
        ),
    ] = 33.0


class HomeSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    risk_group: Annotated[
        RiskGroup,
        Meta(
            description=mark(
                "Which fixed ceilings hold for silence (R18): standard 8, 12 and 24 hours, "
                "low-intrusion 24, 36 and 50 hours for levels 1, 2 and 3."
            )
        ),
    ] = RiskGroup.STANDARD
    ceilings_hours: Annotated[
        tuple[float, float, float] | None,
        Meta(
            description=mark(
                "Earlier ceilings for this home, for levels 1, 2 and 3, rising; "
                "none may be above its risk group's. Without it, the risk group's hold."
            )
        ),
    ] = None
    utc_offset_minutes: Annotated[
        int,
        Meta(ge=-720, le=840, description=mark("Minutes east of UTC; Korea has 540 all year.")),
    ] = 540
    limits: Annotated[
        LimitsSection, Meta(description=mark("Limits that a town may set for a home."))
    ] = LimitsSection()


class SecondSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description=mark(
                "Name of the second broker's machine, as in its certificate. It should share neither "
                "machine nor line with the first."
            ),
        ),
    ]
    port: Annotated[
        int, Meta(ge=1, le=65535, description=mark("Port of MQTT over TLS; plaintext never."))
    ] = 8883
    ca: Annotated[
        Path | None,
        Meta(description=mark("Another authority's certificate; without it, the first broker's.")),
    ] = None
    certificate: Annotated[
        Path | None,
        Meta(description=mark("Another certificate of the hub; without it, the same one.")),
    ] = None
    key: Annotated[
        Path | None,
        Meta(description=mark("The private key of that certificate; without it, the same one.")),
    ] = None


class CentreSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description=mark("Name of the broker's machine, as in the broker's certificate."),
        ),
    ]
    port: Annotated[
        int, Meta(ge=1, le=65535, description=mark("Port of MQTT over TLS; plaintext never."))
    ] = 8883
    ca: Annotated[Path, Meta(description=mark("Certificate of the authority that signed both."))]
    certificate: Annotated[Path, Meta(description=mark("The hub's own certificate."))]
    key: Annotated[Path, Meta(description=mark("The hub's private key, readable by nobody else."))]
    keys: Annotated[
        dict[str, Path],
        Meta(
            min_length=1,
            description=mark(
                "Id of each centre process and the file of its public key (Ed25519, PEM). "
                "Only what one of them signed counts as an answer."
            ),
        ),
    ]
    heartbeat_s: Annotated[
        int,
        Meta(
            ge=60,
            le=86400,
            description=mark("Seconds between two heartbeats; the centre may change it (R1)."),
        ),
    ] = 300
    second: Annotated[
        SecondSection | None,
        Meta(
            description=mark(
                "A second way: another broker that takes alerts which the centre has not received "
                "over the first one within 3 minutes (R5)."
            )
        ),
    ] = None
    carrier: Annotated[
        Name | None,
        Meta(
            description=mark(
                "Name of an installed extension that takes such alerts another way than MQTT, "
                "for example by SMS."
            )
        ),
    ] = None


class ModelSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    enabled: Annotated[
        bool,
        Meta(
            description=mark(
                "Whether the inactivity model may alert earlier than the ceilings. "
                "It can never alert later."
            )
        ),
    ] = True
    path: Annotated[
        Path | None,
        Meta(description=mark("Another model file than the one that came with the program.")),
    ] = None


class RecordingSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    path: Annotated[
        Path,
        Meta(
            description=mark(
                "A recorded home (.csv or .csv.gz) to play instead of real sensors, "
                "with its .sensors.csv beside it."
            )
        ),
    ]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One settings file, checked. All paths are absolute."""

    hub: Annotated[HubSection, Meta(description=mark("Who this hub is and where it keeps things."))]
    home: Annotated[
        HomeSection, Meta(description=mark("The rules of this home. Nothing personal (P1)."))
    ] = HomeSection()
    centre: Annotated[
        CentreSection | None,
        Meta(
            description=mark(
                "The way to the monitoring centre. `ansim run` needs it, `ansim replay` does not."
            )
        ),
    ] = None
    model: Annotated[ModelSection, Meta(description=mark("The inactivity model."))] = ModelSection()
    radio: Annotated[
        RadioSection, Meta(description=mark("How the hub listens for Bluetooth sensors."))
    ] = RadioSection()
    recording: Annotated[
        RecordingSection | None, Meta(description=mark("Only for trials: a recorded home."))
    ] = None
    sensors: Annotated[
        tuple[SensorSection, ...],
        Meta(
            description=mark(
                "One [[sensors]] table for each enrolled sensor. At least one activity sensor "
                "must be wired or a beacon of at most 60 seconds (R15)."
            )
        ),
    ] = ()

    def household(
        self, recorded: tuple[Sensor, ...] | None = None, *, live: bool = False
    ) -> Household:
        """The home as the engine wants to know it. A ``recorded`` home brings its own sensors; what
        this file says of a sensor with the same id counts more than what the recording says.
        ``live``: the radio and the wires of this file are heard beside the recording."""
        own = {section.id: section.sensor() for section in self.sensors}
        sensors = tuple(own.values())
        if recorded is not None:
            sensors = tuple(
                msgspec.structs.replace(own.get(sensor.id, sensor), source=sensor.source)
                for sensor in recorded
            )
            played = {sensor.id for sensor in recorded}
            beside = [s for s in self.live_sections() if s.id not in played] if live else []
            if beside:  # a deaf radio is none of the recorded sensors' business
                sensors = tuple(
                    msgspec.structs.replace(sensor, source="recording") for sensor in sensors
                ) + tuple(section.sensor() for section in beside)
        limits = self.home.limits
        hours = self.home.ceilings_hours
        ceilings = CEILINGS[self.home.risk_group]
        if hours is not None:
            ceilings = (hours[0] * HOUR, hours[1] * HOUR, hours[2] * HOUR)
        return Household(
            hub=self.hub.id,
            sensors=sensors,
            risk_group=self.home.risk_group,
            ceilings=ceilings,
            utc_offset=self.home.utc_offset_minutes,
            limits=Limits(
                away_too_long=limits.away_too_long_hours * HOUR,
                no_exit=None if limits.hardly_leaves else limits.no_exit_hours * HOUR,
                door_open_long=limits.door_open_long_hours * HOUR,
                temperature_low=limits.temperature_low_celsius,
                temperature_high=limits.temperature_high_celsius,
            ),
        )

    def live_sections(self) -> tuple[SensorSection, ...]:
        """Sensors with an address or a pin: those that real hardware brings."""
        return tuple(s for s in self.sensors if s.radio() is not None or s.wire() is not None)
