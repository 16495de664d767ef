"""A broker, a centre and a hub in the guest, with a link between them that can be made bad.

The hub is where the sensors are, broker and centre behind a pair of virtual network devices; what
the link does to packets is the kernel's netem. Certificates are the office's, made on the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.office import authority
from provisioning.office.broker import Broker, access_rules, configuration
from tests.hardware.machine import SHARE, GuestError, Machine, wait_for

TENANT = "testtown"
HUB = "hub-vm"
CENTRE = "c1"
HOST = "broker.test"
PORT = 8883

FILES = Path(SHARE) / "town"
"""Where certificates are, in the guest."""

STATE = Path("/var/lib/ansim-test")
"""Folders of hub, centre and broker, on the guest's own disk."""

NETWORK = f"""
ip netns add town
ip link add hub0 type veth peer name town0 netns town
ip addr add 10.9.0.1/24 dev hub0
ip -n town addr add 10.9.0.2/24 dev town0
ip link set hub0 up
ip -n town link set town0 up
ip -n town link set lo up
echo '10.9.0.2 {HOST}' >>/etc/hosts
mkdir -p {STATE}/broker {STATE}/centre
"""


@dataclass(frozen=True)
class Link:
    """``delay_ms`` each way, ``loss`` in percent each way."""

    delay_out_ms: int = 0
    delay_in_ms: int = 0
    loss: float = 0.0


GOOD = Link()

ACROSS_THE_CITY = Link(delay_out_ms=300, loss=2.0)
"""R6: 2 % loss and a round trip of 300 ms. All the delay is on the way out, the loss both ways."""


class Town:
    """Broker and centre run from the start on; a hub is started by a test."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._folder = machine.share / "town"
        ca = self._folder / "ca"
        authority.create(ca)
        authority.centre(ca, CENTRE, self._folder / "centre")
        authority.hub(ca, HUB, self._folder / "hub")
        authority.broker(ca, [HOST, "10.9.0.2"], self._folder / "broker")
        broker = Broker(
            tenant=TENANT,
            centres=(CENTRE,),
            certificates=FILES / "broker",
            data=STATE / "broker",
            port=PORT,
            run_as="root",
        )
        (self._folder / "acl").write_text(access_rules(broker))
        (self._folder / "mosquitto.conf").write_text(configuration(broker, FILES / "acl"))
        machine.script(NETWORK)
        inside = ("ip", "netns", "exec", "town")
        machine.service("broker", *inside, "mosquitto", "-c", str(FILES / "mosquitto.conf"))
        machine.service(
            *("centre", *inside, "ansim-office", "centre", "run", "--no-board", "--language", "en"),
            *("--broker", f"{HOST}:{PORT}", "--id", CENTRE, "--tenant", TENANT),
            *("--ca", f"{FILES}/centre/ca.crt", "--cert", f"{FILES}/centre/centre.crt"),
            *("--key", f"{FILES}/centre/centre.key"),
            *("--signing-key", f"{FILES}/centre/signing.key", "--data", f"{STATE}/centre"),
        )

    def link(self, link: Link) -> None:
        """Make the link so from now on."""
        out = f"netem delay {link.delay_out_ms}ms loss {link.loss}%"
        back = f"netem delay {link.delay_in_ms}ms loss {link.loss}%"
        self._machine.script(
            f"tc qdisc replace dev hub0 root {out}; "
            f"ip netns exec town tc qdisc replace dev town0 root {back}"
        )

    def stored(self) -> list[dict[str, Any]]:
        """Every version of every alert that the centre has stored."""
        words = self._machine.python("look.py", "centre", f"{STATE}/centre")
        return self._machine.run(*words).lines

    def hub(self, name: str, settings: str, *words: str) -> Hub:
        """Start a hub with its own data folder. ``settings``: the sensors' part of the file;
        ``words``: more for ``ansim run``."""
        file = self._machine.share / f"{name}.toml"
        file.write_text(
            f"""\
[hub]
id = "{HUB}"
tenant = "{TENANT}"
data = "{STATE}/{name}"
language = "en"

[centre]
host = "{HOST}"
port = {PORT}
ca = "{FILES}/hub/ca.crt"
certificate = "{FILES}/hub/hub.crt"
key = "{FILES}/hub/hub.key"
keys = {{ {CENTRE} = "{FILES}/hub/centres/{CENTRE}.pub" }}

{settings}"""
        )
        return Hub(self._machine, name, f"{SHARE}/{name}.toml", words)


class Hub:
    """``ansim run`` as a unit of the guest's systemd, ready when it watches."""

    def __init__(self, machine: Machine, name: str, settings: str, words: Sequence[str]) -> None:
        self._machine = machine
        self._words = ("ansim", "run", "--settings", settings, *words)
        self.unit = f"hub-{name}"
        self.data = f"{STATE}/{name}"
        machine.run("mkdir", "-p", self.data)
        self.start()

    def start(self) -> None:
        """Start it; returns when it watches (READY=1)."""
        notify = ("--property=Type=notify", "--property=Environment=LANG=C.UTF-8")
        self._machine.service(self.unit, *self._words, before=notify)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._machine.run("systemctl", "kill", "-s", "KILL", f"{self.unit}.service")
        self._machine.stop(self.unit)

    def look(self, wanted: str) -> list[dict[str, Any]]:
        """Rows of the hub's journal (``guest/look.py``)."""
        words = self._machine.python("look.py", wanted, self.data)
        return self._machine.run(*words).lines

    def until(self, wanted: str, count: int, seconds: float) -> list[dict[str, Any]]:
        """Wait until the journal shows at least so many rows."""
        rows: list[dict[str, Any]] = []

        def enough() -> bool:
            rows[:] = self.look(wanted)
            return len(rows) >= count

        try:
            wait_for(enough, f"{count} {wanted}", seconds)
        except GuestError as error:
            raise GuestError(
                f"{error}, only {len(rows)}\n{self._machine.log_of(self.unit)[-3000:]}"
            ) from error
        return rows

    def stop(self) -> None:
        """End it in order."""
        self._machine.stop(self.unit)
