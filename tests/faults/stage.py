"""A town for sabotage: one broker and one centre for many hubs, each with a life of its own."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from gateway.domain.sensor import Kind, Room, Sensor
from gateway.runtime.asking import ControlError
from gateway.sensing import recording
from gateway.sensing.rows import Row
from models.homes import Plan, generate
from provisioning.office import authority
from tests.faults.books import centre_book, hub_book, set_aside
from tests.faults.oracle import Ledger, Verdict, account
from tests.support.broker import Broker, Town, free_port
from tests.support.hub_process import HubProcess, place_for, running_centre
from tests.support.programs import Program, status, until

BUTTONS = 80
"""Help buttons of a home: each press is an alert of its own, so each can be matched alone."""

STEP = 600.0
"""Virtual seconds that one request moves a lock-step hub on."""

ANSWERS = 2.0
"""Seconds in which the centre answers while nothing else is going on."""

SETTLE = float(os.environ.get("ANSIM_FAULT_PATIENCE_S", "30"))
"""Real seconds in which everything must have reached the centre once nobody disturbs (R9); more on
a machine that has other work to do."""


def button(number: int) -> str:
    return f"help_{number:02d}"


class Stage:
    """The town. ``new_life`` makes a hub with its own pseudonym, certificate and empty journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.town = Town(folder / "town")
        self.broker = Broker(self.town, folder / "broker")
        self.centre: Path | None = None
        self._lives = 0
        home = generate(Plan(seed=5, days=2, events_per_day=3000, temperature=True, mains=True))
        helps = [Sensor(button(n), Kind.HELP, Room.OTHER) for n in range(BUTTONS)]
        sensors = [*home.sensors, *helps]
        rows = list(home.rows())
        self.quiet = folder / "quiet.csv.gz"
        """A home whose buttons are pressed by the test only."""
        recording.write(self.quiet, sensors, rows)
        step = (rows[-1].local - rows[0].local) / BUTTONS / 4
        presses = [Row(rows[0].local + step * (n + 1), button(n), "PRESS") for n in range(BUTTONS)]
        self.pressing = folder / "pressing.csv.gz"
        """The same home in whose first half day every button is pressed once."""
        recording.write(self.pressing, sensors, sorted([*rows, *presses], key=lambda r: r.local))

    @contextmanager
    def open(self, *, broker: bool = True) -> Iterator[Self]:
        """With its broker (unless the test starts it) and its centre."""
        if not broker:
            yield self
            return
        with self.broker, self.with_centre():
            yield self

    @contextmanager
    def with_centre(self) -> Iterator[Path]:
        """A running centre beside a broker that is up."""
        place = self.folder / "place"
        if not place.exists():
            place.mkdir()
            place_for(self.town, self.broker, place)
        with running_centre(place, self.folder) as data:
            self.centre = data
            yield data

    def new_life(self, *, loud: bool = False) -> Life:
        """A new hub. ``loud``: its recording presses the buttons by itself, in real time."""
        place = self.new_place()
        return Life(self, place.name, place, loud=loud)

    def new_place(self) -> Path:
        """The folder of a new hub, named after it, with its certificate."""
        self._lives += 1
        place = self.folder / f"hub-life{self._lives}"
        place.mkdir()
        authority.hub(self.town.ca, place.name, place / "hub")
        (place / "port").write_text(str(self.broker.port))
        (place / "id").write_text(place.name)
        return place


