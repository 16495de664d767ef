"""Test whether a hub with wires or a radio that this machine does not have says so and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.homes import Plan, generate, write
from tests.support.hub_process import HubProcess, town_with_broker
from tests.support.programs import until

WIRES = """
[[sensors]]
id = "door"
kind = "entrance"
pin = 5
active = "high"
"""

RADIO = """
[[sensors]]
id = "hall"
kind = "motion"
address = "A4:C1:38:00:00:01"
key = "00112233445566778899aabbccddeeff"
supervision = "beacon"
interval_s = 60
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with town_with_broker(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.mark.parametrize(
    ("sensors", "source"), [(WIRES, "gpio"), (RADIO, "ble"), (WIRES + RADIO, "gpio")]
)
def test_missing_hardware_is_told_and_the_hub_goes_on(
    place: Path, tmp_path: Path, sensors: str, source: str
) -> None:
    hub = HubProcess(place, tmp_path, sensors)
    nothing = f"unix:path={tmp_path}/no-bus"
    with hub.run("--no-model", DBUS_SYSTEM_BUS_ADDRESS=nothing) as program:
        hub.up()
        until(lambda: hub.status()["connected"], "a session")
        found = hub.status()
        if source == "ble":
            until(lambda: hub.status()["radio"] == "bluetoothd-gone", "why it is deaf")
        else:
            until(lambda: hub.status()["sensor_problems"].get("door"), "why it cannot be read")
            assert found["sensor_problems"]["door"].startswith("gpio-")
        assert "hung:" not in " ".join(found["reasons"])
        assert program.end() == 0
    assert "Traceback" not in program.said


def test_a_recording_a_radio_and_wires_are_heard_side_by_side(place: Path, tmp_path: Path) -> None:
    write(generate(Plan(seed=5, days=1, events_per_day=600)), tmp_path, "home")
    hub = HubProcess(
        place, tmp_path, f'[recording]\npath = "{tmp_path}/home.csv.gz"\n{WIRES}{RADIO}'
    )
    with hub.run("--no-model", "--speed", "2000") as program:
        hub.up()
        until(lambda: hub.status()["observations"] > 50, "observations of the recording")
        found = hub.status()
        told = {*found["sensors_unproven"], *found["sensors_stale"], *found["sensors_lost"]}
        assert "hall" in told  # enrolled, and not heard
        assert found["radio"] is not None
        assert "door" in found["sensor_problems"]
        assert found["watching"], found["reasons"]
        assert program.end() == 0
