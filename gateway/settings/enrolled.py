"""Whether the enrolled sensors make sense: each by itself, together, and for a watch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.domain.enrolment import ADDRESS, KEY_BYTES
from gateway.domain.sensor import ACTIVITY_KINDS, Kind, Supervision
from gateway.domain.wires import longest_debounce_ms, shows_a_cut
from gateway.languages import mark
from gateway.settings.problems import Trouble
from gateway.settings.sensors import RadioSection, SensorSection

PROVING_INTERVAL_S = 60.0
"""A beacon proves that the home is seen only if it is heard at least this often (R15)."""

_LOOKS_LIKE_ADDRESS = re.compile(r"^(?:[0-9A-Fa-f]{2}[-_.]?){5}[0-9A-Fa-f]{2}$")
_KEY = re.compile(rf"[0-9A-Fa-f]{{{2 * KEY_BYTES}}}")

_AN_ADDRESS = mark("this is no Bluetooth address")
_WRITE_ADDRESS = mark("write six pairs of hex digits with colons, like A4:C1:38:00:00:01")
_GPIO_ONLY = ("second_pin", "debounce_ms")


def check_sensors(sensors: Sequence[SensorSection]) -> None:
    """Raises Trouble at the first sensor that cannot be as it is written."""
    seen: dict[tuple[str, object], int] = {}
    for index, sensor in enumerate(sensors):
        key = f"sensors[{index}]"
        _once(seen, ("id", sensor.id), index, key)
        if _LOOKS_LIKE_ADDRESS.match(sensor.id):
            raise Trouble(
                f"{key}.id",
                mark("this looks like a radio address"),
                mark("give the sensor a pseudonym: no address leaves the home"),
            )
        _check_source(sensor, key)
        _check_supervision(sensor, key)
        if sensor.heard_by == "ble":
            _check_ble(sensor, key)
            _once(seen, ("address", (sensor.address or "").upper()), index, key)
        elif sensor.heard_by == "gpio":
            _check_gpio(sensor, key)
            for name in ("pin", "second_pin"):
                if (pin := getattr(sensor, name)) is not None:
                    _once(seen, ("pin", pin), index, key, name)


def check_radio(radio: RadioSection) -> None:
    """Raises Trouble if the adapter's address is none."""
    if radio.adapter is not None and not ADDRESS.fullmatch(radio.adapter.upper()):
        raise Trouble("radio.adapter", _AN_ADDRESS, _WRITE_ADDRESS)


def check_provers(sensors: Sequence[SensorSection]) -> None:
    """Raises Trouble if nothing proves that the home is seen: silence would mean nothing."""
    for section in sensors:
        sensor = section.sensor()
        if sensor.kind not in ACTIVITY_KINDS or not sensor.keyed:
            continue
        if sensor.supervision is Supervision.WIRED:
            return
        if sensor.supervision is Supervision.BEACON and sensor.interval is not None:
            if sensor.interval <= PROVING_INTERVAL_S:
                return
    raise Trouble(
        "sensors",
        mark("no sensor proves that the home is seen, so silence would mean nothing (R15)"),
        mark(
            "add an activity sensor that is wired, or a beacon with interval_s of at most {most:g}"
        ),
        most=PROVING_INTERVAL_S,
    )


# --------------------------------------------------------------------------------- one sensor


def _once(
    seen: dict[tuple[str, object], int],
    what: tuple[str, object],
    index: int,
    key: str,
    name: str | None = None,
) -> None:
    other = seen.setdefault(what, index)
    if other == index:
        return
    if what[0] == "id":
        raise Trouble(
            f"{key}.id",
            mark('the sensor "{id}" is there twice (also sensors[{other}])'),
            mark("give each sensor its own id"),
            id=what[1],
            other=other,
        )
    if what[0] == "address":
        raise Trouble(
            f"{key}.address",
            mark("this address is there twice (also sensors[{other}])"),
            mark("a device is one sensor; remove one of the two"),
            other=other,
        )
    raise Trouble(
        f"{key}.{name or what[0]}",
        mark("this pin is used twice (also sensors[{other}])"),
        mark("give every sensor pins of its own"),
        other=other,
    )


