"""Folder, certificates, broker, centre and hub: everything a scene needs to be played."""

from __future__ import annotations

import asyncio
import inspect
import os
import pwd
import shutil
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from gateway.runtime.asking import short_path
from provisioning.demo import children, home
from provisioning.demo.children import Child
from provisioning.demo.failure import SceneError
from provisioning.demo.proxy import Line
from provisioning.office import authority, broker

HUB, CENTRE, TENANT = "hub-demo", "one", "demo"

SETTINGS = """\
[hub]
id = "{hub}"
tenant = "{tenant}"
data = "hub-data"

[centre]
host = "localhost"
port = {port}
ca = "hub/ca.crt"
certificate = "hub/hub.crt"
key = "hub/hub.key"

[centre.keys]
{centre} = "hub/centres/{centre}.pub"

[recording]
path = "home/{home}.csv.gz"
"""

SCRIPT = """\
# Whoever is on duty takes every emergency at once.
[[rules]]
type = "help.button"
level = 4
do = "accept"
by = "duty"
"""

MOSQUITTO = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto")
"""Where it is if it is not in the PATH: /usr/sbin is not in an ordinary user's."""

LONGEST_ANSWER = 1 << 20
"""Bytes of the hub's answer."""

Condition = Callable[[], object | Awaitable[object]]

POLL = 0.002
"""Seconds between two looks at a condition; latencies that are printed are right to about this."""


