"""Whatever a contact does: no press is lost, none is told twice, and the order is kept."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.enrolment import Wire
from gateway.domain.observation import Pressed, SensorFault, Switched, What
from gateway.domain.sensor import Kind, Sensor
from gateway.sensing.debounce import Debouncer, Flip
from gateway.sensing.lines import BUTTON_STUCK, Line, line_of

HOLD = 20
"""Milliseconds. All times below are milliseconds, and drawn as such, so that examples are short."""

Edges = list[tuple[int, bool]]

bounces = st.lists(st.integers(1, 6), max_size=3).map(lambda gaps: gaps * 2)
"""Gaps of a bouncing contact: an even number of them, at most 18 of HOLD's milliseconds yes."""

presses = st.lists(
    st.tuples(st.integers(3 * HOLD, 2000), bounces, st.integers(3 * HOLD, 2000), bounces),
    max_size=12,
)
"""Pause before, bounces down, how long it is held, bounces up."""

chatter = st.lists(st.integers(0, 60), max_size=120)
"""Gaps of a contact that does what it likes."""


def bounced(at: int, gaps: list[int], level: bool, edges: Edges) -> int:
    edges.append((at, level))
    for gap in gaps:
        at += gap
        level = not level
        edges.append((at, level))
    return at


def fingers(plan: list[tuple[int, list[int], int, list[int]]]) -> tuple[Edges, int]:
    """The edges of so many presses, and when all is quiet again."""
    edges: Edges = []
    at = 1000
    for pause, down, held, up in plan:
        at = bounced(at + pause, down, True, edges)
        at = bounced(at + held, up, False, edges)
    return edges, at + 3 * HOLD


def seconds(milliseconds: int) -> float:
    return milliseconds / 1000.0


def started(hold: int = HOLD) -> Debouncer:
    debouncer = Debouncer(seconds(hold))
    debouncer.feed(0.0, False)
    debouncer.settle(0.9)
    assert debouncer.state is False
    return debouncer


def run(debouncer: Debouncer, edges: Edges, end: int) -> list[Flip]:
    flips: list[Flip] = []
    for at, level in edges:
        flips += debouncer.feed(seconds(at), level)
    return [*flips, *debouncer.settle(seconds(end))]


@given(presses)
def test_every_press_is_told_once_however_it_bounces(
    plan: list[tuple[int, list[int], int, list[int]]],
) -> None:
    edges, end = fingers(plan)
    flips = run(started(), edges, end)
    assert [flip.on for flip in flips] == [True, False] * len(plan)


@given(presses)
def test_a_press_is_told_within_hold_of_its_last_bounce(
    plan: list[tuple[int, list[int], int, list[int]]],
) -> None:
    edges, end = fingers(plan)
    told = [flip.at for flip in run(started(), edges, end) if flip.on]
    at = 1000
    for (pause, down, held, up), flip in zip(plan, told, strict=True):
        first = at + pause
        last = first + sum(down)
        assert seconds(first) < flip <= seconds(last + HOLD) + 1e-6
        at = last + held + sum(up)


@given(chatter)
def test_a_level_that_lasts_is_always_found_after_any_chatter(gaps: list[int]) -> None:
    debouncer = started()
    at, level = 1000, False
    for gap in gaps:
        at += gap
        debouncer.settle(seconds(at))
        assert gap < HOLD or debouncer.state is level
        level = not level
        debouncer.feed(seconds(at), level)
    debouncer.settle(seconds(at + HOLD))
    assert debouncer.state is level


@given(chatter)
def test_changes_alternate_in_the_order_of_time_and_each_was_earned(gaps: list[int]) -> None:
    debouncer = started()
    edges: Edges = []
    at, level = 1000, False
    for gap in gaps:
        at += gap
        level = not level
        edges.append((at, level))
    flips = run(debouncer, edges, at + HOLD)
    assert all(a.on is not b.on for a, b in pairwise(flips))
    assert all(b.at - a.at >= seconds(HOLD) - 1e-5 for a, b in pairwise(flips))
    assert not flips or flips[0].on
    for before, flip in pairwise([Flip(0.0, on=False), *flips]):
        spans = [
            (max(seconds(a), before.at), min(seconds(b), flip.at))
            for (a, on), (b, _) in pairwise([*edges, (at + HOLD, False)])
            if on is flip.on
        ]
        assert sum(b - a for a, b in spans if b > a) >= seconds(HOLD) - 1e-5


@given(st.lists(st.tuples(st.integers(1, HOLD - 1), st.integers(HOLD, 500)), max_size=30))
def test_spikes_change_nothing(spikes: list[tuple[int, int]]) -> None:
    edges: Edges = []
    at = 1000
    for width, pause in spikes:
        edges += [(at, True), (at + width, False)]
        at += width + pause
    assert run(started(), edges, at) == []


