"""Whatever a home does and a network answers, there is an outlook, and it makes sense."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import ModelError
from gateway.domain.sensor import Room
from gateway.engine.habits import Habits, SilenceStart
from gateway.engine.outlook import QUESTION_AFTER, Knobs, Outlook, outlook
from gateway.engine.prior import ANYWHERE
from gateway.engine.stopping import ROWS, STEP

rooms = st.sampled_from(Room)
pauses = st.one_of(
    st.floats(0, 900), st.floats(600, 50_000), st.floats(0, 400_000), st.floats(-4e8, 4e8)
)
lives = st.lists(st.tuples(pauses, rooms, st.booleans(), st.booleans()), max_size=40)
numbers = st.one_of(
    st.floats(), st.floats(0, 1), st.floats(allow_nan=True), st.just(0.0), st.just(1.0)
)


class Answers:
    """A network that answers what it was told to."""

    fingerprint = "told"
    silences = ANYWHERE

    def __init__(self, answers: Sequence[float] | Exception) -> None:
        self.answers = answers

    def hazard(self, rows: array[float]) -> Sequence[float]:
        assert len(rows) == ROWS * 32
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


def lived(life: Sequence[tuple[float, Room, bool, bool]]) -> tuple[Habits, SilenceStart]:
    """Habits after a life of (pause before, room, entrance, learn), clock jumps among them."""
    habits, local, room = Habits(), 1.7e9, Room.OTHER
    habits.event(local, room, entrance=False)
    for pause, next_room, entrance, learn in life:
        if pause >= STEP:
            start = habits.start(local, room)
            view = outlook(habits, start, None, Knobs()) if pause >= QUESTION_AFTER else None
            habits.silence(start, local + pause, learn, view)
        local, room = local + pause, next_room
        habits.event(local, room, entrance)
    return habits, habits.start(local, room)


def makes_sense(view: Outlook) -> None:
    for after in (view.ask_after, view.tell_after, view.usual_p50, view.usual_p95):
        assert after is None or after % STEP == 0
    if view.tell_after is not None:
        assert view.ask_after is not None
        assert QUESTION_AFTER <= view.ask_after <= view.tell_after
    assert view.usual_p95 is None or (view.usual_p50 or 0) <= view.usual_p95


@settings(deadline=None)
@given(life=lives)
def test_any_life_has_an_outlook_without_a_network(
    life: list[tuple[float, Room, bool, bool]],
) -> None:
    view = outlook(*lived(life), None, Knobs())
    makes_sense(view)
    assert view.by == "kernel"


@settings(deadline=None, max_examples=200)
@given(
    life=lives,
    answers=st.one_of(
        st.lists(numbers, max_size=3).map(lambda few: (few * ROWS)[:ROWS]),
        st.lists(numbers, max_size=20),
        st.floats(0, 1).map(lambda one: [one] * ROWS),
        st.just([1.0] * (ROWS + 1)),
        st.just(ModelError("broken; mend it.")),
        st.just(ValueError("broken")),
    ),
)
def test_no_network_can_break_an_outlook(
    life: list[tuple[float, Room, bool, bool]], answers: Sequence[float] | Exception
) -> None:
    habits, start = lived(life)
    view = outlook(habits, start, Answers(answers), Knobs())
    makes_sense(view)
    usable = (
        not isinstance(answers, Exception)
        and len(answers) == ROWS
        and all(0.0 <= answer <= 1.0 for answer in answers)
    )
    assert view.by == ("network+kernel" if usable else "kernel")
    if not usable:
        assert view == outlook(habits, start, None, Knobs())
    habits.silence(start, start.local + 20_000, learn=True, outlook=view)
    makes_sense(outlook(habits, start, Answers(answers), Knobs()))


@settings(deadline=None)
@given(life=lives)
def test_habits_survive_json_exactly_and_go_on_the_same(
    life: list[tuple[float, Room, bool, bool]],
) -> None:
    habits, start = lived(life)
    restored = msgspec.json.decode(msgspec.json.encode(habits), type=Habits)
    assert restored == habits
    network = Answers([0.05] * ROWS)
    assert outlook(restored, start, network, Knobs()) == outlook(habits, start, network, Knobs())
    for one in (habits, restored):
        one.silence(start, start.local + 30_000, learn=True)
        one.event(start.local + 30_000, Room.BED, entrance=True)
    assert restored == habits


@settings(deadline=None)
@given(life=lives, length=st.floats(allow_nan=True))
def test_what_must_not_be_learned_changes_nothing(
    life: list[tuple[float, Room, bool, bool]], length: float
) -> None:
    habits, start = lived(life)
    before = msgspec.json.encode(habits)
    view = outlook(habits, start, Answers([0.1] * ROWS), Knobs())
    assert msgspec.json.encode(habits) == before, "looking changes nothing either"
    habits.silence(start, start.local + length, learn=False, outlook=view)
    assert msgspec.json.encode(habits) == before


@settings(deadline=None)
@given(life=lives, late=st.integers(1, 5))
def test_a_silence_begins_the_same_however_late_it_is_looked_at(
    life: list[tuple[float, Room, bool, bool]], late: int
) -> None:
    habits, start = lived(life)
    assert all(habits.start(start.local, start.room) == start for _ in range(late))
