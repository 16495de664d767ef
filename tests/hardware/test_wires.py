"""Test whether the gateway's wired sensors are read from the kernel's pins: motion, door, help button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hardware.machine import Job, Machine, wait_for

MOTION, BUTTON, DOOR = 4, 17, 27

WIRES = [
    {"sensor": {"id": "hall", "kind": "motion"}, "pin": MOTION, "pull": "down", "active": "high"},
    {"sensor": {"id": "help", "kind": "help"}, "pin": BUTTON, "pull": "up", "active": "low"},
    {"sensor": {"id": "door", "kind": "entrance"}, "pin": DOOR, "pull": "up", "active": "high"},
]

ROUNDS = 5


@pytest.fixture
def wires(machine: Machine) -> Iterator[Job]:
    """The source, reading pins that are at rest: nobody moves, nobody presses, the door is shut."""
    job = machine.begin(*machine.python("wires.py"), stdin=json.dumps(WIRES) + "\n", seconds=120)
    job.until('"counters"')
    # Only now: asking for a pin's own resistor pulls the simulated pin, as no real contact would let it.
    rest = ([0, MOTION, False], [0, BUTTON, True], [0, DOOR, False])
    machine.run(*machine.python("pull.py"), stdin="\n".join(json.dumps(step) for step in rest))
    shut = {"type": "switched", "sensor": "door", "on": False, "fresh": True}
    wait_for(lambda: shut in [line["what"] for line in told(job)], "the door is shut", 5)
    yield job
    job.stop()


def told(job: Job) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in job.out.splitlines() if line.endswith("}")]
    return [line for line in lines if "what" in line]


def test_motion_door_and_presses_are_offered_once_each_and_at_once(
    machine: Machine, wires: Job, figures: dict[str, object]
) -> None:
    steps: list[tuple[float, int, bool]] = []
    for number in range(ROUNDS):
        at = 0.5 + 2.0 * number
        for pin, active in ((MOTION, True), (BUTTON, False), (DOOR, True)):
            steps += [(at, pin, active), (at + 0.4, pin, not active)]
            at += 0.2
    steps.sort()
    before = len(told(wires))
    pulled = machine.run(
        *machine.python("pull.py"), stdin="\n".join(json.dumps(step) for step in steps)
    ).lines
    expected = {
        (MOTION, True): ("switched", "hall", True),
        (MOTION, False): ("switched", "hall", False),
        (BUTTON, False): ("pressed", "help", None),
        (DOOR, True): ("switched", "door", True),
        (DOOR, False): ("switched", "door", False),
    }
    count = ROUNDS * len(expected)
    wait_for(lambda: len(told(wires)) - before >= count, f"{count} observations", 5)
    offered = told(wires)[before:]
    delays: list[float] = []
    for (pin, up), (kind, sensor, on) in expected.items():
        mine = [
            line["at"]
            for line in offered
            if (line["what"]["type"], line["what"].get("sensor"), line["what"].get("on"))
            == (kind, sensor, on)
        ]
        pulls = [step["wall"] for step in pulled if (step["pin"], step["up"]) == (pin, up)]
        assert len(mine) == len(pulls) == ROUNDS, f"{sensor} {on}: {len(mine)} of {len(pulls)}"
        delays += [seen - done for seen, done in zip(mine, pulls, strict=True)]
    figures["edge to observation, debounced"] = (
        f"max {max(delays):.2f} s of {len(delays)}, none lost, none twice"
    )
    assert len(offered) == count
    assert max(delays) < 0.5  # R31 wants an answer to a press within 500 ms