class Life:
    """One hub over many starts, and the ledger of what it acknowledged."""

    def __init__(self, stage: Stage, name: str, folder: Path, *, loud: bool) -> None:
        self.stage = stage
        self.name = name
        self.ledger = Ledger()
        self.loud = loud
        home = stage.pressing if loud else stage.quiet
        more = f'[recording]\npath = "{home}"\n'
        self.hub = HubProcess(folder, folder, more)
        words = ("--speed", "20000") if loud else ("--lockstep",)
        self._words = ("--no-model", *words, "--recording", str(home))
        self._next = 0

    @property
    def data(self) -> Path:
        return self.hub.data

    @property
    def log(self) -> str:
        path = self.hub.folder / "hub.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def used_up(self) -> bool:
        """Whether there is hardly a button left that was not pressed."""
        return self._next >= BUTTONS - 10

    @property
    def next_button(self) -> str:
        """The one that is pressed next."""
        return button(self._next)

    def start(self, *, before: Sequence[str] = (), **environment: str) -> Program:
        return self.hub.run(*self._words, before=before, **environment)

    def link(self, *, up: bool) -> None:
        """From the next start on there is a broker for this hub, or nobody listens."""
        text = self.hub.settings.read_text()
        port = self.stage.broker.port if up else free_port()
        self.hub.settings.write_text(re.sub(r"(?m)^port = \d+$", f"port = {port}", text))

    def press(self) -> str | None:
        """Press the next button; the alert's id if the hub acknowledged it."""
        if self._next >= BUTTONS:
            return None
        name = button(self._next)
        self._next += 1
        try:
            answer = self.hub.ask(do="press", sensor=name)
        except ControlError:
            self.ledger.unanswered.add(name)
            return None
        if not answer["ok"]:
            self.ledger.unanswered.add(name)
            return None
        self.ledger.acknowledged[name] = str(answer["alert_id"])
        return str(answer["alert_id"])

    def advance(self, seconds: float = STEP, *, alone: bool = False) -> bool:
        """Some of the recording's time; False if the hub is gone. ``alone``: without waiting for
        the centre, whose answers a hub that cannot store them never has."""
        found = status(self.data)
        if found is None:
            return False
        to = datetime.fromisoformat(str(found["at"])).timestamp() + seconds
        try:
            return bool(self.hub.ask(do="advance", to=to, offline=alone)["ok"])
        except ControlError:
            return False

    def settle(self) -> None:
        """One undisturbed start after which nothing waits any more, and a clean end."""
        with self.start() as program:
            until(lambda: status(self.data), f"{self.name} opens its journal", SETTLE)
            try:
                until(self._settled, f"nothing waits in {self.name}", SETTLE)
            except pytest.fail.Exception as error:
                pytest.fail(f"{error}: {status(self.data)}")
            assert program.end() == 0, self.log[-2000:]

    def _settled(self) -> bool:
        if not self.loud:
            self._pass_time()
        found = status(self.data)
        if found is None or not found["connected"]:
            return False
        return bool(found["waiting_alerts"] == 0)

    def _pass_time(self) -> None:
        """Let the centre answer, then time pass: waits end, and what went astray is sent again."""
        with contextlib.suppress(ControlError):
            self.hub.ask(do="flush", seconds=ANSWERS)
        self.advance(alone=True)

    def verdict(self) -> Verdict:
        """Settle, and compare the journal with the centre's store."""
        assert self.stage.centre is not None
        self.settle()
        verdict = account(
            self.ledger, hub_book(self.data), centre_book(self.stage.centre, self.name)
        )
        verdict.count("unopened", [f"{self.name}/{name}" for name in set_aside(self.data)])
        return verdict


class Load:
    """``with Load(life)``: presses and time's course, as fast as the hub takes them."""

    def __init__(self, life: Life, presses: int = 4) -> None:
        self._life = life
        self._presses = presses
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        if not self._life.loud:
            self._threads = [
                threading.Thread(target=work, daemon=True) for work in (self._press, self._advance)
            ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(70)

    def _press(self) -> None:
        for _ in range(self._presses):
            if self._end.is_set() or not self._up():
                return
            self._life.press()

    def _advance(self) -> None:
        while not self._end.is_set():
            if not self._life.advance():
                self._end.wait(0.01)

    def _up(self) -> bool:
        while not self._end.is_set():
            if status(self._life.data) is not None:
                return True
            self._end.wait(0.01)
        return False
