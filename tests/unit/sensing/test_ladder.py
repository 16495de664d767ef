from __future__ import annotations

import itertools

from gateway.domain.instant import DAY, HOUR
from gateway.sensing.ladder import GRACE, REBOOT_UP, Ladder, Rung, Trouble
from gateway.sensing.usual import CAP, FLOOR, Usual

UP = 10 * DAY
"""Seconds of uptime at the beginning: nothing is forbidden for being too young."""


class Air:
    """Plays the radio and the caller: does each rung at once, lists what was done and when."""

    def __init__(self, now: float = UP, *, beacon: float | None = 30.0, **options: object) -> None:
        self.now = now
        self.ladder = Ladder(now, Usual(beacon), **options)  # type: ignore[arg-type]
        self.done: list[tuple[float, Rung]] = []
        self.failing: Trouble | None = None
        self.settle()

    def settle(self) -> None:
        """Do what has to be done at this moment."""
        for _ in range(20):
            rung = self.ladder.step(self.now)
            if rung is None:
                return
            self.done.append((self.now, rung))
            if rung is Rung.REBOOT and self.failing is None:
                return
            self.ladder.done(self.failing, self.now)
        raise AssertionError("the ladder runs in a circle at one moment")

    def run(self, seconds: float) -> None:
        """Let time pass, from deadline to deadline."""
        end = self.now + seconds
        while (due := self.ladder.due(self.now)) <= end:
            assert due >= self.now
            self.now = max(due, self.now)
            before = len(self.done)
            self.settle()
            if len(self.done) == before and self.ladder.due(self.now) <= self.now:
                raise AssertionError("a deadline that nothing follows from")
        self.now = end

    def hear(self, every: float, seconds: float) -> None:
        """Advertisements at this distance."""
        end = self.now + seconds
        while self.now + every <= end:
            self.run(every)
            self.ladder.heard(self.now)
        self.run(end - self.now)

    def rungs(self, *kinds: Rung) -> list[Rung]:
        return [rung for _at, rung in self.done if not kinds or rung in kinds]

    def times(self, kind: Rung) -> list[float]:
        return [at for at, rung in self.done if rung is kind]


def test_a_radio_that_hears_is_left_alone_for_a_week() -> None:
    air = Air()
    air.hear(30.0, 7 * DAY)
    assert air.rungs() == [Rung.START]
    assert air.ladder.trouble is None


def test_silence_longer_than_the_floor_restarts_the_scanner_in_a_busy_home() -> None:
    air = Air()
    air.hear(1.0, 2 * HOUR)
    last = air.now
    air.run(FLOOR - 1)
    assert air.ladder.trouble is None
    air.run(1)
    assert air.done[-1] == (last + FLOOR, Rung.RESTART)
    assert air.ladder.trouble is Trouble.SILENT


def test_each_remedy_gets_its_time_before_the_next_and_all_are_tried_in_order() -> None:
    air = Air()
    air.hear(1.0, 2 * HOUR)
    air.run(25 * 60)
    ladder = air.rungs()[1:]
    assert ladder[:4] == [Rung.RESTART, Rung.FRESH, Rung.POWER, Rung.DAEMON]
    times = [at for at, _rung in air.done[1:5]]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(FLOOR <= gap <= CAP for gap in gaps)
    assert Rung.EXIT in ladder


def test_one_advertisement_ends_the_climb_and_the_next_silence_begins_below() -> None:
    air = Air()
    air.hear(1.0, 2 * HOUR)
    air.run(4 * 60)
    assert Rung.FRESH in air.rungs()
    assert air.ladder.heard(air.now) is True
    assert air.ladder.trouble is None
    air.hear(1.0, HOUR)
    before = len(air.done)
    air.run(15 * 60)
    assert air.done[before][1] is Rung.RESTART


def test_a_week_of_jamming_uses_each_rung_at_most_as_often_as_it_may() -> None:
    air = Air()
    air.hear(1.0, 2 * HOUR)
    air.run(7 * DAY)
    for rung, least in (
        (Rung.RESTART, 60),
        (Rung.FRESH, 60),
        (Rung.POWER, 300),
        (Rung.DAEMON, 900),
    ):
        times = air.times(rung)
        assert len(times) > 10
        assert all(b - a >= least for a, b in itertools.pairwise(times))
    assert len(air.times(Rung.EXIT)) == 1  # the process would be gone
    assert len(air.times(Rung.REBOOT)) == 1  # and the machine too
    assert len(air.done) < 7 * DAY / 200  # with a pause that grows


def test_nothing_reboots_a_machine_that_is_up_for_less_than_six_hours() -> None:
    air = Air(now=0.0)
    air.hear(1.0, HOUR)
    air.run(REBOOT_UP - air.now - 1)
    assert air.rungs(Rung.REBOOT) == []
    air.run(HOUR)
    assert air.times(Rung.REBOOT)[0] >= REBOOT_UP


def test_a_young_process_does_not_leave_again() -> None:
    air = Air()
    air.run(HOUR - 1)
    assert air.rungs(Rung.EXIT) == []
    assert air.ladder.trouble is Trouble.SILENT


