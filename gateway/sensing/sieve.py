"""bleak's view of BlueZ, for enrolled devices only.

bleak keeps every property of every device that BlueZ knows, and again for every device that its
scanner saw. In a block of flats these are thousands of neighbours' phones with a new address every
quarter of an hour. The sieve stands before that: a stranger's signal is counted and forgotten, so a
stranger costs one set look-up, no memory, and is in no log. It also sees what bleak's callback
hides: which properties a signal changed. BlueZ signals RSSI alone, or Connected alone, and bleak
then delivers the service data that it had in its cache as if it were new (measured).

It overrides two methods of a private class of bleak. The lock file pins the version, the tests in
tests/system/ble run against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final, Protocol

from bleak.backends.bluezdbus import manager as bleak_manager
from bleak.backends.bluezdbus.manager import BlueZManager
from dbus_fast import Message, MessageType

ADAPTER: Final = "org.bluez.Adapter1"
DEVICE: Final = "org.bluez.Device1"

ADVERTISED: Final = frozenset({"ServiceData", "ManufacturerData", "AdvertisingData"})
"""Properties that only an advertisement changes. RSSI is not among them: it also changes, and is
taken away, when a scan ends or a device connects; nor is Name or UUIDs, which a connection fills."""

_TAIL: Final = len("dev_00_11_22_33_44_55")

CLOSE_TIMEOUT: Final = 2.0
"""Seconds for dbus-fast to notice that we closed its socket. That needs one round of the event
loop; two seconds are a machine that swaps. Later it is left to the garbage collector."""


class Ears(Protocol):
    """Who listens. All three are called in the event loop's thread and must not wait."""

    def pulse(self) -> None:
        """Somebody's new advertisement came through our adapter."""

    def adapter(self, path: str, here: bool | None, powered: bool | None) -> None:
        """An adapter appeared, went or changed its power; None: as before."""

    def lost(self) -> None:
        """The connection to the D-Bus daemon broke without our doing."""


class Sieve(BlueZManager):
    """One connection to BlueZ. ``fresh`` is True while a signal is handled that announced service
    data; ``frames``, ``strangers`` and ``foreign`` count signals."""

    def __init__(self, addresses: Collection[str], owner: str, ears: Ears) -> None:
        """``owner``: unique bus name of bluetoothd. Signals of anybody else that look like its own
        are dropped: on the system bus every local program may send some."""
        super().__init__()
        self.owner = owner
        self.fresh = False
        self.frames = self.strangers = self.foreign = 0
        self.prefix = "/org/bluez/"
        """Path of our adapter with a slash, once it is known."""
        self._tails = frozenset("dev_" + address.replace(":", "_") for address in addresses)
        self._ears = ears
        self._closing = False

    def install(self) -> None:
        """Make bleak use this connection in the running event loop. The one before is closed."""
        bleak_manager._global_instances[asyncio.get_running_loop()] = self  # noqa: SLF001 - see above

    async def close(self) -> None:
        """End the connection. BlueZ then ends what we had asked for, whatever state it is in."""
        self._closing = True
        loop = asyncio.get_running_loop()
        instances = bleak_manager._global_instances  # noqa: SLF001 - see above
        if instances.get(loop) is self:
            del instances[loop]
        bus, watcher = self._bus, self._bus_watcher_task
        self._bus = self._bus_watcher_task = None
        if bus is not None:
            bus.disconnect()
        if watcher is not None:
            await asyncio.wait({watcher}, timeout=CLOSE_TIMEOUT)
            watcher.cancel()
        self._reset_cached_state()

    async def async_init(self) -> None:
        """Connect once. Raises ConnectionError instead of silently connecting anew: what we know
        about BlueZ would then be old."""
        if self._closing or (self._bus is not None and not self.connected):
            raise ConnectionError("the connection to BlueZ is closed")
        new = self._bus is None
        await super().async_init()
        if new:
            for path in [path for path in self._properties if self._is_stranger(path)]:
                del self._properties[path]

    async def ping(self) -> None:
        """A word to the D-Bus daemon and back, through all that waits before it."""
        if self._bus is None or not self.connected:
            raise ConnectionError("the connection to BlueZ is closed")
        bus = "org.freedesktop.DBus"
        await self._bus.call(
            Message(destination=bus, path="/org/freedesktop/DBus", interface=bus, member="GetId")
        )

    def adapters(self) -> dict[str, dict[str, Any]]:
        """Properties of each adapter by its path."""
        return {
            path: self._properties[path][ADAPTER]
            for path in sorted(self._adapters)
            if ADAPTER in self._properties.get(path, {})
        }

    @property
    def connected(self) -> bool:
        """Whether there is a connection to write to. dbus-fast would write to a closed one, too:
        into whatever file has its number by then."""
        return self._bus is not None and self._bus.connected

    @property
    def size(self) -> int:
        """Number of D-Bus objects that are remembered."""
        return len(self._properties)

    def _parse_msg(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.sender != self.owner:
            self.foreign += 1
            return
        member, body = message.member, message.body
        if member == "PropertiesChanged":
            path, interface, changed = message.path or "", body[0], body[1]
            if interface == ADAPTER:
                super()._parse_msg(message)
                if "Powered" in changed:
                    self._ears.adapter(path, None, bool(changed["Powered"].value))
                return
            if interface == DEVICE:
                self._device(path, changed.keys(), message)
        elif member == "InterfacesAdded":
            path, interfaces = body
            if DEVICE in interfaces:
                self._device(path, interfaces[DEVICE].keys(), message)
            elif not self._is_stranger(path):
                super()._parse_msg(message)
                if ADAPTER in interfaces:
                    self._ears.adapter(path, True, None)
        elif member == "InterfacesRemoved":
            path, names = body
            if not self._is_stranger(path):
                super()._parse_msg(message)
                if ADAPTER in names:
                    self._ears.adapter(path, False, None)

    def _device(self, path: str, changed: Collection[str], message: Message) -> None:
        if not ADVERTISED.isdisjoint(changed) and path.startswith(self.prefix):
            self._ears.pulse()
        if self._is_stranger(path):
            self.strangers += 1
            return
        self.frames += 1
        self.fresh = "ServiceData" in changed
        try:
            super()._parse_msg(message)
        finally:
            self.fresh = False

    def _is_stranger(self, path: str) -> bool:
        start = path.find("/dev_") + 1
        return start > 0 and path[start : start + _TAIL] not in self._tails

    def _handle_bus_disconnect(self, exc: Exception | None) -> None:  # noqa: ARG002 - bleak's
        if self._closing:
            return
        self._reset_cached_state()
        self._ears.lost()
