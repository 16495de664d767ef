"""Switches a Bluetooth adapter off and on again: the one remedy for the radio that needs privileges.

A program of its own, run as root by ``ansim-radio-power@.service``; the hub, which is not root, asks
systemd to start it (gateway.runtime.helpers). It needs CAP_NET_ADMIN, ``/dev/rfkill`` and the
standard library, and imports nothing that the radio's own failure could have broken::

    python3 -m gateway.sensing.power_cycle hci0|any

Per adapter: switch it off, block and unblock its rfkill switch, switch it on, see that it is on.
What it says goes to standard error (the journal). Exit codes, read by gateway.runtime.helpers:

    0   the adapter is switched on; with any: at least one is, and every one was tried
    1   a mistake of this program (Python's own code for it)
    2   the argument is neither hci with a number nor any
    3   there is no such adapter, not even after all rfkill switches were unblocked
    4   a switch of the machine itself holds the radio off (hard rfkill)
    5   not permitted: CAP_NET_ADMIN or /dev/rfkill is missing
    6   a step did not end in time
    7   the kernel refused, or the adapter did not come on
"""

from __future__ import annotations

import errno
import fcntl
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

ANY: Final = "any"
NAME: Final = re.compile(r"hci(0|[1-9][0-9]{0,3})", re.ASCII)
"""The kernel numbers adapters with 16 bits; nobody has ten thousand."""

STEP: Final = 12.0
"""Seconds for one step. The kernel gives a controller 10 s to answer when it is switched on
(HCI_INIT_TIMEOUT), all else is over in milliseconds."""

TOTAL: Final = 40.0
"""Seconds for everything: the hub waits 55 s for the unit (gateway.runtime.helpers)."""

OFF: Final = 1.0
"""Seconds that it stays off. A controller whose supply is really cut (the shutdown line of a
Raspberry Pi's chip) must lose its state, or the remedy is none."""

COME: Final = 5.0
"""Seconds for an adapter to appear after its switch was unblocked: where a switch cuts the supply
of a USB adapter, that one is found anew, which takes the kernel a second or two."""

LOOK: Final = 0.1
"""Seconds between two looks whether something has come."""

_AF_BLUETOOTH: Final = 31
_BTPROTO_HCI: Final = 1
"""Written out: not every Python is built with Bluetooth's header."""

_HCIDEVUP: Final = 0x400448C9
_HCIDEVDOWN: Final = 0x400448CA
_HCIGETDEVINFO: Final = 0x800448D3
_DEV_INFO: Final = 92
"""Bytes of ``struct hci_dev_info``; its flags are at byte 16, and bit 0 says that it is up."""

_RFKILL_EVENT: Final = struct.Struct("=IBBBB")
"""``struct rfkill_event``: number, type, operation, soft, hard."""
_RFKILL_BLUETOOTH: Final = 2
_RFKILL_CHANGE: Final = 2
_RFKILL_CHANGE_ALL: Final = 3


class Code(IntEnum):
    """How it ended."""

    DONE = 0
    USAGE = 2
    NO_ADAPTER = 3
    HARD_BLOCKED = 4
    NOT_PERMITTED = 5
    LATE = 6
    REFUSED = 7


class PowerError(Exception):
    """Raised when an adapter could not be switched on; ``code`` says why."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Kernel:
    """What the kernel offers, one call each."""

    def __init__(
        self,
        classes: Path = Path("/sys/class/bluetooth"),
        rfkill: Path = Path("/dev/rfkill"),
    ) -> None:
        self._classes = classes
        self._rfkill = rfkill

    def adapters(self) -> list[str]:
        """Names of the adapters that are there. (``hci0:64`` beside them is a connection.)"""
        try:
            names = [path.name for path in self._classes.iterdir()]
        except FileNotFoundError:
            return []
        return sorted((name for name in names if NAME.fullmatch(name)), key=number)

    def switch(self, adapter: str) -> int | None:
        """The number of an adapter's rfkill switch; None if it has none."""
        for path in (self._classes / adapter).glob("rfkill*/index"):
            return int(path.read_text())
        return None

    def hard_blocked(self, adapter: str) -> bool:
        """Whether a switch or the firmware holds it off, against which no program can do."""
        paths = (self._classes / adapter).glob("rfkill*/hard")
        return any(path.read_text().strip() == "1" for path in paths)

    def block(self, switch: int, *, blocked: bool) -> None:
        """Move one rfkill switch."""
        self._change(switch, _RFKILL_CHANGE, blocked=blocked)

    def unblock_all(self) -> None:
        """Unblock every Bluetooth switch, those of adapters that are not there included."""
        self._change(0, _RFKILL_CHANGE_ALL, blocked=False)

    def up(self, adapter: str) -> None:
        """Switch on; no error if it is on."""
        try:
            self._ioctl(_HCIDEVUP, adapter)
        except OSError as error:  # bluetoothd may have been quicker: it too sees the unblocking
            if error.errno != errno.EALREADY:
                raise

    def down(self, adapter: str) -> None:
        """Switch off; no error if it is off."""
        self._ioctl(_HCIDEVDOWN, adapter)

    def is_up(self, adapter: str) -> bool:
        """Whether it is on."""
        asked = bytearray(_DEV_INFO)
        struct.pack_into("=H", asked, 0, number(adapter))
        with self._socket() as line:
            fcntl.ioctl(line, _HCIGETDEVINFO, asked)
        return bool(struct.unpack_from("=I", asked, 16)[0] & 1)

    def _change(self, switch: int, what: int, *, blocked: bool) -> None:
        event = _RFKILL_EVENT.pack(switch, _RFKILL_BLUETOOTH, what, int(blocked), 0)
        with self._rfkill.open("r+b", buffering=0) as device:
            device.write(event)

    def _ioctl(self, request: int, adapter: str) -> None:
        with self._socket() as line:
            fcntl.ioctl(line, request, number(adapter))

    def _socket(self) -> socket.socket:
        return socket.socket(_AF_BLUETOOTH, socket.SOCK_RAW, _BTPROTO_HCI)


