"""Whole lives with everything that can happen in them, restarts and reboots too."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.alert import Outcome
from gateway.domain.household import Household
from gateway.domain.observation import (
    Answered,
    AnswerState,
    Heard,
    HubFault,
    Measured,
    PauseEnded,
    PauseStarted,
    Pressed,
    Quantity,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
    What,
)
from gateway.domain.sensor import Kind, Sensor
from gateway.engine.stopping import Knobs
from tests.support.life import CEILINGS_ONLY, WIRED, Life, beacons

SENSORS = (
    *WIRED,
    *beacons(3),
    Sensor("smoke", Kind.SMOKE),
    Sensor("warmth", Kind.TEMPERATURE),
    Sensor("power", Kind.MAINS),
    Sensor("lid", Kind.TAMPER),
)
SWITCHES = [s.id for s in SENSORS if s.kind not in {Kind.TEMPERATURE, Kind.HELP}]


def happening(chance: Random) -> What:
    """Anything that a home, its hub or its centre may say, but the centre's answers."""
    yes = chance.random() < 0.5
    kinds: list[What] = [
        PauseStarted(chance.choice([60.0, 3600.0, 90_000.0])),
        PauseEnded(),
        VisitStarted("carer"),
        VisitEnded("carer"),
        SourceChanged(chance.choice(["ble", "recording"]), alive=yes),
        Pressed("button"),
        Measured("warmth", Quantity.TEMPERATURE, chance.uniform(0.0, 40.0)),
        Measured("hall", Quantity.BATTERY, chance.uniform(0.0, 100.0)),
        HubFault(chance.choice(["config", "clock", "link"]), yes),
        Heard(chance.choice(["pir0", "pir1", "pir2"])),
        *[Answered()] * 2,
        *[Switched(chance.choice(SWITCHES), on=yes)] * 4,
    ]
    return chance.choice(kinds)


def lived(chance: Random) -> tuple[Life, float]:
    """A life and its last hour."""
    asks = chance.random() < 0.5
    knobs = chance.choice([CEILINGS_ONLY, Knobs(), Knobs(ask=5.0, tell=20.0, tell_by_asking=5.0)])
    home = Household("hub-test", SENSORS, asks=asks)
    life, hour = Life(household=home, knobs=knobs), 0.0
    for number in range(chance.randrange(5, 60)):
        hour += chance.choice([0.0, 0.001, 0.1, 0.5, 2.0, 7.0, 13.0]) * chance.random()
        kind = chance.randrange(12)
        opened = life.engine.open_alerts()
        if kind == 0:
            stopped = hour
            hour += chance.choice([0.001, 0.1, 1.0, 5.0])
            kernel = chance.choice(["kernel", f"kernel{number}"])
            life.restart(hour, up_until=stopped, kernel=kernel, start=f"start{number}")
        elif kind == 1 and opened:
            answer, outcome = chance.choice(list(AnswerState)), chance.choice(list(Outcome))
            life.answers(hour, chance.choice(opened), answer, outcome)
        elif kind == 2:
            life.until(hour)
        else:
            life.at(hour, happening(chance))
    return life.until(hour + 1.0), hour + 1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_an_engine_that_was_restarted_equals_one_rebuilt_from_the_journal(seed: int) -> None:
    life, hour = lived(Random(seed))
    rebuilt = life.rebuilt()
    rebuilt.tick(life.instant(hour))
    assert life.engine.snapshot() == rebuilt.snapshot()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_every_alert_has_its_versions_without_a_gap(seed: int) -> None:
    versions: dict[str, list[int]] = {}
    for alert in lived(Random(seed))[0].alerts:
        versions.setdefault(alert.id, []).append(alert.version)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in versions.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_no_silence_has_two_alerts_at_once(seed: int) -> None:
    for family in ("inactivity", "away", "welfare"):
        still: set[str] = set()
        for alert in lived(Random(seed))[0].of(family):
            still.discard(alert.id)
            if alert.open and alert.cause:
                assert not still
                still.add(alert.id)
