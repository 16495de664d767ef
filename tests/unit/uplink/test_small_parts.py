"""Which protocol, which centres, and who makes progress."""

from __future__ import annotations

from gateway.domain.instant import DAY
from gateway.uplink.centres import MOST, Centres
from gateway.uplink.dialect import Dialect, DialectChoice
from gateway.uplink.heartbeat import Progress


def test_mqtt_5_is_tried_first_and_again_after_a_day_of_3_1_1() -> None:
    choice = DialectChoice()
    assert choice.current(0.0) is Dialect.V5
    assert choice.refused(0.0)
    assert choice.current(DAY - 1) is Dialect.V311
    assert choice.current(DAY) is Dialect.V5


def test_a_broker_that_refuses_both_is_not_hurried_and_gets_both_in_turn() -> None:
    choice = DialectChoice()
    assert choice.refused(0.0)
    assert not choice.refused(1.0)
    assert choice.current(2.0) is Dialect.V5


def test_one_hang_up_is_an_accident_and_two_are_a_refusal() -> None:
    choice = DialectChoice()
    choice.hung_up(0.0)
    assert choice.current(1.0) is Dialect.V5
    choice.accepted()
    choice.hung_up(1.0)
    assert choice.current(2.0) is Dialect.V5
    choice.hung_up(2.0)
    assert choice.current(3.0) is Dialect.V311


def test_a_centre_never_heard_of_counts_as_there() -> None:
    assert Centres().there


def test_the_centre_is_there_while_one_of_its_processes_is() -> None:
    centres = Centres()
    centres.heard("b", online=False)
    assert not centres.there
    centres.heard("a", online=True)
    centres.heard("a", online=False)
    assert centres.known == {"a": False, "b": False}
    assert centres.heard("b", online=True), "it came back"
    assert not centres.heard("a", online=True), "it was there already"


def test_clearing_a_state_can_only_bring_a_centre_back() -> None:
    centres = Centres()
    centres.heard("a", online=True)
    centres.heard("b", online=False)
    centres.forgotten("a")
    assert centres.known == {"a": True, "b": False}
    centres.forgotten("b")
    assert centres.known == {"a": True}
    centres.forgotten("never-heard-of")


def test_a_flood_of_centres_is_bounded() -> None:
    centres = Centres()
    for number in range(1000):
        centres.heard(f"c{number}", online=True)
    assert len(centres.known) == MOST


def test_a_part_hangs_only_after_its_own_deadline() -> None:
    progress = Progress()
    progress.register("core", 60.0, 0.0)
    progress.register("radio", 120.0, 0.0)
    assert progress.hung(60.0) == ()
    assert progress.next_deadline(0.0) == 60.0
    assert progress.hung(61.0) == ("core",)
    assert progress.next_deadline(61.0) == 120.0
    assert progress.hung(121.0) == ("core", "radio")
    progress.note("core", 121.0)
    assert progress.hung(121.0) == ("radio",)
    progress.forget("radio")
    assert progress.hung(122.0) == ()
