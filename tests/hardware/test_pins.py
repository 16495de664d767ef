"""Test whether gpiozero, unmodified, sees simulated pins through lgpio: the ground of the wired tests."""

from __future__ import annotations

from tests.hardware.machine import Machine


def test_motion_press_and_door_are_seen_through_lgpio(
    machine: Machine, figures: dict[str, object]
) -> None:
    told = machine.run(*machine.python("pins.py")).lines[-1]
    assert told["seen"] == ["motion", "press", "open", "shut"]
    assert told["factory"] == "LGPIOFactory"
    assert told["chips"] == ["gpiochip0"]
    figures["edge to gpiozero's callback, s"] = told["delays"]
    assert max(told["delays"]) < 1.0
