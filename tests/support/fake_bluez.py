"""A bluetoothd that is a few hundred lines of Python on a private D-Bus: it knows sessions, filters
and monitors per client as the real one does, and can be told to misbehave in its known ways."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from dbus_fast import BusType, Message, MessageType, NameFlag, Variant
from dbus_fast.aio.message_bus import MessageBus

from tests.support.fake_device import MANAGER, Adapter, Device, Props, path_of

NAME = "org.bluez"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
MONITORS = "org.bluez.AdvertisementMonitorManager1"
BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
ADDRESS = "E0:E1:E2:E3:E4:E5"


class FakeBlueZ:
    """``await start()``, ``await stop()`` as often as you like: each start is another bluetoothd.

    ``hang``    names of methods that never answer
    ``errors``  error names that methods answer with
    ``calls``   every method call that came
    """

    def __init__(self, adapters: Iterable[Adapter] | None = None, *, passive: bool = True) -> None:
        self.adapters = [Adapter("hci0", ADDRESS)] if adapters is None else list(adapters)
        self.passive = passive
        self.hang: set[str] = set()
        self.errors: dict[str, str] = {}
        self.calls: list[str] = []
        self.peak_sessions = 0
        self.devices: dict[str, Device] = {}
        self.sessions: dict[tuple[str, str], dict[str, Any]] = {}
        """Discovery filter by (client, adapter)."""
        self.monitors: dict[tuple[str, str, str], list[tuple[int, int, bytes]]] = {}
        """Patterns by (client, adapter, path of the monitor)."""
        self._filters: dict[str, dict[str, Any]] = {}
        self._bus: MessageBus | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the daemon ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the name. Adapters appear with it."""
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self._bus = bus
        bus.add_message_handler(self._handle)
        rule = "type='signal',member='NameOwnerChanged',sender='org.freedesktop.DBus'"
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        await bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)

    async def stop(self) -> None:
        """Die: everything is forgotten, nobody is told more than the D-Bus daemon tells."""
        if self._bus is not None:
            bus, self._bus = self._bus, None
            bus.disconnect()
            await asyncio.wait_for(bus.wait_for_disconnect(), 5)  # type: ignore[no-untyped-call]
        self.devices.clear()
        self.sessions.clear()
        self.monitors.clear()
        self._filters.clear()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def scans(self) -> int:
        """Clients that scan at this moment, actively or through monitors."""
        return len(self.sessions) + len(self.monitors)

    # -- the air ---------------------------------------------------------------------------------

    def advertise(
        self,
        address: str,
        data: bytes | None = None,
        *,
        uuid: str = BTHOME,
        rssi: int = -60,
        adapter: str = "hci0",
        manufacturer: bytes | None = None,
    ) -> bool:
        """An advertisement is in the air. Returns whether anybody is told of it."""
        if not self._wanted(adapter, uuid, data):
            return False
        path = path_of(adapter, address)
        device = self.devices.get(path)
        new = device is None
        if device is None:
            device = self.devices[path] = Device(address, adapter)
        device.rssi = rssi
        if data is not None:
            device.service_data[uuid] = data
        if manufacturer is not None:
            device.manufacturer = manufacturer
        if new:
            self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, device.all()])
        else:
            changed = {"RSSI": Variant("n", rssi)}
            changed |= device.advertised(service=data is not None, other=manufacturer is not None)
            self._changed(path, "org.bluez.Device1", changed)
        return True

    def rssi_only(self, address: str, rssi: int, adapter: str = "hci0") -> None:
        """The strength changed; bleak will deliver what it knows from before."""
        path = path_of(adapter, address)
        self.devices[path].rssi = rssi
        self._changed(path, "org.bluez.Device1", {"RSSI": Variant("n", rssi)})

    def connected(self, address: str, yes: bool, adapter: str = "hci0") -> None:
        path = path_of(adapter, address)
        self._changed(path, "org.bluez.Device1", {"Connected": Variant("b", yes)})

    def forget(self, address: str, adapter: str = "hci0") -> None:
        """A device that was not heard for long is removed."""
        path = path_of(adapter, address)
        del self.devices[path]
        body = [path, ["org.bluez.Device1", PROPERTIES]]
        self._signal("/", OBJECTS, "InterfacesRemoved", "oas", body)

    # -- the adapters ----------------------------------------------------------------------------

    def unplug(self, name: str = "hci0") -> Adapter:
        adapter = next(a for a in self.adapters if a.name == name)
        self.adapters.remove(adapter)
        for kept in (self.sessions, self.monitors):
            for key in [key for key in kept if key[1] == name]:
                del kept[key]  # type: ignore[arg-type]  # keys of either kind
        body = [adapter.path, ["org.bluez.Adapter1", MONITORS, PROPERTIES]]
        self._signal("/", OBJECTS, "InterfacesRemoved", "oas", body)
        return adapter

    def plug(self, adapter: Adapter) -> None:
        self.adapters.append(adapter)
        body = [adapter.path, adapter.all(passive=self.passive)]
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", body)

    def power(self, on: bool, name: str = "hci0") -> None:
        adapter = next(a for a in self.adapters if a.name == name)
        adapter.powered = on
        if not on:
            for key in [key for key in self.sessions if key[1] == name]:
                del self.sessions[key]
        self._changed(adapter.path, "org.bluez.Adapter1", {"Powered": Variant("b", on)})

    # -- D-Bus -----------------------------------------------------------------------------------

    def _wanted(self, adapter: str, uuid: str, data: bytes | None) -> bool:
        if any(name == adapter for _client, name in self.sessions):
            return True
        if data is None:
            return False
        field = bytes.fromhex(uuid[6:8] + uuid[4:6]) + data
        return any(
            name == adapter
            and any(
                kind == 0x16 and field[start : start + len(content)] == content
                for start, kind, content in patterns
            )
            for (_client, name, _path), patterns in self.monitors.items()
        )

    def _changed(self, path: str, interface: str, changed: Props) -> None:
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        if self._bus is not None:
            self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and not message.body[2]:
                self._gone(message.body[0])
            return None
        if message.message_type is not MessageType.METHOD_CALL or message.member is None:
            return None
        member = message.member
        if message.interface == "org.freedesktop.DBus.Introspectable":
            return None
        self.calls.append(member)
        if member in self.hang:
            return True
        if member in self.errors:
            return Message.new_error(message, self.errors[member], "told to")
        if member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])
        return self._adapter_call(message, member)

    def _adapter_call(self, message: Message, member: str) -> Message | None:
        adapter = next((a for a in self.adapters if a.path == message.path), None)
        if adapter is None:
            return Message.new_error(
                message, "org.freedesktop.DBus.Error.UnknownObject", "no such object"
            )
        client = message.sender or ""
        key = (client, adapter.name)
        if member == "SetDiscoveryFilter":
            self._filters[client] = {k: v.value for k, v in message.body[0].items()}
        elif member == "StartDiscovery":
            if not adapter.powered:
                return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
            if key in self.sessions:
                return Message.new_error(message, "org.bluez.Error.InProgress", "in progress")
            self.sessions[key] = self._filters.get(client, {})
            self.peak_sessions = max(self.peak_sessions, len(self.sessions))
        elif member == "StopDiscovery":
            if self.sessions.pop(key, None) is None:
                return Message.new_error(message, "org.bluez.Error.Failed", "No discovery started")
        elif member == "RegisterMonitor" and self.passive:
            task = asyncio.ensure_future(self._register(client, adapter.name, message.body[0]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif member == "UnregisterMonitor" and self.passive:
            self.monitors.pop((client, adapter.name, message.body[0]), None)
        else:
            return Message.new_error(
                message, "org.freedesktop.DBus.Error.UnknownMethod", "no such method"
            )
        return Message.new_method_return(message)

    async def _register(self, client: str, adapter: str, path: str) -> None:
        """Ask the client's monitor for its patterns, as bluetoothd does."""
        assert self._bus is not None
        for _try in range(50):
            reply = await self._bus.call(
                Message(
                    destination=client,
                    path=path,
                    interface=PROPERTIES,
                    member="Get",
                    signature="ss",
                    body=["org.bluez.AdvertisementMonitor1", "Patterns"],
                )
            )
            if reply.message_type is MessageType.METHOD_RETURN:
                patterns = [(s, kind, bytes(c)) for s, kind, c in reply.body[0].value]
                self.monitors[client, adapter, path] = patterns
                return
            await asyncio.sleep(0.01)

    def _gone(self, client: str) -> None:
        """A client left the bus: what it had asked for ends."""
        for key in [key for key in self.sessions if key[0] == client]:
            del self.sessions[key]
        for monitor in [key for key in self.monitors if key[0] == client]:
            del self.monitors[monitor]
        self._filters.pop(client, None)

    def _objects(self) -> dict[str, dict[str, Props]]:
        objects: dict[str, dict[str, Props]] = {"/org/bluez": {MANAGER: {}}}
        for adapter in self.adapters:
            objects[adapter.path] = adapter.all(passive=self.passive)
        for path, device in self.devices.items():
            objects[path] = device.all()
        return objects
