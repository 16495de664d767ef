"""By which signs a link is judged: the oldest unreceived alert, and how sessions end."""

from __future__ import annotations

import math

import msgspec
import pytest

from gateway.domain.alert import Alert, Level
from gateway.domain.instant import DAY, Instant
from gateway.journal import OutboxRow
from gateway.uplink.identity import NAMED, SHORT, TAKEN_OVER, UNNAMED, WITHIN, Identity
from gateway.uplink.need import (
    NO_ANSWER,
    NO_CENTRE,
    NO_FIRST_PATH,
    SECOND_PATH,
    FirstNeed,
    SecondNeed,
)
from gateway.uplink.unreceived import Unreceived
from tests.unit.uplink.test_delivery import row

HANGS_UP = "broker:Unspecified error"
NOW = Instant("boot-1", 1000.0, 2e9)


class Still:
    """A clock that shows what it is told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> Instant:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def waiting(
    sequence: int, *, at: Instant, level: int = 3, created: float | None = None
) -> OutboxRow:
    made = row(sequence, level)
    assert isinstance(made.message, Alert)
    return msgspec.structs.replace(
        made,
        message=msgspec.structs.replace(made.message, at=at),
        created=at.wall if created is None else created,
    )


# -- the age of the oldest unreceived alert ---------------------------------------------------


def test_the_oldest_counts_and_an_answer_ends_its_age() -> None:
    unreceived = Unreceived()
    assert unreceived.since(NOW) is None
    first, second = waiting(1, at=NOW.plus(-50)), waiting(2, at=NOW.plus(-20), level=4)
    unreceived.look([second, first], NOW)
    assert unreceived.since(NOW) == 950.0
    assert unreceived.since(NOW, least=Level.EMERGENCY) == 980.0
    assert isinstance(first.message, Alert)
    unreceived.received(first.message.id, 1)
    assert unreceived.since(NOW) == 980.0


@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_that_jumps_makes_no_link_old_and_hides_none(years: int) -> None:
    unreceived = Unreceived()
    unreceived.look([waiting(1, at=NOW.plus(-300))], NOW)
    jumped = Instant(NOW.boot, NOW.boottime, NOW.wall + years * 365 * DAY)
    assert unreceived.since(jumped) == 700.0
    assert unreceived.age(jumped) == 300.0


def test_an_alert_of_an_earlier_run_counts_from_when_this_run_saw_it() -> None:
    unreceived = Unreceived()
    earlier = waiting(1, at=Instant("boot-0", 77.0, NOW.wall - 7200))
    unreceived.look([earlier], NOW)
    later = NOW.plus(100)
    unreceived.look([earlier], later)
    assert unreceived.since(later) == 1000.0
    assert unreceived.age(later) == 7300.0
    unsure = msgspec.structs.replace(later, synced=False)
    assert unreceived.age(unsure) == 100.0


def test_a_refusal_is_an_answer_and_what_is_set_aside_is_not_the_sessions_fault() -> None:
    unreceived = Unreceived()
    alert = waiting(1, at=NOW)
    unreceived.look([alert], NOW)
    unreceived.set_aside(1)
    assert unreceived.since(NOW, aside=False) is None
    assert unreceived.since(NOW) == 1000.0, "another way may carry it"
    unreceived.released(1)
    assert isinstance(alert.message, Alert)
    unreceived.refused(alert.message.id, 1)
    assert unreceived.since(NOW) is None
    assert unreceived.age(NOW) == 0.0, "it still waits"


# -- what that means for the paths --------------------------------------------------------------


def test_a_session_is_given_up_15_minutes_after_it_could_have_brought_an_answer() -> None:
    clock, unreceived = Still(), Unreceived()
    there = True
    need = FirstNeed(unreceived, clock, lambda: there)
    assert need.stuck_at(900.0) is None
    unreceived.look([waiting(1, at=NOW)], NOW)
    assert need.stuck_at(900.0) == 1000.0 + NO_ANSWER
    assert need.stuck_at(5000.0) == 5000.0 + NO_ANSWER
    there = False
    assert need.stuck_at(900.0) == 1000.0 + NO_CENTRE


def test_the_second_path_is_wanted_after_three_minutes_and_until_all_is_well() -> None:
    clock, unreceived = Still(), Unreceived()
    connected = True
    need = SecondNeed(unreceived, clock, lambda: connected)
    assert need.wanted(1000.0) == math.inf
    unreceived.look([waiting(1, at=NOW)], NOW)
    assert need.wanted(1000.0) == 1000.0 + SECOND_PATH
    clock.at = NOW.plus(SECOND_PATH)
    assert need.wanted(1180.0) == 1180.0
    connected = False
    unreceived.look([], clock.at)
    assert not need.over()
    assert need.wanted(2000.0) == 2000.0, "the next alert shall not wait for three minutes anew"
    connected = True
    assert need.over()
    assert need.wanted(2000.0) == math.inf


def test_an_emergency_does_not_wait_three_minutes_for_a_path_that_is_not_there() -> None:
    clock, unreceived = Still(), Unreceived()
    need = SecondNeed(unreceived, clock, lambda: False)
    unreceived.look([waiting(1, at=NOW, level=3)], NOW)
    assert need.wanted(1000.0) == 1000.0 + SECOND_PATH
    unreceived.look([waiting(1, at=NOW, level=4)], NOW)
    assert need.wanted(1000.0) == 1000.0 + NO_FIRST_PATH


# -- somebody else with our identity -------------------------------------------------------------


def test_a_session_taken_over_twice_is_proof_for_an_hour() -> None:
    identity = Identity()
    for number in range(NAMED):
        assert identity.ended(TAKEN_OVER, 500.0, number * 600.0, 3)
    assert identity.doubled(600.0)
    assert not identity.doubled(WITHIN)


def test_sessions_that_break_right_after_they_were_made_are_a_sign_without_words() -> None:
    identity = Identity()
    judged = [identity.ended(HANGS_UP, 5.0, n * 60.0, 0) for n in range(UNNAMED)]
    assert judged == [False] * (UNNAMED - 1) + [True]


@pytest.mark.parametrize("between", ["failed", "stable", "ours", "under-way"])
def test_a_broker_that_restarts_is_no_other_hub(between: str) -> None:
    identity = Identity()
    for number in range(20):
        lasted = SHORT if between == "stable" else 5.0
        assert not identity.ended(HANGS_UP, lasted, number * 60.0, int(between == "under-way"))
        if between == "failed":
            identity.failed()
        elif between == "ours":
            identity.ended("no-puback", 5.0, number * 60.0 + 1, 0)
    assert not identity.doubled(1200.0)