class Cycle:
    """Does it, each step with a time-out, all of them within ``total`` seconds."""

    def __init__(
        self,
        kernel: Kernel,
        say: Callable[[str], None],
        *,
        step: float = STEP,
        total: float = TOTAL,
        off: float = OFF,
        come: float = COME,
    ) -> None:
        self._kernel = kernel
        self._say = say
        self._step = step
        self._end = time.monotonic() + total
        self._off = off
        self._come = come

    def run(self, which: str) -> None:
        """``which``: the name of an adapter, or any. Raises PowerError; with any, every adapter is
        tried first, and one that comes on is enough."""
        kernel = self._kernel
        names = self._wanted(which)
        if not names:
            # Not there may mean that a switch has cut its supply.
            self._do("unblock all switches", kernel.unblock_all)
            self._until(lambda: bool(self._wanted(which)), self._come)
            names = self._wanted(which)
        if not names:
            raise PowerError(Code.NO_ADAPTER, f"there is no Bluetooth adapter {which}")
        failed: list[PowerError] = []
        for name in names:
            try:
                self._cycle(name)
            except PowerError as error:
                self._say(str(error))
                failed.append(error)
        if len(failed) == len(names):
            raise failed[0]

    def _wanted(self, which: str) -> list[str]:
        here = self._do("look for adapters", self._kernel.adapters)
        return [name for name in here if which in (ANY, name)]

    def _cycle(self, name: str) -> None:
        kernel = self._kernel
        try:
            self._do(f"{name}: off", lambda: kernel.down(name))
        except PowerError as error:
            if error.code is not Code.REFUSED:
                raise
            self._say(str(error))  # a controller that cannot even be switched off: go on
        switch = self._do(f"{name}: find its switch", lambda: kernel.switch(name))
        if switch is not None:
            self._do(f"{name}: block", lambda: kernel.block(switch, blocked=True))
        time.sleep(self._off)
        if switch is not None:
            self._do(f"{name}: unblock", lambda: kernel.block(switch, blocked=False))
            if self._do(f"{name}: look at its switch", lambda: kernel.hard_blocked(name)):
                raise PowerError(
                    Code.HARD_BLOCKED, f"{name} is held off by a switch of the machine itself"
                )
        self._do(f"{name}: on", lambda: kernel.up(name))
        if not self._until(lambda: kernel.is_up(name), self._come):
            raise PowerError(Code.REFUSED, f"{name} did not come on")
        self._say(f"{name} was switched off and on")

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self._do("look again", condition):
            if time.monotonic() > end:
                return False
            time.sleep(LOOK)
        return True

    def _do(self, what: str, step: Callable[[], T]) -> T:
        """One step. It runs beside us, for a call into a broken driver need never return."""
        done: list[T] = []
        failed: list[OSError] = []

        def work() -> None:
            try:
                done.append(step())
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=work, name=what, daemon=True)
        thread.start()
        thread.join(max(0.0, min(self._step, self._end - time.monotonic())))
        if failed:
            raise _told(what, failed[0])
        if not done:
            raise PowerError(Code.LATE, f"{what}: did not end in time")
        return done[0]


def number(adapter: str) -> int:
    """``hci12`` is 12."""
    return int(adapter.removeprefix("hci"))


def valid(which: str) -> bool:
    """Whether this names an adapter, or any."""
    return which == ANY or NAME.fullmatch(which) is not None


def _told(what: str, error: OSError) -> PowerError:
    code = {
        errno.EPERM: Code.NOT_PERMITTED,
        errno.EACCES: Code.NOT_PERMITTED,
        errno.ENODEV: Code.NO_ADAPTER,
        errno.ETIMEDOUT: Code.LATE,
    }.get(error.errno or 0, Code.REFUSED)
    return PowerError(code, f"{what}: {error.strerror or error}")


def main(words: Sequence[str], kernel: Kernel | None = None) -> int:
    """The program; returns its exit code."""
    if len(words) != 1 or not valid(words[0]):
        _say("usage: python3 -m gateway.sensing.power_cycle hci0|any")
        return Code.USAGE
    try:
        Cycle(kernel or Kernel(), _say).run(words[0])
    except PowerError as error:
        _say(str(error))
        return error.code
    return Code.DONE


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201  # a program's voice: the journal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
