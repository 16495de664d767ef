"""Adapters and devices as BlueZ shows them on D-Bus."""

from __future__ import annotations

from dataclasses import dataclass, field

from dbus_fast import Variant

Props = dict[str, Variant]

MANAGER = "org.bluez.AgentManager1"


def path_of(adapter: str, address: str) -> str:
    return f"/org/bluez/{adapter}/dev_{address.replace(':', '_')}"


@dataclass
class Adapter:
    name: str
    address: str
    powered: bool = True

    @property
    def path(self) -> str:
        return f"/org/bluez/{self.name}"

    def all(self, *, passive: bool) -> dict[str, Props]:
        interfaces: dict[str, Props] = {
            "org.bluez.Adapter1": {
                "Address": Variant("s", self.address),
                "Powered": Variant("b", self.powered),
                "Discovering": Variant("b", False),
                "Roles": Variant("as", ["central", "peripheral"]),
            }
        }
        if passive:
            interfaces["org.bluez.AdvertisementMonitorManager1"] = {
                "SupportedMonitorTypes": Variant("as", ["or_patterns"]),
            }
        return interfaces


@dataclass
class Device:
    address: str
    adapter: str
    rssi: int = -60
    service_data: dict[str, bytes] = field(default_factory=dict)
    manufacturer: bytes | None = None

    def advertised(self, *, service: bool = True, other: bool = True) -> Props:
        """The properties that an advertisement carries."""
        props: Props = {}
        if service and self.service_data:
            values = {uuid: Variant("ay", data) for uuid, data in self.service_data.items()}
            props["ServiceData"] = Variant("a{sv}", values)
        if other and self.manufacturer is not None:
            props["ManufacturerData"] = Variant("a{qv}", {76: Variant("ay", self.manufacturer)})
        return props

    def all(self) -> dict[str, Props]:
        return {
            "org.bluez.Device1": {
                "Address": Variant("s", self.address),
                "AddressType": Variant("s", "public"),
                "Adapter": Variant("o", f"/org/bluez/{self.adapter}"),
                "Alias": Variant("s", self.address.replace(":", "-")),
                "RSSI": Variant("n", self.rssi),
                "UUIDs": Variant("as", []),
                "Connected": Variant("b", False),
                "Paired": Variant("b", False),
                "ServicesResolved": Variant("b", False),
                **self.advertised(),
            }
        }
