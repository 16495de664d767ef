"""What a run of the program leaves behind for the next one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instant import Instant
from gateway.domain.observation import Booted, Observation
from gateway.engine.engine import Engine
from gateway.runtime.restore import MARK_BOOTTIME, MARK_WALL, marks
from tests.support.life import MONDAY, WIRED, Life


@given(st.floats(0.0, 1e8), st.floats(0.0, 4e9))
def test_a_mark_never_lies_before_the_moment_it_marks(boottime: float, wall: float) -> None:
    mark = marks(Instant("boot", boottime, wall))
    assert mark[MARK_BOOTTIME] / 1000 >= boottime
    assert mark[MARK_WALL] / 1000 >= wall
    assert mark[MARK_BOOTTIME] / 1000 <= boottime + 0.002


@given(st.floats(0.0, 100.0))
def test_an_alert_told_just_before_a_kill_is_the_same_alert_after_it(began: float) -> None:
    """Found by a stranger's trial: a mark rounded down told one blindness under two ids."""
    life = Life(tuple(s for s in WIRED if s.id != "door"))
    first = Instant(life.boot, began, MONDAY + began)
    observation = Observation(1, first, Booted("0.0"))
    told = list(life.engine.step(observation).alerts)
    due = life.engine.step(Observation(2, first, Booted("0.0"))).due
    assert due is not None
    while not told:
        now = Instant(life.boot, due, MONDAY + due)
        decisions = life.engine.tick(now)
        told = list(decisions.alerts)
        due = decisions.due or due
    mark = marks(now)
    engine = Engine(life.household, None, life.knobs)
    engine.step(observation)
    engine.step(Observation(2, first, Booted("0.0")))
    until = Instant(life.boot, mark[MARK_BOOTTIME] / 1000, mark[MARK_WALL] / 1000)
    later = now.plus(60.0)
    again = Instant("kernel-start2", later.boottime, later.wall)
    made = engine.step(Observation(3, again, Booted("0.0", up_until=until))).alerts
    assert made[0].id == told[0].id
