"""mosquitto.conf and its access rules, made from one description of a town's broker.

Written for mosquitto 2.0.11 (Debian 12) and newer. One listener, TLS with certificates on both
sides; there is no plain port and no password.

About ``%u``: in an access rule mosquitto puts the user name there, which here is the name (CN) of
the certificate. A ``pattern`` rule holds for every user, also for a centre; that does no harm,
because no hub may be named like a centre (``gateway.contract.topics.hub_id``). mosquitto grants
every SUBSCRIBE and checks at delivery: a foreign subscription succeeds and stays silent.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from gateway.contract.fields import MAX_BYTES
from gateway.contract.topics import PREFIX, pseudonym
from gateway.domain.errors import CertificateError
from provisioning.office.authority import CENTRE_PREFIX

PORT = 8883

PACKET_BYTES = MAX_BYTES + 1024
"""Largest packet: a message with topic and properties. Who sends more is cut off."""

QUEUED_MESSAGES = 50_000
"""Messages kept for a centre that is away: 300 hubs at a heartbeat in 5 minutes and a summary in
10 are 5,400 an hour; alerts come again anyway (R4)."""

QUEUED_BYTES = 64 * 1024 * 1024

FORGOTTEN_AFTER = "14d"
"""A session nobody came back to: a hub in repair must not lose what it was told, nor fill the
broker for ever."""

AUTOSAVE = 60
"""Seconds between two writes of the broker's own store. What a broker's crash loses comes again,
because only a centre's receipt ends an alert."""


class Broker(Struct, frozen=True):
    """``certificates`` holds broker.crt, broker.key and ca.crt; ``centres`` are the ids of the
    centre processes that may listen and answer; ``run_as`` is a user of the machine, if it is not
    to be mosquitto's own."""

    tenant: str
    centres: tuple[str, ...]
    certificates: Path
    data: Path
    port: int = PORT
    address: str | None = None
    run_as: str | None = None
    one_connection_per_name: bool = True
    """The client id is set to the name in the certificate, so that one hub cannot push another
    out by using its client id. Then a certificate has one connection at a time."""


def configuration(broker: Broker, acl: Path) -> str:
    """mosquitto.conf."""
    files = (acl, broker.data, broker.certificates)
    if any("\n" in str(path) for path in files):
        raise CertificateError("a path may not hold a line break; choose another folder")
    listener = f"listener {broker.port}" + (f" {broker.address}" if broker.address else "")
    lines = [
        "# Made by ansim-office broker; changes are lost when it runs again.",
        "per_listener_settings false",
        *([f"user {broker.run_as}"] if broker.run_as else []),
        "",
        "# Who may connect: only who holds a certificate of the town's authority.",
        listener,
        f"cafile {broker.certificates / 'ca.crt'}",
        f"certfile {broker.certificates / 'broker.crt'}",
        f"keyfile {broker.certificates / 'broker.key'}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        *(["use_username_as_clientid true"] if broker.one_connection_per_name else []),
        "allow_anonymous false",
        "allow_zero_length_clientid false",
        f"acl_file {acl}",
        "",
        "# What is kept.",
        "persistence true",
        f"persistence_location {broker.data}/",
        f"autosave_interval {AUTOSAVE}",
        f"persistent_client_expiration {FORGOTTEN_AFTER}",
        f"max_queued_messages {QUEUED_MESSAGES}",
        f"max_queued_bytes {QUEUED_BYTES}",
        f"max_packet_size {PACKET_BYTES}",
        "max_inflight_messages 100",
        "max_keepalive 300",
        "retain_available true",
        "set_tcp_nodelay true",
        "",
        "# What is told. A log holds pseudonyms only.",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages true",
    ]
    return "\n".join(lines) + "\n"


def access_rules(broker: Broker) -> str:
    """The ACL file."""
    tenant = f"{PREFIX}/{pseudonym(broker.tenant)}"
    lines = ["# Made by ansim-office broker; changes are lost when it runs again."]
    for centre in broker.centres:
        kid = pseudonym(centre)
        lines += [
            "",
            f"user {CENTRE_PREFIX}{kid}",
            f"topic read {tenant}/+/up/#",
            f"topic write {tenant}/+/dn/ack",
            f"topic write {tenant}/+/dn/cmd",
            f"topic read {tenant}/centre/state/+",
            f"topic write {tenant}/centre/state/{kid}",
        ]
    lines += [
        "",
        "# Each hub: its own words up, its own words down, and whether a centre is there.",
        f"pattern write {tenant}/%u/up/#",
        f"pattern read {tenant}/%u/dn/#",
        f"pattern read {tenant}/centre/state/+",
    ]
    return "\n".join(lines) + "\n"


def write(broker: Broker, folder: Path) -> Path:
    """``mosquitto.conf`` and ``acl`` in a folder; the configuration's path. Both are made again
    each time: they hold nothing of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    acl = (folder / "acl").absolute()
    acl.write_text(access_rules(broker), encoding="utf-8")
    acl.chmod(0o640)
    conf = (folder / "mosquitto.conf").absolute()
    conf.write_text(configuration(broker, acl), encoding="utf-8")
    return conf
