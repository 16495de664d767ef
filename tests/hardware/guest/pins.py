"""Pulls simulated pins and lets gpiozero see them through lgpio, unmodified.

Usage: pins.py    One JSON line: what was seen of a motion, a press and a door, and after how long.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from gpiozero import Button, Device, DigitalInputDevice, MotionSensor
from pull import pull  # type: ignore[import-not-found]  # beside it in the guest

MOTION, BUTTON, DOOR = 4, 17, 27


def main() -> None:
    seen: list[tuple[str, float]] = []

    def note(what: str) -> None:
        seen.append((what, time.monotonic()))

    pull(MOTION, up=False)
    pull(BUTTON, up=True)
    pull(DOOR, up=False)
    motion = MotionSensor(MOTION, queue_len=1)
    button = Button(BUTTON, bounce_time=0.02)
    door = DigitalInputDevice(DOOR)
    motion.when_motion = lambda: note("motion")
    button.when_pressed = lambda: note("press")
    door.when_activated = lambda: note("open")
    door.when_deactivated = lambda: note("shut")
    time.sleep(0.3)
    delays: list[float] = []
    for pin, up in ((MOTION, True), (BUTTON, False), (DOOR, True), (DOOR, False)):
        before = len(seen)
        begun = time.monotonic()
        pull(pin, up=up)
        while len(seen) == before and time.monotonic() - begun < 3:
            time.sleep(0.002)
        delays.append(round(time.monotonic() - begun, 3))
        time.sleep(0.2)
    factory = Device.pin_factory
    print(
        json.dumps(
            {
                "seen": [what for what, _ in seen],
                "delays": delays,
                "factory": type(factory).__name__,
                "model": factory.board_info.model,
                "chips": [path.name for path in Path("/dev").glob("gpiochip*")],
            }
        )
    )


main()
