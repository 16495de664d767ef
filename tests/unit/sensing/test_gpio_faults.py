"""Wires that are cut, buttons that are stuck, pins that are not there: told, and never for ever."""

from __future__ import annotations

import tracemalloc

import pytest

from gateway.domain.errors import SensingError
from gateway.domain.observation import Pressed, SensorFault, SourceChanged, Switched
from gateway.domain.sensor import Kind
from gateway.domain.wires import (
    longest_debounce_ms,
    proves_the_home,
    shows_a_cut,
    usual_debounce_ms,
)
from gateway.sensing.gpio import LONGEST_RETRY
from gateway.sensing.lines import line_of
from tests.support.board import Board, wire

NO_CHIP = SensingError("There is no /dev/gpiochip0; boot another kernel.", reason="gpio-missing")


def supervised() -> Board:
    """A help button with a change-over contact, at rest: the second pin is closed to ground."""
    board = Board(wire(Kind.HELP, 17, second=27))
    board.low(27)
    return board


async def test_a_button_held_for_more_than_a_minute_is_stuck_until_it_comes_up() -> None:
    board = Board(wire(Kind.HELP, 17))
    async with board.running():
        board.low(17)
        await board.wait(59.0)
        assert board.told == [Pressed("help")]
        await board.wait(3.0)
        assert board.told[1:] == [SensorFault("help", "stuck", present=True)]
        await board.wait(3600.0)
        board.high(17)
        await board.wait(1.0)
        assert board.told[2:] == [SensorFault("help", "stuck", present=False)]


async def test_a_button_that_is_stuck_at_the_start_calls_nobody() -> None:
    board = Board(wire(Kind.HELP, 17))
    board.low(17)
    async with board.running(settled=False):
        await board.wait(90.0)
        assert board.news == []
        assert board.faults == [SensorFault("help", "stuck", present=True)]
        board.high(17)
        await board.wait(1.0)
        board.low(17)
        await board.wait(1.0)
        assert board.news == [Pressed("help")]


async def test_a_button_that_somebody_holds_while_the_hub_starts_is_a_call() -> None:
    board = Board(wire(Kind.HELP, 17))
    board.low(17)
    async with board.running(settled=False):
        await board.wait(4.0)
        board.high(17)
        await board.wait(1.0)
        assert board.news == [Pressed("help")]


def test_a_motion_sensor_that_never_lets_go_is_stuck_within_a_day() -> None:
    line = line_of(wire(Kind.MOTION, 6))
    line.read(0.0, (True,))
    line.settle(1.0)
    line.edge(10.0, 0, high=False)
    assert line.settle(11.0) == [Switched("motion", on=True)]
    assert line.settle(6 * 3600.0) == []
    due = line.due()
    assert due is not None
    assert due <= 86400.0
    assert line.settle(due) == [SensorFault("motion", "stuck", present=True)]
    line.edge(90000.0, 0, high=True)
    assert line.settle(90001.0) == [
        Switched("motion", on=False),
        SensorFault("motion", "stuck", present=False),
    ]


async def test_a_supervised_button_calls_when_it_reaches_its_other_end() -> None:
    board = supervised()
    async with board.running():
        board.high(27)
        await board.wait(0.004)
        board.low(17)
        await board.wait(0.3)
        board.high(17)
        await board.wait(0.004)
        board.low(27)
        await board.wait(5.0)
        assert board.told == [Pressed("help")]


@pytest.mark.parametrize("cut", [True, False])
async def test_a_cut_or_bridged_wire_is_a_fault_after_two_seconds_and_no_call(cut: bool) -> None:
    board = supervised()
    async with board.running():
        if cut:
            board.high(27)
        else:
            board.low(17)
        await board.wait(1.5)
        assert board.faults == []
        await board.wait(2.0)
        assert board.faults == [SensorFault("help", "wire", present=True)]
        if cut:
            assert board.news == []
            await board.wait(3600.0)
            board.low(27)
            await board.wait(1.0)
            assert board.news == []
            assert board.faults[1:] == [SensorFault("help", "wire", present=False)]


