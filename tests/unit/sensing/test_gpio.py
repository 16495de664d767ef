"""The source "gpio" on gpiozero's mock pins: what the resident does reaches the hub as it is."""

from __future__ import annotations

import asyncio
import random

import pytest

from gateway.domain.observation import Measured, Pressed, Quantity, SensorFault, Switched
from gateway.domain.sensor import Kind
from gateway.sensing.gpio import GpioSource
from gateway.sensing.pins import EDGES_MOST
from tests.support.board import START, Board, wire


async def test_motion_is_told_at_its_beginning_and_its_end_in_order() -> None:
    board = Board(wire(Kind.MOTION, 4, pull="down", active="high"))
    async with board.running():
        board.high(4)
        await board.wait(2.5)
        board.low(4)
        await board.wait(1.0)
        assert board.log == [
            (5.03, Switched("motion", on=True)),
            (7.53, Switched("motion", on=False)),
        ]


async def test_a_help_press_is_told_once_within_50_ms_although_the_button_bounces() -> None:
    board = Board(wire(Kind.HELP, 17))
    async with board.running():
        for _ in range(3):
            board.low(17)
            await board.wait(0.002)
            board.high(17)
            await board.wait(0.001)
        board.low(17)
        await board.wait(0.3)
        for _ in range(3):
            board.high(17)
            await board.wait(0.002)
            board.low(17)
            await board.wait(0.001)
        board.high(17)
        await board.wait(3.0)
        assert board.news == [Pressed("help")]
        assert board.log[0][0] - 5.0 <= 0.050


async def test_two_presses_are_two_calls() -> None:
    board = Board(wire(Kind.HELP, 17))
    async with board.running():
        for _ in range(2):
            board.low(17)
            await board.wait(0.08)
            board.high(17)
            await board.wait(0.08)
        assert board.news == [Pressed("help"), Pressed("help")]


async def test_sensors_keep_the_order_of_what_happened_even_if_all_is_seen_at_once() -> None:
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.MOTION, 6), wire(Kind.HELP, 17))
    async with board.running():
        now = board.clock.now
        later = 0.0
        board.clock.now = lambda: now().plus(later)  # type: ignore[method-assign]
        for change in (board.low, board.high):
            for pin in (17, 6, 5):
                change(pin)
                later += 0.1
        later = 3.0
        await board.clock.settle()
        assert board.news == [
            Pressed("help"),
            Switched("motion", on=True),
            Switched("entrance", on=True),
            Switched("motion", on=False),
            Switched("entrance", on=False),
        ]


async def test_a_reading_that_overtakes_its_edge_does_not_make_it_a_lost_one() -> None:
    board = Board(wire(Kind.MOTION, 6))
    async with board.running():
        board.pin(6).mute = True
        board.low(6)
        await board.wait(1.0)
        board.pin(6).mute = False
        board.pin(6)._call_when_changed()
        await board.wait(3.0)
        assert board.news == [Switched("motion", on=True, fresh=True)]
        assert "gpio-edges-healed" not in board.source.counters


async def test_mains_loss_is_told_within_10_s_and_a_dip_of_a_second_is_not() -> None:
    board = Board(wire(Kind.MAINS, 22))
    board.low(22)
    async with board.running():
        board.high(22)
        await board.wait(1.0)
        board.low(22)
        await board.wait(10.0)
        assert board.news == []
        lost = board.clock.now().boottime - START.boottime
        board.high(22)
        await board.wait(60.0)
        assert board.news == [Switched("mains", on=False)]
        assert board.log[0][0] - lost <= 10.0
        board.low(22)
        await board.wait(10.0)
        assert board.news[1:] == [Switched("mains", on=True)]


@pytest.mark.parametrize("kind", [Kind.SMOKE, Kind.GAS])
async def test_a_detector_whose_relay_opens_is_told_and_so_is_a_cut_wire(kind: Kind) -> None:
    board = Board(wire(kind, 23, pull="up", active="high"))
    board.low(23)
    async with board.running():
        board.high(23)
        await board.wait(1.0)
        assert board.news == [Switched(str(kind), on=True)]


async def test_the_first_state_after_a_start_is_told_and_is_no_sign_of_life() -> None:
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.MOTION, 6), wire(Kind.MAINS, 22))
    async with board.running(settled=False):
        await board.wait(5.0)
        assert board.news == [
            Switched("entrance", on=False, fresh=False),
            Switched("motion", on=False, fresh=False),
            Switched("mains", on=False, fresh=False),
        ]


