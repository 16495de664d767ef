"""Frames of real sensors, a kill, and the same frames again: none may be taken for life.

A hub with a radio hears motion and presses and is killed in the middle of it. It starts again and
hears, before the sensors say anything new, every frame that was ever in the air. Then it ends in
order, and its journal says what it took for life in that run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.books import JOURNAL, newest, rows
from tests.faults.oracle import Verdict
from tests.faults.stage import Stage
from tests.support.fake_bluez import FakeBlueZ
from tests.support.hub_process import HubProcess
from tests.support.hub_radio import HALL, HELP, MOTION, PACE, PRESS, SENSORS, Air, Rig
from tests.support.private_bus import PrivateBus

KEPT = 60
"""Frames that are played again: the newest. Older ones are refused by the same comparison."""


async def replay_run(
    stage: Stage,
    kills: int,
    seed: int,
    *,
    told: Callable[[int, Verdict], None] = lambda _n, _v: None,
) -> Verdict:
    """So many kills of one hub, a replay after each. The system's D-Bus is a private one."""
    chance = Random(seed)
    verdict = Verdict()
    place = stage.new_place()
    with PrivateBus(place) as bus:
        with bus.as_system():
            bluez = FakeBlueZ()
            await bluez.start()
        try:
            rig = Rig(HubProcess(place, place, SENSORS), bus, Air(bluez))
            for number in range(1, kills + 1):
                await _one(rig, chance, verdict)
                told(number, verdict)
            assert life_after(rig.hub.data, 0), "no frame counted as life: nothing was shown"
        finally:
            await bluez.stop()
    return verdict


async def _one(rig: Rig, chance: Random, verdict: Verdict) -> None:
    async with rig.running() as program:
        end = time.monotonic() + chance.uniform(0.1, 1.0)
        while time.monotonic() < end:
            if chance.random() < 0.1:
                rig.air.send(HELP, PRESS)
            else:
                rig.air.send(HALL, MOTION)
            await asyncio.sleep(chance.uniform(PACE, 0.1))
        program.kill()
    before = newest(rig.hub.data)
    old = rig.air.sent[-KEPT:]
    async with rig.running():
        for address, frame in old * 2:
            rig.air.bluez.advertise(address, frame)
            await asyncio.sleep(PACE)
        await rig.told_through()
    taken = life_after(rig.hub.data, before)
    verdict.accepted += len(old)
    verdict.count("replayed", [f"counter {counter} after {before}" for counter in taken])


def life_after(data: Path, sequence: int) -> list[int | None]:
    """Counters of the frames that were taken for life since then."""
    found = rows(
        data / JOURNAL,
        "SELECT coalesce(p.what, o.what), o.counter FROM observation o "
        "LEFT JOIN phrase p ON p.number = o.what AND typeof(o.what) = 'integer' "
        "WHERE o.sequence > ?",
        sequence,
    )
    taken = []
    for text, counter in found:
        what = json.loads(text)
        lively = what["type"] == "switched" and what["on"] and what.get("fresh", True)
        if lively and what["sensor"] == "hall":
            taken.append(counter)
    return taken
