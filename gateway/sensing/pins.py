"""The hardware's edge: pins through gpiozero and lgpio, and their errors with a remedy.

lgpio makes a FIFO for its edges in the working directory while it is *imported*, fails for good if
it cannot (gpiozero/gpiozero#1106), and with LG_WD set changes the whole program's working directory
(measured, lgpio 0.2.2.0). So it is imported from a folder of its own, which is gone afterwards: the
FIFO lives on in its two open descriptors.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from gateway.domain.errors import SensingError

DEVICES = Path("/dev")

EDGES_MOST = 512
"""Edges of one pin that wait for the loop; the oldest give way. Sixteen meter pulses a second (the
most that IEC 62053-31 allows) fit for a quarter of a minute in which the loop stands still."""


class PinFactory(Protocol):
    """What makes pins: gpiozero's ``LGPIOFactory`` on a Pi, its ``MockFactory`` in tests."""

    def close(self) -> None: ...


def open_factory(chip: int | None = None) -> PinFactory:
    """The pins of this machine. ``chip``: number of the gpiochip; None: the header's, whichever
    number this Pi's kernel gives it. Raises SensingError."""
    try:
        with _own_folder():
            from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        raise SensingError(
            f"The library for GPIO is missing ({error}); install the package python3-lgpio.",
            reason="gpio-library",
        ) from error
    except OSError as error:
        raise SensingError(
            f"The library for GPIO cannot make its pipe ({error}); give the service a writable "
            "folder for temporary files and restart it.",
            reason="gpio-folder",
        ) from error
    try:
        factory: PinFactory = LGPIOFactory(chip)
    except Exception as error:  # lgpio.error has no other base
        raise no_chip(error, chip) from error
    return factory


def close_factory(factory: PinFactory) -> None:
    """Gives all pins back. Never fails, and leaves no pin of a chip that is gone behind: gpiozero
    keeps pins for the whole program and would hand the dead ones out again."""
    for _ in range(2):  # a dead pin breaks the first closing off before the chip itself is closed
        with suppress(Exception):  # lgpio.error has no other base
            factory.close()
            return
        getattr(factory, "pins", {}).clear()


@contextmanager
def _own_folder() -> Iterator[None]:
    """A working directory for one import; no other thread of ours uses relative paths."""
    before = Path.cwd()
    told = os.environ.get("LG_WD")
    folder = tempfile.mkdtemp(prefix="ansim-gpio-", dir=os.environ.get("RUNTIME_DIRECTORY"))
    os.environ["LG_WD"] = folder
    try:
        os.chdir(folder)
        yield
    finally:
        os.chdir(before)
        if told is None:
            del os.environ["LG_WD"]
        else:
            os.environ["LG_WD"] = told
        shutil.rmtree(folder, ignore_errors=True)


def no_chip(error: Exception, chip: int | None, devices: Path = DEVICES) -> SensingError:
    """Why the pins cannot be opened at all, and what to do about it."""
    if type(error).__name__ == "PinUnknownPi":
        return SensingError(
            "This machine is not a Raspberry Pi, so its pins are not known; use one, or take the "
            "wired sensors out of the settings.",
            reason="gpio-board",
        )
    wanted = "gpiochip*" if chip is None else f"gpiochip{chip}"
    there = sorted(devices.glob(wanted))
    if not there:
        return SensingError(
            f"There is no /dev/{wanted}; boot the Raspberry Pi OS kernel and give the service "
            "access to the device.",
            reason="gpio-missing",
        )
    if not any(os.access(path, os.R_OK | os.W_OK) for path in there):
        return SensingError(
            f"The service may not open {there[0]}; add its user to the group gpio and restart it.",
            reason="gpio-permission",
        )
    return SensingError(
        f"The pins cannot be opened ({error}); restart the hub, and change it if that does not "
        "help.",
        reason="gpio-chip",
    )


def pin_error(error: Exception, pin: int) -> SensingError:
    """Why one pin cannot be had, and what to do about it."""
    name, text = type(error).__name__, str(error)
    if name == "GPIOPinInUse":
        return SensingError(
            f"GPIO {pin} is used twice; give every sensor pins of its own in the settings.",
            reason="pin-twice",
        )
    if "busy" in text.lower() or "in use" in text.lower():
        return SensingError(
            f"GPIO {pin} is taken by another program or by an overlay of the kernel; wire the "
            "sensor to another pin, or take the line out of config.txt.",
            reason="pin-busy",
        )
    if name in {"PinFixedPull", "PinInvalidPull"}:
        return SensingError(
            f"GPIO {pin} has a resistor of its own on the board; wire the sensor to another pin.",
            reason="pin-pull",
        )
    if name in {"PinInvalidPin", "PinInvalidFunction"}:
        return SensingError(
            f"GPIO {pin} is no pin of this board; wire the sensor to one of the header.",
            reason="pin-unknown",
        )
    return SensingError(
        f"GPIO {pin} cannot be read ({text}); check the sensor's wiring, then restart the hub.",
        reason="pin-failed",
    )


class Tap:
    """One opened pin: its level now, and its edges since it was asked last.

    Edges come in gpiozero's own thread and are stamped there: an event loop that is late must not
    make a short press look like a spike.
    """

    def __init__(
        self,
        factory: PinFactory,
        pin: int,
        pull: Literal["up", "down"] | None,
        now: Callable[[], float],
        ring: Callable[[], None],
    ) -> None:
        """``now``: seconds since boot, from any thread. ``ring``: called in the foreign thread
        after each edge; must be quick. Raises SensingError."""
        from gpiozero import InputDevice

        self.pin = pin
        self.dropped = 0
        self._now = now
        self._ring = ring
        self._edges: deque[tuple[float, bool]] = deque(maxlen=EDGES_MOST)
        self._device: Any = None
        try:
            self._device = InputDevice(
                pin,
                pull_up=None if pull is None else pull == "up",
                active_state=True if pull is None else None,
                pin_factory=factory,
            )
            self._device.pin.bounce = None
            self._device.pin.edges = "both"
            self._device.pin.when_changed = self._changed
        except Exception as error:  # lgpio.error has no other base
            self.close()
            raise pin_error(error, pin) from error

    def read(self) -> bool:
        """Whether the pin is high. Raises SensingError."""
        try:
            return bool(self._device.pin.state)
        except Exception as error:  # lgpio.error has no other base
            raise pin_error(error, self.pin) from error

    def edges(self) -> list[tuple[float, bool]]:
        """Takes out what came in: seconds since boot, and the level from then on."""
        return [self._edges.popleft() for _ in range(len(self._edges))]

    def close(self) -> None:
        """Gives the pin back. Never fails: a pin that is gone is given back already."""
        device, self._device = self._device, None
        if device is None:
            return
        for release in (self._mute, type(device).close):
            with suppress(Exception):  # lgpio.error has no other base
                release(device)
        device._pin = None  # noqa: SLF001  else a dead pin is closed again, loudly, by __del__

    @staticmethod
    def _mute(device: Any) -> None:
        device.pin.when_changed = None

    def _changed(self, _ticks: float, state: float) -> None:
        """In the foreign thread. It must never raise: lgpio's only thread would end silently."""
        if len(self._edges) == EDGES_MOST:
            self.dropped += 1
        self._edges.append((self._now(), bool(state)))
        self._ring()
