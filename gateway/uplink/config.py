"""What the uplink must know. There is no field for a connection without TLS, on purpose (T5)."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Endpoint(Struct, frozen=True):
    """A broker and who we are to it: ``host`` must be in its certificate; ``ca``, ``certificate`` and
    ``key`` are PEM files."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


class UplinkConfig(Struct, frozen=True):
    """``tenant``                   pseudonym of the town
    ``first``                    the broker
    ``second``                   another one for alerts that the first way leaves unreceived (R5)
    ``heartbeat``                seconds between two heartbeats (R1)
    ``keep_alive``               seconds; a will is seen after about 1.5 x that + 3 s
    ``will_delay``               seconds before the broker tells `lost` (MQTT 5): a reconnect at
                                 once is no loss
    ``spread``                   seconds over which a city's hubs return after a cut (R44)
    ``answer_timeout``           real seconds for each step of the broker (connect, CONNACK,
                                 SUBACK, PUBACK) before the session is given up. 20: a router's
                                 worst hiccup is shorter, and a dead path costs an alert no more
    """

    tenant: str
    first: Endpoint
    second: Endpoint | None = None
    heartbeat: float = 300.0
    keep_alive: int = 50
    will_delay: int = 3
    spread: float = 60.0
    answer_timeout: float = 20.0