class Stage:
    """Sets up, starts, and takes away again. All paths are in one folder."""

    def __init__(
        self, folder: Path, translate: Callable[[str], str], mosquitto: str | None
    ) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self._broker_port = _free_port()
        self.line = Line(self._broker_port)
        self.missing = ""
        """What is being waited for, in the viewer's language."""
        self._mosquitto = mosquitto
        self._ = translate

    # -- before the curtain ------------------------------------------------------------------

    def prepare(self) -> None:
        """Certificates and the home. What is there already is left alone, so that a second run in
        the same folder plays with whatever somebody has done to it."""
        _ = self._
        folder = self.folder
        try:
            if not (folder / "ca").exists():
                authority.create(folder / "ca", name="Ansim demo")
                authority.centre(folder / "ca", CENTRE, folder / "centre")
                authority.broker(folder / "ca", ["localhost"], folder / "broker")
                authority.hub(folder / "ca", HUB, folder / "hub")
            if not (folder / "home").exists():
                home.make(folder / "home")
            for name in ("hub-data", "centre-data", "broker-data"):
                shutil.rmtree(folder / name, ignore_errors=True)
            for name in ("broker-data", "logs"):
                (folder / name).mkdir(exist_ok=True)
            (folder / "script.toml").write_text(SCRIPT, encoding="utf-8")
        except OSError as error:
            raise SceneError(
                _("The folder {folder} cannot be used: {why}").format(
                    folder=folder, why=error.strerror
                )
            ) from error

    async def start_all(self) -> None:
        """Broker, line, centre, hub."""
        await self._start_broker()
        await self.line.open()
        settings = SETTINGS.format(
            hub=HUB, tenant=TENANT, centre=CENTRE, port=self.line.port, home=home.NAME
        )
        (self.folder / "ansim.toml").write_text(settings, encoding="utf-8")
        await self._start("centre", self._centre_command())
        await self._start("hub", self._hub_command())

    async def raise_curtain(self) -> None:
        """Returns once the hub is linked and the centre has heard it."""
        _ = self._
        await self.until(self._hub_is_up, _("The hub does not start."))
        await self.until(self._is_linked, _("The hub gets no link to the broker."))
        await self.until(self._centre_heard, _("The centre does not hear the hub."))

    async def _start_broker(self) -> None:
        _ = self._
        program = self._mosquitto or shutil.which("mosquitto")
        program = program or next((p for p in MOSQUITTO if os.access(p, os.X_OK)), None)
        if program is None:
            raise SceneError(_("There is no mosquitto; install it: sudo apt install mosquitto"))
        config = broker.write(
            broker.Broker(
                tenant=TENANT,
                centres=(CENTRE,),
                certificates=self.folder / "broker",
                data=self.folder / "broker-data",
                port=self._broker_port,
                address="127.0.0.1",
                run_as=pwd.getpwuid(os.getuid()).pw_name,
            ),
            self.folder / "broker-conf",
        )
        try:
            await self._start("mosquitto", [program, "-c", str(config)])
        except OSError as error:
            raise SceneError(
                _("{program} cannot be started: {why}").format(program=program, why=error.strerror)
            ) from error
        await self.until(self._broker_listens, _("The broker does not listen."))

    def _centre_command(self) -> list[str]:
        certificates = self.folder / "centre"
        return children.office(
            *("centre", "run", "--no-board", "--broker", f"localhost:{self._broker_port}"),
            *("--ca", str(certificates / "ca.crt"), "--cert", str(certificates / "centre.crt")),
            *("--key", str(certificates / "centre.key")),
            *("--signing-key", str(certificates / "signing.key")),
            *("--id", CENTRE, "--tenant", TENANT, "--data", str(self.folder / "centre-data")),
            *("--script", str(self.folder / "script.toml")),
        )

    def _hub_command(self) -> list[str]:
        recording = self.folder / "home" / f"{home.NAME}.csv.gz"
        settings = str(self.folder / "ansim.toml")
        return children.ansim(
            *("run", "--settings", settings, "--recording", str(recording), "--lockstep")
        )

    async def _start(self, name: str, command: list[str]) -> None:
        log = self.folder / "logs" / f"{name}.log"
        self.children.append(await children.start(name, command, log))

    # -- while it plays ----------------------------------------------------------------------

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The hub's answer, however long it takes: the scene's budget bounds it."""
        self.missing = self._("The hub does not answer.")
        try:
            with short_path(self.folder / "hub-data") as path:
                reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_ANSWER)
            try:
                writer.write(msgspec.json.encode(request) + b"\n")
                answer = msgspec.json.decode(await reader.readuntil(b"\n"), type=dict[str, Any])
            finally:
                writer.close()
        except (OSError, asyncio.IncompleteReadError) as error:
            raise SceneError(self.trouble() or self.missing) from error
        if not answer["ok"]:
            raise SceneError(str(answer["error"]))
        self.missing = ""
        return answer

    async def until(
        self, condition: Condition, otherwise: str, *, patience: float | None = None
    ) -> None:
        """Wait until something is the case, ``patience`` seconds or as long as the scene's budget
        lasts; a program that ends meanwhile ends the waiting. ``otherwise`` says what is missing
        when time is up."""
        begun = now()
        while True:
            self.missing = otherwise
            found = condition()
            if inspect.isawaitable(found):
                found = await found
            if found:
                break
            if (ended := self.ended()) is not None:
                raise SceneError(ended)
            if patience is not None and now() - begun > patience:
                raise SceneError(otherwise)
            await asyncio.sleep(POLL)
        self.missing = ""

    def ended(self) -> str | None:
        """That a program has ended, as a sentence; None while all run."""
        for child in self.children:
            if child.returned and (trouble := child.trouble()) is not None:
                return self._told(child, trouble)
        return None

    def trouble(self) -> str | None:
        """What is wrong with the programs now, as a sentence; None if nothing is seen."""
        for child in self.children:
            trouble = child.trouble()
            if trouble is not None:
                return self._told(child, trouble)
        return None

    def _told(self, child: Child, trouble: tuple[str, str]) -> str:
        sentence, detail = trouble
        return self._(sentence).format(name=child.name, detail=detail)

    async def run(self, command: list[str], seconds: float) -> str:
        """Run a command to its end; what it printed. SceneError if it fails."""
        log = self.folder / "logs" / "operator.log"
        child = await children.start("operator", command, log)
        try:
            async with asyncio.timeout(seconds):
                await child.ended()
        finally:
            await child.stop()
        trouble = child.trouble()
        if trouble is not None and child.returned != 0:
            raise SceneError(self._told(child, trouble))
        return child.last_words()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the centre's own database, read only."""
        path = self.folder / "centre-data" / "centre.sqlite3"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)) as store:
                return store.execute(sql, values).fetchall()
        except sqlite3.OperationalError:
            return []

    async def close(self) -> None:
        """End everything that was started: the hub first, so that it can say goodbye."""
        for child in reversed(self.children):
            await child.stop()
        await self.line.cut()

    # -- conditions --------------------------------------------------------------------------

    def _broker_listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self._broker_port)) == 0

    async def status(self) -> dict[str, Any]:
        """What ``ansim status`` would say."""
        found = (await self.ask({"do": "status"}))["status"]
        assert isinstance(found, dict)
        return found

    async def _hub_is_up(self) -> bool:
        try:
            await self.status()
        except SceneError:
            return False
        return True

    async def _is_linked(self) -> bool:
        status = await self.status()
        trouble = status["link_trouble"]
        if trouble not in (None, "connecting"):  # time stands still: there is no second attempt
            raise SceneError(
                self._("The hub gets no link to the broker ({why}).").format(why=trouble)
            )
        return bool(status["connected"])

    def _centre_heard(self) -> bool:
        """The hub's birth is retained: the centre has it as soon as it listens."""
        return bool(self.query("SELECT 1 FROM hubs WHERE hub = ? AND birth IS NOT NULL", HUB))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def now() -> float:
    """Real seconds, for latencies."""
    return time.perf_counter()