async def test_a_pulse_meter_is_one_number_a_minute_and_silent_while_nothing_is_used() -> None:
    board = Board(wire(Kind.METER, 24))
    async with board.running():
        await board.wait(600.0)
        assert board.news == []
        for _ in range(50):
            board.low(24)
            await board.wait(0.03)
            board.high(24)
            await board.wait(0.97)
        await board.wait(600.0)
        counts = [what.value for what in board.news if isinstance(what, Measured)]
        assert sum(counts) == 50
        assert counts[-1] == 0.0
        assert len(counts) <= 3
        assert all(w.quantity is Quantity.PULSES for w in board.news if isinstance(w, Measured))


async def test_a_lost_edge_is_healed_in_both_directions_as_a_state() -> None:
    board = Board(wire(Kind.ENTRANCE, 5))
    async with board.running():
        board.pin(5).mute = True
        board.low(5)
        await board.wait(3.0)
        board.high(5)
        await board.wait(3.0)
        assert board.news == [
            Switched("entrance", on=True, fresh=False),
            Switched("entrance", on=False, fresh=False),
        ]
        assert board.source.counters["gpio-edges-healed"] == 2
        board.pin(5).mute = False
        board.low(5)
        await board.wait(1.0)
        assert board.news[2:] == [Switched("entrance", on=True, fresh=True)]


async def test_a_help_press_whose_edge_was_lost_is_still_a_call() -> None:
    board = Board(wire(Kind.HELP, 17))
    async with board.running():
        board.pin(17).mute = True
        board.low(17)
        await board.wait(3.0)
        assert board.news == [Pressed("help")]


async def test_a_press_during_a_loop_that_stands_still_is_not_taken_for_a_spike() -> None:
    """Edges are stamped where they come in, not where they are looked at."""
    board = Board(wire(Kind.HELP, 17))
    async with board.running():
        now = board.clock.now
        later = 0.0
        board.clock.now = lambda: now().plus(later)  # type: ignore[method-assign]
        board.low(17)
        later = 0.4
        board.high(17)
        later = 3.0
        await board.clock.settle()
        assert board.news == [Pressed("help")]


async def test_edges_from_a_foreign_thread_arrive() -> None:
    board = Board(wire(Kind.HELP, 17), wire(Kind.MOTION, 6))
    async with board.running():
        await asyncio.to_thread(board.low, 17)
        await asyncio.to_thread(board.low, 6)
        await board.wait(1.0)
        assert board.news == [Pressed("help"), Switched("motion", on=True)]


async def test_a_thousand_edges_in_three_seconds_are_counted_and_kept_nowhere() -> None:
    board = Board(wire(Kind.MOTION, 6), wire(Kind.HELP, 17))
    chance = random.Random(7)
    async with board.running():
        for number in range(1000):
            (board.low if number % 2 == 0 else board.high)(6)
            await board.wait(0.0015 + 0.003 * chance.random())
        board.low(17)
        await board.wait(0.2)
        assert Pressed("help") in board.news
        assert len(board.news) < 200
        assert "gpio-edges-dropped" not in board.source.counters


async def test_edges_that_nobody_fetches_are_bounded_and_the_level_is_right_afterwards() -> None:
    board = Board(wire(Kind.ENTRANCE, 5))
    async with board.running():
        for _ in range(4 * EDGES_MOST):
            board.low(5)
            board.high(5)
        board.low(5)
        await board.wait(70.0)
        assert board.source.counters["gpio-edges-dropped"] >= 7 * EDGES_MOST
        states = [what.on for what in board.news if isinstance(what, Switched)]
        assert states[-1:] == [True]


async def test_nothing_is_held_after_the_end_and_a_second_run_begins_anew() -> None:
    board = Board(wire(Kind.ENTRANCE, 5))
    async with board.running():
        board.low(5)
        await board.wait(1.0)
    assert board.pin(5).when_changed is None
    board.high(5)
    board.forget()
    async with board.running(settled=False):
        await board.wait(5.0)
        board.low(5)
        await board.wait(1.0)
        assert [what.on for what in board.news if isinstance(what, Switched)] == [False, True]


async def test_without_wires_the_source_ends_at_once() -> None:
    board = Board()
    await GpioSource((), board.clock).run(board.offer)
    assert board.told == []


async def test_the_first_word_on_every_wire_says_that_it_is_sound() -> None:
    """So that a fault which was mended while the hub was off ends."""
    board = Board(wire(Kind.ENTRANCE, 5), wire(Kind.HELP, 17))
    async with board.running(settled=False):
        await board.wait(5.0)
        assert SensorFault("entrance", "wire", present=False) in board.told
        assert SensorFault("help", "wire", present=False) in board.told
        assert SensorFault("help", "stuck", present=False) in board.told