def _check_source(sensor: SensorSection, key: str) -> None:
    """Nothing may be written that belongs to another source than the sensor's."""
    source = sensor.heard_by
    wants = {"ble": "address", "gpio": "pin"}.get(source)
    if wants is not None and getattr(sensor, wants) is None:
        raise Trouble(
            f"{key}.{wants}",
            mark("a sensor with source {source} needs it"),
            mark("add it; docs/sensors.md shows how"),
            source=source,
        )
    foreign = [name for name in ("address", "key") if source != "ble" and getattr(sensor, name)]
    foreign += [
        name
        for name in ("pin", *_GPIO_ONLY)
        if source != "gpio" and getattr(sensor, name) is not None
    ]
    if foreign:
        raise Trouble(
            f"{key}.{foreign[0]}",
            mark("a sensor with source {source} has none"),
            mark("remove it, or name the right source"),
            source=source,
        )


def _check_supervision(sensor: SensorSection, key: str) -> None:
    if sensor.heard_by == "ble" and sensor.supervision in {None, Supervision.WIRED}:
        raise Trouble(
            f"{key}.supervision",
            mark("a Bluetooth sensor is a beacon or event-only"),
            mark('write "beacon" with its interval_s, or "event-only"; docs/sensors.md says which'),
        )
    if sensor.heard_by == "gpio" and sensor.supervision is Supervision.BEACON:
        raise Trouble(
            f"{key}.supervision",
            mark("a sensor on a pin is no beacon"),
            mark('write "wired" or "event-only"'),
        )
    if sensor.supervision is Supervision.BEACON and sensor.interval_s is None:
        raise Trouble(
            f"{key}.interval_s",
            mark("a beacon needs its interval"),
            mark("write the seconds between two signs of life"),
        )
    if sensor.supervision in {None, Supervision.WIRED} and sensor.interval_s is not None:
        raise Trouble(
            f"{key}.interval_s",
            mark("a wired sensor has no interval"),
            mark('remove it, or write supervision = "beacon"'),
        )
    if sensor.interval_s is not None and sensor.interval_s <= 0:
        raise Trouble(
            f"{key}.interval_s",
            mark("this number is outside its limits"),
            mark("it must be {sign} {bound}"),
            sign=">",
            bound=0,
        )


def _check_ble(sensor: SensorSection, key: str) -> None:
    """No sentence here repeats an address or a key: it may end in a log."""
    if not ADDRESS.fullmatch((sensor.address or "").upper()):
        raise Trouble(f"{key}.address", _AN_ADDRESS, _WRITE_ADDRESS)
    if sensor.key is not None and not _KEY.fullmatch(sensor.key):
        raise Trouble(
            f"{key}.key",
            mark("this is no bind key"),
            mark("write its 32 hex digits"),
        )
    if sensor.key is None and sensor.keyed is not False:
        raise Trouble(
            f"{key}.key",
            mark("without a key anybody can forge this sensor"),
            mark("add its bind key, or write keyed = false: then it is no evidence of life alone"),
        )
    if sensor.key is not None and sensor.keyed is False:
        raise Trouble(
            f"{key}.keyed",
            mark("it says false beside a key"),
            mark("remove one of the two"),
        )
    if sensor.kind is Kind.METER:
        raise Trouble(
            f"{key}.kind",
            mark("a meter is read on a pin"),
            mark("wire it, or choose another kind; docs/sensors.md says which"),
        )


def _check_gpio(sensor: SensorSection, key: str) -> None:
    most = longest_debounce_ms(sensor.kind)
    if sensor.debounce_ms is not None and sensor.debounce_ms > most:
        raise Trouble(
            f"{key}.debounce_ms",
            mark("this number is outside its limits"),
            mark("it must be {sign} {bound}"),
            sign="<=",
            bound=most,
        )
    if sensor.second_pin is not None and sensor.second_pin == sensor.pin:
        raise Trouble(
            f"{key}.second_pin",
            mark("both halves are on one pin"),
            mark("wire the other half to a pin of its own"),
        )
    wire = sensor.wire()
    if (
        wire is not None
        and sensor.supervision is Supervision.WIRED
        and sensor.kind in ACTIVITY_KINDS
        and not shows_a_cut(wire)
    ):
        raise Trouble(
            f"{key}.supervision",
            mark("a cut of this wire would look like a quiet home, so it proves nothing"),
            mark('write "event-only", or wire it so that a cut shows (docs/wiring.md)'),
        )