@given(chatter, st.lists(st.integers(0, 8000), max_size=60))
def test_it_does_not_matter_when_one_looks(gaps: list[int], looks: list[int]) -> None:
    edges: Edges = []
    at, level = 1000, False
    for gap in gaps:
        at += gap
        level = not level
        edges.append((at, level))
    end = max([at, *looks]) + HOLD
    undisturbed = run(started(), edges, end)
    watched = started()
    flips: list[Flip] = []
    steps = [(a, 0, on) for a, on in edges] + [(look, 1, False) for look in looks]
    steps.sort(key=lambda step: step[0])  # stable: two edges of one moment keep their order
    for when, kind, on in steps:
        now = seconds(when)
        flips += watched.settle(now) if kind else watched.feed(now, on)
    flips += watched.settle(seconds(end))
    assert [flip.on for flip in flips] == [flip.on for flip in undisturbed]
    for a, b in zip(flips, undisturbed, strict=True):
        assert abs(a.at - b.at) < 1e-5


@given(chatter, st.floats(0, 1e7))
def test_what_is_due_happens_when_it_is_due(gaps: list[int], start: float) -> None:
    debouncer = Debouncer(seconds(HOLD))
    at, level = start, False
    for gap in gaps:
        at += seconds(gap)
        level = not level
        debouncer.feed(at, level)
        due = debouncer.due()
        if due is None or due > at + 0.005:
            continue
        assert debouncer.settle(due)
        assert debouncer.due() is None
        at = due


def line(kind: Kind, *, pair: bool = False) -> Line:
    wire = Wire(
        Sensor("s", kind, source="gpio"), 5, debounce_ms=HOLD, second_pin=6 if pair else None
    )
    made = line_of(wire)
    made.read(0.0, (True, False) if pair else (True,))
    made.settle(0.9)
    return made


def lived(made: Line, edges: list[tuple[int, int, bool]], end: int) -> list[What]:
    """The line's whole life, woken whenever something is due."""
    told: list[What] = []

    def until(now: float) -> None:
        while (due := made.due()) is not None and due <= now:
            told.extend(made.settle(due))
            after = made.due()
            assert after is None or after > due

    for at, half, high in edges:
        until(seconds(at))
        told += made.edge(seconds(at), half, high)
    until(seconds(end))
    return told


@given(presses)
def test_a_button_calls_once_a_press(plan: list[tuple[int, list[int], int, list[int]]]) -> None:
    edges, end = fingers(plan)
    told = lived(line(Kind.HELP), [(at, 0, not yes) for at, yes in edges], end)
    assert told == [Pressed("s")] * len(plan)


@given(presses, st.sampled_from(["none", "first", "second"]), st.integers(0, 30))
def test_a_supervised_button_calls_once_a_press_with_either_wire_cut(
    plan: list[tuple[int, list[int], int, list[int]]], cut: str, transit: int
) -> None:
    """The first contact closes to ground (low) when pressed, the second opens (high)."""
    edges, end = fingers(plan)
    both = [(at + transit, 0, not yes) for at, yes in edges if cut != "first"]
    both += [(at, 1, yes) for at, yes in edges if cut != "second"]
    if cut == "second":
        both.append((950, 1, True))
    made = line(Kind.HELP, pair=True)
    told = lived(made, sorted(both), end + transit)
    assert [what for what in told if isinstance(what, Pressed)] == [Pressed("s")] * len(plan)


@given(presses, st.integers(61, 400))
def test_a_button_that_stays_down_is_stuck_and_well_again_when_it_comes_up(
    plan: list[tuple[int, list[int], int, list[int]]], held: int
) -> None:
    edges, end = fingers(plan)
    down, up = end + 1000, end + 1000 + held * 1000
    levels = [(at, 0, not yes) for at, yes in [*edges, (down, True), (up, False)]]
    told = lived(line(Kind.HELP), levels, up + 1000)
    tail = [Pressed("s"), SensorFault("s", "stuck", True), SensorFault("s", "stuck", False)]
    assert told[len(plan) :] == tail
    assert held > BUTTON_STUCK


@given(chatter)
def test_a_switch_says_what_is_and_never_the_same_twice(gaps: list[int]) -> None:
    made = line(Kind.ENTRANCE)
    at, high = 1000, True
    edges = []
    for gap in gaps:
        at += gap
        high = not high
        edges.append((at, 0, high))
    told = [w for w in lived(made, edges, at + HOLD + 1) if isinstance(w, Switched)]
    assert all(a.on is not b.on for a, b in pairwise(told))
    assert all(what.fresh for what in told)
    assert (told[-1].on if told else False) is not high


@given(chatter, st.integers(0, 119))
def test_a_lost_edge_heals_by_two_readings_and_is_no_sign_of_life(
    gaps: list[int], lost: int
) -> None:
    made = line(Kind.MOTION)
    at, high = 1000, True
    edges = []
    for number, gap in enumerate(gaps):
        at += gap
        high = not high
        if number < lost:
            edges.append((at, 0, high))
    told = lived(made, edges, at + 500)
    said = [what.on for what in told if isinstance(what, Switched)]
    state = said[-1] if said else False
    told = []
    for second in range(1, 4):
        now = seconds(at + 500) + second
        told += made.settle(now)
        told += made.read(now, (high,))
    now = seconds(at + 500) + 4
    told += made.settle(now)
    news = [what for what in told if isinstance(what, Switched)]
    assert news == ([] if state is not high else [Switched("s", not high, fresh=False)])
