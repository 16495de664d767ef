"""A hub whose disk is full, fails or has rotted: do alarms still work, or is the centre told?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from random import Random

from msgspec import Struct

from provisioning.centre.store import FILE
from tests.faults.books import centre_book, hub_book, rows
from tests.faults.oracle import Verdict, Version
from tests.faults.rot import Rot
from tests.faults.stage import SETTLE, Life, Stage
from tests.support.programs import Program, status, until

HEARTBEAT = 360.0
"""Virtual seconds within which a heartbeat must have told it: its interval and a minute."""

SOON = 2.0
"""Real seconds within which an acknowledged press is at the centre over the loopback interface."""


class Outcome(Enum):
    """What a hub with a broken disk did. ``SILENT`` is the lie that must never happen: it runs,
    no alarm gets through, and no heartbeat says so."""

    WORKS = "the alarm was received"
    TOLD = "the heartbeat says watching: false, storage"
    DOWN = "the hub did not run, and the centre sees silence"
    SILENT = "no alarm and no word"


def last_heartbeat(stage: Stage, hub: str) -> dict[str, object]:
    """The data of the newest heartbeat that the centre has of this hub."""
    assert stage.centre is not None
    found = rows(
        stage.centre / FILE,
        "SELECT body FROM heartbeats WHERE hub = ? ORDER BY received DESC, sequence DESC LIMIT 1",
        hub,
    )
    body = json.loads(found[0][0]) if found else {}
    data = body.get("data", body)
    assert isinstance(data, dict)
    return data


def tells_storage(stage: Stage, hub: str) -> bool:
    """Whether the newest heartbeat says that nobody watches because of the disk."""
    data = last_heartbeat(stage, hub)
    reasons = data.get("reasons") or []
    return data.get("watching") is False and isinstance(reasons, list) and "storage" in reasons


def received(stage: Stage, hub: str, subject: str) -> bool:
    """Whether the centre has a call for help from this button."""
    assert stage.centre is not None
    query = "SELECT body FROM alerts WHERE hub = ? AND type = 'help.button'"
    found = (json.loads(body) for (body,) in rows(stage.centre / FILE, query, hub))
    return any(subject == one.get("subject", one.get("data", {}).get("subject")) for one in found)


def alert_ids(stage: Stage, hub: str) -> set[str]:
    """All alerts of this hub that the centre has."""
    assert stage.centre is not None
    query = "SELECT alert_id FROM alerts WHERE hub = ?"
    return {str(alert_id) for (alert_id,) in rows(stage.centre / FILE, query, hub)}


def outcome(life: Life, program: Program) -> Outcome:
    """Press a button of a hub that runs on a broken disk, and see what comes of it, at once and
    until the heartbeat after that. Its clock moves on unless an acknowledged press arrives soon: a
    hub whose reads fail tries again only some seconds later."""
    pressed = life.next_button
    life.press()
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < SETTLE:
        if received(life.stage, life.name, pressed):
            return Outcome.WORKS
        if program.process.poll() is not None:
            return Outcome.DOWN
        if tells_storage(life.stage, life.name):
            return Outcome.TOLD
        if pressed in life.ledger.unanswered or passed > SOON:
            life.advance(HEARTBEAT, alone=True)
    return Outcome.SILENT


def broken_by(life: Life, shim: Path, plan: str) -> tuple[dict[str, str], Path]:
    """The environment of a hub whose disk breaks as planned while the file exists."""
    life.data.mkdir(exist_ok=True)
    switch = life.hub.folder / "broken"
    return {
        "LD_PRELOAD": str(shim),
        "FAULT_FOLDER": str(life.data.resolve()),
        "FAULT_PLAN": plan,
        "FAULT_SWITCH": str(switch),
    }, switch


def disk_breaks(stage: Stage, shim: Path, plan: str) -> tuple[Outcome, Verdict]:
    """A hub in the middle of its life; then its disk breaks as planned; then it is whole again."""
    life = stage.new_life()
    environment, switch = broken_by(life, shim, plan)
    with life.start(**environment) as program:
        life.hub.up()
        assert life.press()
        life.advance()
        switch.touch()
        came = outcome(life, program)
        switch.unlink()
        if program.process.poll() is None:
            program.end()
    return came, life.verdict()


class Rotten(Struct, frozen=True):
    """What was left of a journal whose file rotted.

    ``outcome``   what came of a press after the new start
    ``before``    alert versions that were accepted; ``unheard``: of those, not yet at the centre
    ``salvaged``  of the unheard, how many arrived after all
    ``told``      whether the centre was told that something was wrong with the storage
    ``verdict``   of everything that the journal holds afterwards
    """

    outcome: Outcome
    before: int
    unheard: int
    salvaged: int
    told: bool
    verdict: Verdict


def rotten(stage: Stage, rot: Rot, seed: int, presses: int = 6) -> Rotten:
    """A hub is killed with alerts that the centre has and alerts that it has not; its file rots;
    it starts again."""
    assert stage.centre is not None
    life = stage.new_life()
    for up in (True, False):
        life.link(up=up)
        with life.start() as program:
            life.hub.up()
            for _ in range(presses):
                assert life.press()
            if up:
                until(lambda: life.hub.status()["waiting_alerts"] == 0, "all is received")
            program.kill()
    before = _keys(hub_book(life.data).alerts)
    unheard = before - _keys(centre_book(stage.centre, life.name).alerts)
    rot(life.data, Random(seed))
    life.link(up=True)
    with life.start() as program:
        until(lambda: program.process.poll() is not None or status(life.data), "it is up or gone")
        came = Outcome.DOWN if program.process.poll() is not None else outcome(life, program)
        if program.process.poll() is None:
            program.end()
    life.settle()
    hub, centre = hub_book(life.data), centre_book(stage.centre, life.name)
    there = _keys(centre.alerts)
    verdict = Verdict(accepted=len(hub.alerts))
    verdict.count("lost", _keys(one for one in hub.alerts if one.level >= 1) - there)
    query = "SELECT 1 FROM alerts WHERE hub = ? AND type IN ('tech.storage', 'journal.recovered')"
    told = bool(rows(stage.centre / FILE, query, life.name))
    return Rotten(came, len(before), len(unheard), len(unheard & there), told, verdict)


def _keys(alerts: Iterable[Version]) -> set[tuple[str, int]]:
    return {(one.alert_id, one.version) for one in alerts}
