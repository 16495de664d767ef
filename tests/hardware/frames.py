"""BTHome v2 service data as sensors send it, made here from the format's own description
(bthome.io/format and /encryption), independently of the gateway's parser."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

PLAIN, KEYED = 0x44, 0x45
"""Device information: version 2, sends when something happens; and encrypted."""

BATTERY, MOTION, WINDOW, BUTTON = 0x01, 0x21, 0x2D, 0x3A

UUID = bytes.fromhex("d2fc")
"""0xFCD2 as it is in the nonce."""


@dataclass
class Device:
    """One sensor on the air. ``counter`` and ``packet`` rise with each frame."""

    address: str
    key: bytes | None = None
    counter: int = 1000
    packet: int = 0
    sent: list[str] = field(default_factory=list)

    def frame(self, *objects: tuple[int, int]) -> str:
        """Service data in hex: packet id, then the objects (id, one byte)."""
        self.packet = (self.packet + 1) % 256
        body = bytes([0x00, self.packet]) + b"".join(bytes(pair) for pair in objects)
        if self.key is None:
            data = bytes([PLAIN]) + body
        else:
            self.counter += 1
            counter = self.counter.to_bytes(4, "little")
            mac = bytes.fromhex(self.address.replace(":", ""))
            nonce = mac + UUID + bytes([KEYED]) + counter
            sealed = AESCCM(self.key, tag_length=4).encrypt(nonce, body, None)
            data = bytes([KEYED]) + sealed[:-4] + counter + sealed[-4:]
        self.sent.append(data.hex())
        return data.hex()


def spread(
    devices: list[Device], events: int, rate: float, *, times: int = 1
) -> list[tuple[float, str, str]]:
    """``events`` motion reports, on and off by turns, of all devices in turn, no two alike; each is
    sent ``times`` times, with the other devices' frames in between. ``rate``: frames a second."""
    frames: list[tuple[float, str, str]] = []
    for first in range(0, events, len(devices)):
        on = 1 - first // len(devices) % 2
        round_ = [(d.address, d.frame((BATTERY, 90), (MOTION, on))) for d in devices]
        for address, data in round_[: events - first] * times:
            frames.append((len(frames) / rate, address, data))
    return frames
