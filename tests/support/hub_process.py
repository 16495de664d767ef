"""``ansim run`` as a process with a data folder of its own, and what it needs around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.runtime.asking import ask
from tests.support.broker import CENTRE, TENANT, Broker, Town
from tests.support.programs import ANSIM, OFFICE, Program, command, status, until


def place_for(town: Town, broker: Broker, folder: Path) -> Path:
    """A folder in which a hub's settings find the town's certificates and the broker's port."""
    (folder / "port").write_text(str(broker.port))
    (folder / "hub").symlink_to(town.hub)
    (folder / "centre").symlink_to(town.centre())
    (folder / "id").write_text(town.hub_id)
    return folder


@contextmanager
def town_with_broker(folder: Path) -> Iterator[Path]:
    """The same for a new town, with its broker up."""
    town = Town(folder / "town")
    with Broker(town, folder / "broker") as broker:
        yield place_for(town, broker, folder)


class HubProcess:
    """One hub; ``more`` is the rest of its settings file: a recording, or sensors."""

    def __init__(self, place: Path, folder: Path, more: str = "") -> None:
        self.place, self.folder = place, folder
        self.data = folder / "data"
        self.settings = folder / "ansim.toml"
        self.settings.write_text(f"""
[hub]
id = "{(place / "id").read_text()}"
tenant = "{TENANT}"
data = "data"
[centre]
host = "localhost"
port = {(place / "port").read_text()}
ca = "{place}/hub/ca.crt"
certificate = "{place}/hub/hub.crt"
key = "{place}/hub/hub.key"
keys = {{ {CENTRE} = "{place}/hub/centres/{CENTRE}.pub" }}
{more}""")

    def run(self, *arguments: object, before: Sequence[str] = (), **more: str) -> Program:
        """``before``: words of a program that becomes the hub, e.g. in a namespace of its own."""
        words = [*before, *command(ANSIM, "run", "--settings", self.settings, *arguments)]
        return Program(words, self.folder / "hub.log", **more)

    def up(self) -> None:
        until(lambda: status(self.data), "the hub answers")

    def status(self) -> dict[str, Any]:
        found = status(self.data)
        assert found is not None
        return found

    def ask(self, **request: object) -> dict[str, Any]:
        return ask(self.data, request, 60.0)


@contextmanager
def running_centre(place: Path, folder: Path) -> Iterator[Path]:
    """The reference centre as a process; yields the folder of its store."""
    files = place / "centre"
    data = folder / "centre"
    words = command(
        OFFICE,
        *("centre", "run", "--no-board", "--broker", f"localhost:{(place / 'port').read_text()}"),
        *("--ca", files / "ca.crt", "--cert", files / "centre.crt", "--key", files / "centre.key"),
        *("--signing-key", files / "signing.key", "--id", CENTRE, "--tenant", TENANT),
        *("--data", data, "--auto-accept", "0"),
    )
    with Program(words, folder / "centre.log") as program:
        until(lambda: "connected" in program.said, "the centre is connected")
        yield data
