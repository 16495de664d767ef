"""The one scanner: started, stopped, thrown away; never two at a time.

Every await on D-Bus has a time-out, because bluetoothd answers late, or not at all, exactly when a
radio is ill. What did not end cleanly is ended by closing the connection: BlueZ forgets what a
vanished program had asked for, so nothing of ours can go on scanning behind our back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any, Final, Protocol

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs, OrPattern
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)
from dbus_fast.errors import AuthError, DBusError

from gateway.sensing.ladder import Trouble
from gateway.sensing.modes import Mode
from gateway.sensing.sieve import Ears, Sieve

log = logging.getLogger("ansim")

for _name in ("bleak", "dbus_fast"):
    # Their debug output is full of neighbours' addresses; those are written down nowhere.
    logging.getLogger(_name).setLevel(logging.INFO)

BTHOME: Final = "0000fcd2-0000-1000-8000-00805f9b34fb"
"""Service data of BTHome v2."""

CONNECT_TIMEOUT: Final = 15.0
"""Seconds to connect and to read what BlueZ knows. The reply lists every device it remembers: 6,000
of them (200 new addresses a second for the 30 s that BlueZ keeps them) are some 12 MB, which a Pi
Zero 2 reads in about eight seconds."""

START_TIMEOUT: Final = 15.0
"""Seconds for SetDiscoveryFilter and StartDiscovery. An adapter answers in 0.1 to 2 s; the kernel
gives a controller 2 s for each of up to five HCI commands, and reports only then. habluetooth waits
as long."""

STOP_TIMEOUT: Final = 5.0
"""Seconds for StopDiscovery. One HCI command of at most 2 s and bleak's second attempt after
InProgress fit in. Nobody waits longer for an end: the connection is closed instead."""

PING_TIMEOUT: Final = 5.0
"""Seconds for a word to the D-Bus daemon and back. It answers itself in a millisecond; where it
takes five seconds, a press waits as long, and that connection is given up with all that waits in
it. Short, too, because nothing else is noticed meanwhile, and 10 s are the limit for a restart."""

_SERVICE_DATA: Final = AdvertisementDataType.SERVICE_DATA_UUID16

PATTERNS: Final = [
    OrPattern(0, _SERVICE_DATA, b"\xd2\xfc"),
    *(OrPattern(0, _SERVICE_DATA, bytes([info])) for info in (0x40, 0x41, 0x44, 0x45)),
]
"""BTHome v2, for passive scanning. Controllers that filter themselves compare the raw field, so it
begins with the UUID; some versions of BlueZ compare what follows the UUID (bluez #1176, #2110), so
it begins with the device information: plain or encrypted, regular or trigger-based."""

_REASONS: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: Trouble.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.POWERED_OFF: Trouble.POWERED_OFF,
}


class ScanError(Exception):
    """Raised when no scanner runs after ``start``; ``trouble`` says why."""

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble


class PassiveRefusedError(ScanError):
    """Raised when BlueZ knows no passive scanning."""


class Listener(Ears, Protocol):
    """Who is told what the scanner hears."""

    def frame(self, address: str, data: bytes) -> None:
        """New service data of an enrolled sensor."""


class Scanner:
    """Owns the connection (``Sieve``) and the ``BleakScanner`` on it. Not to be used by two tasks
    at once. ``adapter``: path of the adapter in use, e.g. /org/bluez/hci0."""

    def __init__(self, addresses: Collection[str], adapter: str | None, listener: Listener) -> None:
        """``adapter``: its address; None takes the first that is powered."""
        self.adapter: str | None = None
        self.mode: Mode | None = None
        self._ended = {"ble-strangers": 0, "ble-foreign": 0}
        self._cached = 0
        self._addresses = frozenset(addresses)
        self._wanted = adapter
        self._listener = listener
        self._sieve: Sieve | None = None
        self._scanner: BleakScanner | None = None
        self._made_for: tuple[Mode, str] | None = None

    @property
    def running(self) -> bool:
        """Whether a scan was started and not ended by us."""
        return self.mode is not None

    @property
    def remembered(self) -> int:
        """Number of D-Bus objects in memory: adapters and enrolled sensors, never strangers."""
        return 0 if self._sieve is None else self._sieve.size

    @property
    def counters(self) -> dict[str, int]:
        """Signals about devices that are not enrolled, signals that were not bluetoothd's, and
        callbacks of bleak with nothing new in them; since the start."""
        counts = {**self._ended, "ble-cached": self._cached}
        if self._sieve is not None:
            counts["ble-strangers"] += self._sieve.strangers
            counts["ble-foreign"] += self._sieve.foreign
        return counts

    async def start(self, mode: Mode, owner: str) -> None:
        """Scan. What ran before is ended first; if that was not clean, or bluetoothd is another
        one (``owner``) since, everything is made anew. Raises ScanError."""
        if self._sieve is not None and self._sieve.owner != owner:
            await self.drop()
        await self.stop()
        try:
            sieve = await self._connected(owner)
            path = self._choose(sieve)
            sieve.prefix = path + "/"
            self.adapter = path
            async with asyncio.timeout(START_TIMEOUT):
                await self._begin(sieve, mode, path)
        except ScanError as error:
            if error.trouble not in (Trouble.NO_ADAPTER, Trouble.POWERED_OFF):
                await self.drop()  # else the connection stays, to hear of an adapter at once
            raise
        except TimeoutError:
            await self.drop()
            raise ScanError(Trouble.HUNG, "bluetoothd did not answer in time") from None
        except (OSError, EOFError, AuthError, DBusError) as error:
            await self.drop()
            raise ScanError(Trouble.BUS_LOST, type(error).__name__) from error
        except BaseException:
            await asyncio.shield(self.drop())
            raise
        self.mode = mode

    async def stop(self) -> None:
        """End the scan. After an unclean end the connection is closed too."""
        scanner, running = self._scanner, self.running
        self.mode = None
        if scanner is None or not running:
            return
        if self._sieve is None or not self._sieve.connected:
            await self.drop()
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await scanner.stop()
        except (BleakError, TimeoutError, OSError, EOFError, AttributeError, AssertionError):
            # The last two: bleak meets a connection that ended while it waited.
            await self.drop()
        except BaseException:
            await asyncio.shield(self.drop())
            raise

    async def drop(self) -> None:
        """Throw scanner and connection away, whatever state they are in. Never fails."""
        self.mode = self._scanner = None
        sieve, self._sieve = self._sieve, None
        if sieve is None:
            return
        self._ended["ble-strangers"] += sieve.strangers
        self._ended["ble-foreign"] += sieve.foreign
        await sieve.close()

    async def ping(self) -> float | None:
        """Seconds for a word through the connection; None without one. Raises ScanError."""
        sieve = self._sieve
        if sieve is None:
            return None
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(PING_TIMEOUT):
                await sieve.ping()
        except TimeoutError:
            raise ScanError(Trouble.HUNG, "the D-Bus daemon did not answer in time") from None
        except (OSError, EOFError, DBusError) as error:
            raise ScanError(Trouble.BUS_LOST, type(error).__name__) from error
        return loop.time() - begun

    async def _connected(self, owner: str) -> Sieve:
        if self._sieve is None:
            self._scanner = None
            self._sieve = Sieve(self._addresses, owner, self._listener)
            self._sieve.install()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._sieve.async_init()
        except BleakDBusError as error:
            raise ScanError(_trouble(error), error.dbus_error) from error
        except BleakError as error:
            raise ScanError(Trouble.REFUSED, type(error).__name__) from error
        return self._sieve

    def _choose(self, sieve: Sieve) -> str:
        """Path of the adapter with the wanted address: hci0 and hci1 change places at will."""
        fitting = {
            path: properties
            for path, properties in sieve.adapters().items()
            if self._wanted in (None, properties.get("Address"))
        }
        if not fitting:
            raise ScanError(Trouble.NO_ADAPTER, "no such Bluetooth adapter; is it plugged in?")
        powered = [path for path, properties in fitting.items() if properties.get("Powered")]
        if not powered:
            self.adapter = next(iter(fitting))
            raise ScanError(Trouble.POWERED_OFF, "the Bluetooth adapter is switched off")
        return powered[0]

    async def _begin(self, sieve: Sieve, mode: Mode, path: str) -> None:
        if self._scanner is None or self._made_for != (mode, path):
            self._scanner = self._make(sieve, mode, path.rpartition("/")[2])
            self._made_for = (mode, path)
        try:
            await self._scanner.start()
        except BleakDBusError as error:
            trouble = _trouble(error)
            if mode is Mode.PASSIVE and trouble is Trouble.REFUSED:
                raise PassiveRefusedError(trouble, error.dbus_error) from error
            raise ScanError(trouble, error.dbus_error) from error
        except BleakBluetoothNotAvailableError as error:
            trouble = _REASONS.get(error.reason, Trouble.REFUSED)
            raise ScanError(trouble, error.reason.name) from error
        except BleakError as error:
            if mode is Mode.PASSIVE:
                raise PassiveRefusedError(Trouble.REFUSED, "no passive scanning") from error
            raise ScanError(Trouble.NO_ADAPTER, "the Bluetooth adapter went away") from error

    def _make(self, sieve: Sieve, mode: Mode, adapter: str) -> BleakScanner:
        options = BlueZScannerArgs(adapter=adapter, filters={"DuplicateData": True})
        if mode is Mode.PASSIVE:
            options["or_patterns"] = list(PATTERNS)

        def detected(device: BLEDevice, advertisement: AdvertisementData) -> Any:
            data = advertisement.service_data.get(BTHOME)
            if data is None:
                return
            if sieve.fresh:
                self._listener.frame(device.address, data)
            else:
                self._cached += 1

        return BleakScanner(detected, scanning_mode=mode.value, bluez=options)


def _trouble(error: BleakDBusError) -> Trouble:
    match error.dbus_error.rpartition(".")[2]:
        case "ServiceUnknown" | "NameHasNoOwner":
            return Trouble.DAEMON_GONE
        case "NotReady":
            return Trouble.POWERED_OFF
        case "UnknownObject":
            return Trouble.NO_ADAPTER
        case "NoReply" | "Timeout" | "TimedOut":
            return Trouble.HUNG
        case _:
            return Trouble.REFUSED
