"""No broker, a broker that comes back, and processes that stand still for a while."""

from __future__ import annotations

import signal
import time
from random import Random

from tests.faults.oracle import Verdict
from tests.faults.stage import Life, Load, Stage
from tests.support.programs import until

CONNECTS = 90.0
"""Real seconds within which a hub that was given up has a session again: a minute's wait at most
("Settled"), and the handshake on a busy machine."""


def offline_run(stage: Stage, boots: int, seed: int, presses: int = 4) -> Verdict:
    """Boot with the broker unreachable, be killed, boot again, ...; then the network is back."""
    chance = Random(seed)
    life = stage.new_life()
    life.link(up=False)
    for _ in range(boots):
        with life.start() as program:
            life.hub.up()
            for _ in range(presses):
                life.press()
            with Load(life, 1):
                pause(chance.uniform(0.0, 0.3))
                program.kill()
    life.link(up=True)
    return life.verdict()


def frozen_run(
    stage: Stage, stops: int, seed: int, seconds: float = 1.0, longest: float = 0.0
) -> Verdict:
    """SIGSTOP and SIGCONT in the middle of a hub's work, in real time and in lock-step; the last
    time for ``longest`` seconds, if given."""
    chance = Random(seed)
    verdict = Verdict()
    for loud in (True, False):
        life = stage.new_life(loud=loud)
        with life.start() as program:
            life.hub.up()
            with Load(life, 3 * stops):
                lengths = [chance.uniform(0.2, 1.0) * seconds for _ in range(stops)]
                lengths += [longest] * (longest > 0)
                for length in lengths:
                    pause(chance.uniform(0.0, 0.3))
                    program.process.send_signal(signal.SIGSTOP)
                    pause(length)
                    program.process.send_signal(signal.SIGCONT)
                until(lambda: _calm(life), "it answers again", CONNECTS)  # noqa: B023 - of this turn
            found = life.hub.status()["counters"]
            sent, received = int(found.get("sent-alert", 0)), len(life.ledger.acknowledged)
            assert program.end() == 0, life.log[-2000:]
        one = life.verdict()
        # Each version once, and once more for each stop at most: whatever is beyond is a storm.
        if sent > (len(lengths) + 1) * max(one.accepted, received):
            one.count("doubled", [f"storm: {sent} sendings of {one.accepted} versions"])
        verdict.add(one)
    return verdict


def _calm(life: Life) -> bool:
    return bool(life.hub.status()["connected"])


def pause(seconds: float) -> None:
    """Let the other processes go on; nothing is hoped for from the end of this wait."""
    time.sleep(seconds)