async def test_a_press_is_heard_although_the_wire_to_its_contact_is_cut() -> None:
    board = supervised()
    async with board.running():
        board.high(27)
        await board.wait(0.5)
        board.low(27)
        await board.wait(0.1)
        assert board.news == [Pressed("help")]


async def test_presses_are_heard_although_the_wire_to_its_rest_is_cut() -> None:
    board = supervised()
    async with board.running():
        board.high(27)
        await board.wait(100.0)
        for _ in range(2):
            board.low(17)
            await board.wait(0.5)
            board.high(17)
            await board.wait(0.5)
        assert board.news == [Pressed("help"), Pressed("help")]


async def test_a_supervised_door_keeps_its_state_while_its_wire_is_cut() -> None:
    board = Board(wire(Kind.ENTRANCE, 5, second=6))
    board.low(6)
    async with board.running():
        board.high(6)
        await board.wait(5.0)
        assert board.told == [SensorFault("entrance", "wire", present=True)]
        board.low(6)
        await board.wait(5.0)
        assert board.told[1:] == [SensorFault("entrance", "wire", present=False)]
        board.high(6)
        await board.wait(5.0)
        board.forget()
        board.low(5)
        await board.wait(1.0)
        assert board.told == [
            Switched("entrance", on=True),
            SensorFault("entrance", "wire", present=False),
        ]


async def test_a_wire_that_never_rests_is_a_fault_and_is_believed_again_when_it_does() -> None:
    board = Board(wire(Kind.TAMPER, 12))
    async with board.running():
        for _ in range(600):
            board.low(12)
            await board.wait(0.010)
            board.high(12)
            await board.wait(0.015)
        assert board.told == [SensorFault("tamper", "wire", present=True)]
        await board.wait(60.0)
        assert board.told[1:] == [SensorFault("tamper", "wire", present=False)]


async def test_a_storm_on_one_pin_is_let_go_and_the_others_go_on() -> None:
    board = Board(wire(Kind.CONTACT, 5), wire(Kind.HELP, 17))
    async with board.running():
        for _ in range(1500):
            board.low(5)
            board.high(5)
            await board.wait(0.0005)
        await board.wait(0.5)
        assert SensorFault("contact", "wire", present=True) in board.told
        assert board.pin(5).when_changed is None
        board.low(17)
        await board.wait(0.2)
        assert Pressed("help") in board.news
        board.high(17)
        await board.wait(LONGEST_RETRY + 5)
        assert board.faults[-1] == SensorFault("contact", "wire", present=False)
        assert board.source_words == []


async def test_a_storm_leaves_no_memory_behind() -> None:
    board = Board(wire(Kind.CONTACT, 5))
    ours = [tracemalloc.Filter(True, "*/gateway/sensing/*")]

    async def storm() -> None:
        for _ in range(6):
            for _ in range(900):
                board.low(5)
                board.high(5)
            await board.wait(3.0)
        board.forget()

    async with board.running():
        await storm()
        tracemalloc.start()
        try:
            await storm()
            before = tracemalloc.take_snapshot().filter_traces(ours)
            await storm()
            await storm()
            after = tracemalloc.take_snapshot().filter_traces(ours)
        finally:
            tracemalloc.stop()
    grown = sum(stat.size_diff for stat in after.compare_to(before, "filename"))
    assert grown < 131_072  # what waits at most; 21,600 edges would be 2 MB


async def test_without_a_chip_the_source_is_deaf_and_hears_once_it_is_there() -> None:
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.MOTION, 6))
    board.missing = NO_CHIP
    async with board.running(settled=False):
        assert board.told == [SourceChanged("gpio", alive=False, detail="gpio-missing")]
        assert set(board.source.problems) == {"entrance", "motion"}
        await board.wait(600.0)
        assert len(board.told) == 1
        tries = board.made
        assert 600 / LONGEST_RETRY <= tries <= 20
        board.missing = None
        await board.wait(LONGEST_RETRY + 2)
        assert board.source_words[1:] == [SourceChanged("gpio", alive=True)]
        assert Switched("entrance", on=False, fresh=False) in board.news
        assert board.source.problems == {}