def test_a_reboot_that_is_refused_within_a_commit_is_asked_for_again_soon() -> None:
    ladder = Ladder(UP, Usual(30.0))
    now = UP
    asked: list[float] = []
    while len(asked) < 3:
        rung = ladder.step(now)
        if rung is Rung.REBOOT:
            asked.append(now)
            ladder.declined(now)
        elif rung is not None:
            ladder.done(None, now)
        now = max(now, ladder.due(now))
        assert now < UP + DAY
    assert asked[2] - asked[0] == 60.0
    assert ladder.counts[Rung.REBOOT] == 0


def test_a_rung_without_a_helper_is_passed_over() -> None:
    air = Air(available={Rung.START, Rung.RESTART, Rung.FRESH, Rung.DAEMON})
    air.run(HOUR)
    assert set(air.rungs()) == {Rung.START, Rung.RESTART, Rung.FRESH, Rung.DAEMON}


def test_a_start_that_is_refused_is_tried_four_times_then_from_scratch_then_power_cycled() -> None:
    air = Air()
    air.hear(1.0, 60)
    air.failing = Trouble.REFUSED
    air.ladder.arrived(air.now)
    air.run(45)
    assert air.rungs()[1:] == [Rung.START] * 4 + [Rung.FRESH] + [Rung.START] * 3 + [
        Rung.POWER,
        *[Rung.START] * 3,
        Rung.DAEMON,
        *[Rung.START] * 3,
    ]


def test_a_bluetoothd_that_is_gone_is_waited_for_and_then_restarted_once_in_a_quarter_hour() -> (
    None
):
    air = Air()
    air.hear(1.0, HOUR)
    air.ladder.gone(Trouble.DAEMON_GONE, air.now)
    gone = air.now
    air.failing = Trouble.DAEMON_GONE
    air.run(14 * 60)
    assert [(at - gone, rung) for at, rung in air.done[1:]] == [(GRACE, Rung.DAEMON)]
    air.run(25 * 60)
    assert all(rung is Rung.DAEMON for _at, rung in air.done[1:3])
    assert Rung.EXIT not in air.rungs()  # our own process is not what is ill


def test_what_comes_back_is_used_at_once() -> None:
    air = Air()
    air.hear(1.0, HOUR)
    air.ladder.gone(Trouble.DAEMON_GONE, air.now)
    air.run(10)
    air.ladder.arrived(air.now)
    assert air.ladder.due(air.now) == air.now
    air.settle()
    assert air.done[-1] == (air.now, Rung.START)
    assert air.ladder.heard(air.now) is True


def test_a_bluetoothd_that_dies_all_the_time_does_not_make_us_start_all_the_time() -> None:
    air = Air()
    air.hear(1.0, 60)
    begun = air.now
    for _ in range(100):
        air.ladder.gone(Trouble.DAEMON_GONE, air.now)
        air.ladder.arrived(air.now)
        air.run(0.1)
    assert len(air.done) - 1 <= (air.now - begun) / 1.0 + 1


def test_what_is_heard_after_the_scanner_was_given_up_proves_nothing() -> None:
    air = Air()
    air.hear(1.0, 60)
    air.ladder.gone(Trouble.NO_ADAPTER, air.now)
    assert air.ladder.heard(air.now) is False
    assert air.ladder.trouble is Trouble.NO_ADAPTER


def test_an_adapter_that_comes_while_a_start_fails_is_tried_at_once() -> None:
    air = Air()
    air.hear(1.0, 60)
    air.ladder.gone(Trouble.NO_ADAPTER, air.now)
    air.ladder.arrived(air.now)
    air.run(1.0)
    air.ladder.arrived(air.now)  # powered, while the start before was still failing
    air.ladder.done(Trouble.POWERED_OFF, air.now)
    assert air.ladder.due(air.now) <= air.now + 1.0


def test_in_a_home_where_long_silence_is_usual_only_the_scanner_is_restarted() -> None:
    air = Air(beacon=None)
    for _ in range(20):
        air.run(400)
        air.ladder.heard(air.now)
    assert air.rungs() == [Rung.START]
    air.run(6 * HOUR)
    assert set(air.rungs()) == {Rung.START, Rung.RESTART, Rung.FRESH}
    assert air.ladder.trouble is Trouble.SILENT  # and it is told all the same


def test_an_outage_does_not_teach_that_long_silence_is_usual() -> None:
    air = Air()
    air.hear(1.0, 2 * HOUR)
    air.ladder.gone(Trouble.DAEMON_GONE, air.now)
    air.failing = Trouble.DAEMON_GONE
    air.run(5 * 60)
    air.failing = None
    air.ladder.arrived(air.now)
    air.settle()
    air.ladder.heard(air.now)
    air.hear(1.0, 60)
    assert air.ladder.usual.limit == FLOOR


def test_the_usual_silence_is_learned_between_floor_and_cap_and_forgotten_in_a_day() -> None:
    usual = Usual(30.0)
    assert usual.limit == FLOOR
    assert Usual(None).limit == CAP
    assert Usual(60.0).limit == 180.0
    now = 0.0
    for _ in range(3 * 60):
        now += 60
        usual.gap(60, now)
    assert usual.limit == 120.0
    usual.gap(250, now)
    assert usual.limit == 500.0
    usual.gap(10_000, now)
    assert usual.limit == CAP
    for _ in range(26 * 60):
        now += 60
        usual.gap(10, now)
    assert usual.limit == FLOOR
