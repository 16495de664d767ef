"""The slow controller keeps the budget, between bounds, and knows no ceiling."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.alert import Outcome
from gateway.engine.control import (
    CAREFUL,
    DOWN,
    KEEP_ENDS,
    LEAST,
    MOST,
    UNLEARNED_DAYS,
    UP,
    Control,
    End,
)
from gateway.engine.stopping import Knobs

KNOBS = Knobs()
LOUD = 10.0 * KNOBS.tell


def lived(days: int, every: int | None = None, outcome: Outcome | None = None) -> Control:
    """Days of a home with a dear false alarm every so many of them."""
    control = Control()
    for day in range(days):
        control.turn(day, KNOBS, asks=False)
        if every is not None and day % every == 0:
            control.ended(End(day, LOUD, LOUD, 1.0), f"alert-{day}")
            if outcome is not None:
                control.judged(f"alert-{day}", outcome)
    return control


def test_a_home_begins_careful_and_a_quiet_one_comes_down_to_the_least() -> None:
    assert Control().tell == CAREFUL
    assert CAREFUL * DOWN**14 < 1.1
    quiet = lived(200)
    assert (quiet.tell, quiet.ask, quiet.door_tell) == (LEAST, LEAST, LEAST)


def test_false_alarms_raise_the_knobs_and_true_ones_do_not() -> None:
    restless = lived(60, every=5, outcome=Outcome.FALSE_SLEEP)
    assert restless.tell > 2.0
    assert lived(60, every=5, outcome=Outcome.TRUE).tell < 1.0


def test_an_alarm_that_nobody_judged_counts_as_false_after_a_week() -> None:
    assert lived(60, every=5).tell > 2.0


def test_absences_have_a_knob_of_their_own() -> None:
    control = Control()
    for day in range(60):
        control.turn(day, KNOBS, asks=False)
        control.ended(End(day, LOUD, LOUD, 1.0, door=True), None)
    assert control.door_tell > control.tell
    inside, door = control.turned(KNOBS, door=False), control.turned(KNOBS, door=True)
    assert door.tell > inside.tell


def test_the_first_days_say_nothing_about_the_knobs() -> None:
    control = Control()
    for day in range(int(UNLEARNED_DAYS)):
        control.turn(day, KNOBS, asks=False)
        control.ended(End(day, LOUD, LOUD, 1.0), None)
    assert control.ends == []


@given(
    ends=st.lists(
        st.tuples(
            st.integers(-3, 40), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1),
            st.booleans(), st.sampled_from([None, *Outcome]),
        ),
        max_size=120,
    ),
    asks=st.booleans(),
)  # fmt: skip
def test_whatever_ends_the_knobs_move_slowly_between_their_bounds(
    ends: list[tuple[int, float, float, float, bool, Outcome | None]], asks: bool
) -> None:
    control, day = Control(), 20_000
    for number, (later, ask, tell, cost, door, outcome) in enumerate(ends):
        day += later
        before = (control.ask, control.tell, control.door_ask, control.door_tell)
        control.turn(day, KNOBS, asks)
        after = (control.ask, control.tell, control.door_ask, control.door_tell)
        for one, other in zip(before, after, strict=True):
            assert one * DOWN - 1e-3 <= other <= one * UP + 1e-3
            assert LEAST - 1e-3 <= other <= max(MOST, CAREFUL) + 1e-3
        control.ended(End(day, ask, tell, cost, door), None if outcome is None else str(number))
        control.judged(str(number), outcome)
        assert len(control.ends) <= KEEP_ENDS + 2 * 40 + 1
        assert len(control.pending) <= 16
    assert msgspec.json.decode(msgspec.json.encode(control), type=Control) == control


def test_where_the_home_asks_the_knob_of_asking_is_compared_with_its_own() -> None:
    knobs = Knobs(ask=1.0, tell=1.0, tell_by_asking=100.0)
    control = Control()
    for day in range(120):
        control.turn(day, knobs, asks=True)
        control.ended(End(day, 50.0, 0.0, 1.0, door=day % 2 == 0), None)
    assert (control.ask, control.door_ask) == (LEAST, LEAST), "with 70 nobody would be asked"


def test_days_that_jump_years_move_the_knobs_no_faster() -> None:
    control = lived(60, every=5, outcome=Outcome.FALSE_SLEEP)
    before = control.tell
    control.turn(60 + 3_650, KNOBS, asks=False)
    assert before * DOWN - 1e-3 <= control.tell <= before * UP + 1e-3
    control.turn(61, KNOBS, asks=False)
    assert before * DOWN**2 - 1e-3 <= control.tell <= before * UP**2 + 1e-3


def test_years_of_silences_are_kept_in_a_bounded_space() -> None:
    control = Control()
    for day in range(3 * 365):
        control.turn(day, KNOBS, asks=day % 2 == 0)
        for number in range(24):
            alert = f"{day}-{number}" if number % 3 == 0 else None
            control.ended(End(day, float(number), float(number), 0.3, number % 2 == 0), alert)
    control.turn(3 * 365, KNOBS, asks=False)
    assert len(msgspec.json.encode(control)) < 4_000
    assert msgspec.json.decode(msgspec.json.encode(control), type=Control) == control