async def test_two_sensors_on_one_pin_cost_only_the_second_its_sight() -> None:
    board = Board(wire(Kind.HELP, 17), wire(Kind.ENTRANCE, 17), wire(Kind.MOTION, 6))
    async with board.running(settled=False):
        await board.wait(5.0)
        assert board.faults == [SensorFault("entrance", "wire", present=True)]
        assert board.source_words == [SourceChanged("gpio", alive=True)]
        assert board.source.problems["entrance"].reason == "pin-twice"
        board.low(17)
        board.low(6)
        await board.wait(1.0)
        assert Pressed("help") in board.news
        assert Switched("motion", on=True) in board.news


async def test_a_pin_that_stops_answering_is_its_sensors_fault_and_heals() -> None:
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.MOTION, 6))
    async with board.running():
        board.pin(5).dead = True
        await board.wait(3.0)
        assert board.told == [SensorFault("entrance", "wire", present=True)]
        board.low(6)
        await board.wait(1.0)
        assert board.news == [Switched("motion", on=True)]
        board.pin(5).dead = False
        board.low(5)
        await board.wait(70.0)
        assert board.told[2:] == [
            Switched("entrance", on=True, fresh=False),
            SensorFault("entrance", "wire", present=False),
        ]


async def test_when_no_pin_answers_the_source_is_deaf_and_the_chip_is_opened_anew() -> None:
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.MOTION, 6))
    async with board.running():
        for pin in (5, 6):
            board.pin(pin).dead = True
        await board.wait(1.5)
        assert board.told == [SourceChanged("gpio", alive=False, detail="pin-failed")]
        await board.wait(5.0)
        assert board.made == 2
        assert board.told[1:] == [SourceChanged("gpio", alive=True)]
        board.low(6)
        await board.wait(1.0)
        assert board.news == [Switched("motion", on=True)]


async def test_a_press_while_the_pin_was_away_is_a_call_when_it_is_back() -> None:
    board = Board(wire(Kind.HELP, 17), wire(Kind.MOTION, 6))
    async with board.running():
        board.pin(17).dead = True
        await board.wait(1.5)
        board.low(17)
        board.pin(17).dead = False
        await board.wait(70.0)
        assert Pressed("help") in board.news


async def test_the_fixed_resistor_of_a_pin_is_said_with_a_remedy() -> None:
    board = Board(wire(Kind.MOTION, 2, pull="down", active="high"))
    async with board.running(settled=False):
        problem = board.source.problems["motion"]
        assert problem.reason == "pin-pull"
        assert "another pin" in str(problem)
        assert board.source_words == [SourceChanged("gpio", alive=False, detail="pin-pull")]


def test_only_a_wire_that_shows_its_cut_proves_the_home() -> None:
    door = wire(Kind.ENTRANCE, 5, pull="up", active="high")
    assert shows_a_cut(door)
    assert proves_the_home(door)
    assert not shows_a_cut(wire(Kind.MOTION, 5, pull="down", active="high"))
    assert shows_a_cut(wire(Kind.MOTION, 5, pull="up", active="high"))
    assert not shows_a_cut(wire(Kind.MOTION, 5, pull=None, active="high"))
    assert shows_a_cut(wire(Kind.HELP, 5, second=6))
    assert not proves_the_home(wire(Kind.HELP, 5, second=6))


def test_usual_debounce_times_are_within_what_is_allowed() -> None:
    assert all(usual_debounce_ms(kind) <= longest_debounce_ms(kind) for kind in Kind)
    assert usual_debounce_ms(Kind.HELP) <= 50
    assert usual_debounce_ms(Kind.METER) < 30
