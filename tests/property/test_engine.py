"""What holds for any trace of observations and whatever a model says (R15, R17, R18, R21, R34)."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import ModelError
from gateway.domain.household import CEILINGS, Household, RiskGroup
from gateway.domain.instant import HOUR
from gateway.domain.observation import (
    Answered,
    Heard,
    PauseStarted,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
)
from gateway.domain.sensor import Sensor
from gateway.engine.engine import Engine
from gateway.engine.prior import ANYWHERE
from tests.support.life import MONDAY, WIRED, Life, beacons

NO_DOOR = tuple(s for s in WIRED if s.id != "door")
SECOND = 1.0 / HOUR


class Oracle:
    """A model that says anything at all."""

    fingerprint = "oracle"
    silences = ANYWHERE

    def __init__(self, answers: Sequence[object]) -> None:
        self._answers = list(answers) or [0.5]
        self._asked = 0

    def hazard(self, rows: array[float]) -> Sequence[float]:
        self._asked += 1
        answer = self._answers[self._asked % len(self._answers)]
        if answer == "broken":
            raise ModelError("The model is broken; install it again.")
        if answer == "short":
            return [0.5]
        if isinstance(answer, float):
            return [answer] * (len(rows) // 32)
        return [(n % 7) / 7 for n in range(len(rows) // 32)]


oracles = st.lists(
    st.one_of(
        st.floats(0.0, 1.0),
        st.sampled_from(["broken", "short", math.nan, math.inf, -1.0, 2.0, "saw"]),
    ),
    max_size=4,
).map(Oracle)
silences = st.lists(st.tuples(st.floats(0.001, 40.0), st.booleans()), min_size=1, max_size=25)
"""Hours, and whether an answer ends them instead of a movement."""
groups = st.sampled_from(list(RiskGroup))


def household(
    sensors: Sequence[Sensor], group: RiskGroup = RiskGroup.STANDARD, asks: bool = False
) -> Household:
    return Household("hub-test", tuple(sensors), group, CEILINGS[group], asks=asks)


multiples = st.one_of(st.just(1.0), st.floats(0.0, 1e9))


def turned(life: Life, multiple: float) -> Life:
    """The same life with whatever the controller might hold."""
    state = life.state
    state.control.ask = state.control.tell = multiple
    state.control.door_ask = state.control.door_tell = multiple
    life.engine = Engine(life.household, life.predictor, life.knobs, state=state)
    return life


@settings(max_examples=60, deadline=None)
@given(
    silences,
    oracles,
    groups,
    st.booleans(),
    multiples,
)
def test_at_home_and_seen_no_silence_passes_a_ceiling(
    gaps: list[tuple[float, bool]], oracle: Oracle, group: RiskGroup, asks: bool, multiple: float
) -> None:
    """Counted from the last activity or the last answer, whatever the controller holds."""
    life = Life(predictor=oracle, household=household(NO_DOOR, group, asks))
    hour = 0.0
    turned(life.moves(hour), multiple)
    for gap, answers in gaps:
        before = len(life.alerts)
        life.until(hour + gap - SECOND)
        told = [alert for alert in life.alerts[before:] if alert.type.startswith("inactivity")]
        for level, ceiling in zip((1, 2, 3), CEILINGS[group], strict=True):
            due = MONDAY + hour * HOUR + ceiling
            times = [alert.at.wall for alert in told if alert.level >= level]
            if ceiling / HOUR < gap - SECOND:
                assert times, (level, gap)
                assert min(times) <= due + 1e-3
        assert len({alert.id for alert in told}) <= 1  # one silence, one alert
        hour += gap
        if answers:
            life.at(hour, Answered())
        else:
            life.moves(hour)
        assert not [a for a in life.engine.open_alerts() if a.level < 3], "well is well"


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 90.0), oracles, st.booleans(), multiples)
def test_an_absence_is_told_within_its_limits(
    length: float, oracle: Oracle, asks: bool, multiple: float
) -> None:
    life = Life(predictor=oracle, household=household(WIRED, asks=asks))
    turned(life.moves(0.5).moves(1.0, "door"), multiple).until(1.0 + length)
    assert life.told("inactivity") == [], "an empty home is not asked"
    for level, limit in ((1, 24.0), (2, 36.0)):
        times = [hour for hour, told, _ in life.told("away") if told >= level]
        assert times or length < limit
        assert not times or times[0] <= 1.0 + limit + 0.001
    assert len({alert.id for alert in life.of("away")}) <= 1


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 20.0), st.floats(0.3, 60.0), oracles, st.integers(3, 9), st.booleans())
def test_blindness_is_told_in_a_quarter_of_an_hour_and_is_no_inactivity(
    quiet: float, blind: float, oracle: Oracle, sensors: int, by_source: bool
) -> None:
    asks = sensors % 2 == 0
    life = Life(predictor=oracle, household=household(beacons(sensors), asks=asks))
    life.moves(0.0, "pir0")
    hour = 0.0
    while hour <= quiet:
        for n in range(sensors):
            life.at(hour, Heard(f"pir{n}"))
        hour += 0.1
    last = hour - 0.1
    if by_source:
        life.at(last + SECOND, SourceChanged("ble", alive=False, detail="gone"))
    told_before = len(life.of("inactivity"))
    life.until(last + blind)
    blindness = [hour for hour, _, state in life.told("monitoring.blind") if state == "raised"]
    assert blindness
    assert blindness[0] <= last + 0.25
    after = [a for a in life.of("inactivity")[told_before:] if a.state != "cleared"]
    assert all(a.at.wall <= MONDAY + (last + 0.25) * HOUR for a in after)
    assert "blind" in life.engine.watch(life.instant(last + blind)).reasons
    if quiet > 4.5 and blind > 1.5:
        assert life.of("welfare.unknown")
    if last + blind > 12.3:
        told = [alert for alert in life.alerts if alert.level >= 2]
        assert any(a.type.startswith(("welfare", "inactivity")) for a in told)


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 10 * 24 * HOUR), oracles)
def test_a_pause_ends_by_itself_within_a_day(seconds: float, oracle: Oracle) -> None:
    life = Life(predictor=oracle, household=household(NO_DOOR, asks=seconds > HOUR))
    life.moves(0.0).at(1.0, PauseStarted(seconds)).until(25.0)
    assert life.told("privacy")[-1][2] == "cleared"
    life.until(25.0 + 8.01)
    assert [level for _, level, _ in life.told("inactivity")][:1] == [1]


happenings = st.lists(
    st.tuples(
        st.floats(0.0, 6.0),
        st.sampled_from(
            [
                Switched("hall", on=True),
                Switched("hall", on=False),
                Switched("bed", on=True),
                Switched("fridge", on=False),
                Switched("door", on=True),
                Switched("door", on=False),
                SourceChanged("recording", alive=False),
                SourceChanged("recording", alive=True),
                PauseStarted(3 * HOUR),
                VisitStarted("carer"),
                VisitEnded("carer"),
                Heard("nobody's"),
                Answered(),
                Answered(),
            ]
        ),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(happenings, st.booleans(), st.data())
def test_ticks_change_nothing_and_a_rebuilt_engine_is_the_same(
    happenings: list[tuple[float, object, bool]], asks: bool, data: st.DataObject
) -> None:
    """The engine restored from its snapshot equals the one rebuilt from the observations."""
    life = Life(predictor=Oracle([0.3]), household=household(WIRED, asks=asks))
    hour = 0.0
    for gap, what, restored in happenings:
        ticks = data.draw(st.lists(st.floats(0.0, 1.0), max_size=3)) if gap else []
        for tick in sorted(ticks):
            life.until(hour + gap * tick)
        hour += gap
        life.at(hour, what)  # type: ignore[arg-type]
        if restored:
            life.engine = Engine.restore(
                life.household, life.predictor, life.engine.snapshot(), life.knobs
            )
    life.until(hour + 1.0)
    rebuilt = life.rebuilt()
    rebuilt.tick(life.instant(hour + 1.0))
    assert life.engine.snapshot() == rebuilt.snapshot()
    assert life.engine.open_alerts() == rebuilt.open_alerts()


@settings(max_examples=40, deadline=None)
@given(st.floats(-10.0, 10.0), st.booleans(), st.floats(0.5, 7.0))
def test_a_wall_clock_that_jumps_years_moves_no_ceiling(
    years: float, synced: bool, when: float
) -> None:
    life = Life(NO_DOOR).moves(0.0)
    life.wall_error = years * 365 * 24 * HOUR
    life.synced = synced
    life.at(when, Heard("hall")).until(8.5)
    seen = [alert.at.boottime / HOUR for alert in life.of("inactivity")]
    assert seen
    assert seen[0] <= 8.0 + SECOND
