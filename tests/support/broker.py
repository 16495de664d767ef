"""A real mosquitto with the configuration that the office makes, and a town's certificates."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from gateway.security.tls import client_context
from provisioning.office import authority
from provisioning.office.broker import Broker as Description
from provisioning.office.broker import write

TENANT = "testtown"
HUB = "hub-7k2m9q"
CENTRE = "main"
READY_SECONDS = 5.0

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Town:
    """An authority with certificates for one hub, one or more centres and the broker."""

    def __init__(
        self, folder: Path, *, hub: str = HUB, centres: tuple[str, ...] = (CENTRE,)
    ) -> None:
        self.folder = folder
        self.hub_id = hub
        self.centres = centres
        self.ca = folder / "ca"
        authority.create(self.ca)
        for centre in centres:
            authority.centre(self.ca, centre, self.centre(centre))
        authority.hub(self.ca, hub, self.hub)
        authority.broker(self.ca, ["localhost", "127.0.0.1"], self.broker)

    @property
    def hub(self) -> Path:
        """hub.crt, hub.key, ca.crt and centres/."""
        return self.folder / "hub"

    @property
    def broker(self) -> Path:
        """broker.crt, broker.key and ca.crt."""
        return self.folder / "broker"

    def centre(self, centre: str = CENTRE) -> Path:
        """centre.crt, centre.key, ca.crt, signing.key and the public key."""
        return self.folder / f"centre-{centre}"


class Broker:
    """mosquitto on a free port; ``start`` returns once it answers TLS with our certificates."""

    def __init__(self, town: Town, folder: Path) -> None:
        if MOSQUITTO is None:
            pytest.fail("mosquitto is missing: sudo apt-get install mosquitto")
        self.port = free_port()
        self._town = town
        self._folder = folder
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self._description = Description(
            tenant=TENANT,
            centres=town.centres,
            certificates=town.broker,
            data=data,
            port=self.port,
            address="127.0.0.1",
            run_as="root" if os.geteuid() == 0 else None,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What mosquitto said so far."""
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> Self:
        return self._run(write(self._description, self._folder))

    def restart(self, configuration: str) -> Self:
        """Run again with another configuration, e.g. with the office's minus a limit."""
        self.stop()
        conf = self._folder / "mosquitto.conf"
        conf.write_text(configuration, encoding="utf-8")
        return self._run(conf)

    def _run(self, conf: Path) -> Self:
        assert MOSQUITTO is not None
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=log, stdout=log)
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and does nothing more, like a machine without memory."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        hub = self._town.hub
        context = client_context(hub / "ca.crt", hub / "hub.crt", hub / "hub.key")
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                with (
                    socket.create_connection(("127.0.0.1", self.port), 1.0) as raw,
                    context.wrap_socket(raw, server_hostname="localhost"),
                ):
                    return
            except (OSError, ssl.SSLError) as error:
                alive = self._process is not None and self._process.poll() is None
                if not alive or time.monotonic() >= end:
                    pytest.fail(f"mosquitto does not answer ({error}):\n{self.log}")
                time.sleep(0.01)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
