"""What is still seen of a home in which sensors are lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instant import DAY, HOUR
from gateway.domain.observation import Heard
from gateway.engine.comparing import Comparer, Comparison
from gateway.engine.outlook import Knobs, outlook
from gateway.engine.sight import LEAST, sight
from gateway.engine.stopping import ROWS
from tests.support.life import Life, beacons


def lived(*slots: tuple[str, ...], days: int = 20) -> Comparison:
    """Days of six hours, in which these sensors fire in ten minutes after ten minutes, over and
    over."""
    comparison = Comparison()
    comparer = Comparer(comparison, lambda: ())
    for day in range(days):
        for step in range(36):
            for sensor in slots[step % len(slots)]:
                comparer.fired(sensor, day * DAY + step * 600.0, counts=True)
    return comparison


def test_a_home_without_losses_is_seen_whole() -> None:
    assert sight(lived(("a",), ("b",)), (), 0.0) is None


def test_half_of_the_life_is_seen_where_two_sensors_share_it() -> None:
    seen = sight(lived(("a",), ("b",)), ("a",), 0.0)
    assert seen is not None
    assert len(seen) == ROWS
    assert abs(seen[0] - 0.5) < 0.05


def test_a_lost_sensor_that_never_fired_alone_is_not_missed() -> None:
    seen = sight(lived(("a", "b"), ("b",)), ("a",), 0.0)
    assert seen is not None
    assert min(seen) == 1.0


def test_a_sensor_is_missed_at_the_hours_at_which_it_used_to_fire() -> None:
    comparison = lived(("a",))
    seen = sight(comparison, ("a",), 0.0)
    assert seen is not None
    assert seen[0] == LEAST
    later = sight(comparison, ("a",), 12 * HOUR)
    assert later is not None
    assert later[0] == 1.0


@given(
    slots=st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=6),
    lost=st.sets(st.sampled_from("abcdx"), min_size=1),
    began=st.floats(0, 30 * DAY),
)
def test_what_is_seen_is_a_share(slots: list[set[str]], lost: set[str], began: float) -> None:
    seen = sight(lived(*(tuple(sorted(slot)) for slot in slots), days=3), sorted(lost), began)
    assert seen is not None
    assert all(LEAST <= share <= 1.0 for share in seen)


def test_with_less_sight_silences_are_expected_to_last_and_alerts_come_later() -> None:
    life = Life()
    for day in range(20):
        for step in range(30):
            life.moves(24.0 * day + 8 + step / 2)
    habits = life.state.habits
    start = habits.start(life.instant(24.0 * 19 + 22.5).wall + 9 * HOUR, next(iter(
        sensor.room for sensor in life.household.sensors)))  # fmt: skip
    whole = outlook(habits, start, None, Knobs())
    half = outlook(habits, start, None, Knobs(), sight=(0.5,) * ROWS)
    same = outlook(habits, start, None, Knobs(), sight=(1.0,) * ROWS)
    assert same.tell_after == whole.tell_after
    assert whole.usual_p95 is not None
    assert half.usual_p95 is not None
    assert half.usual_p95 > whole.usual_p95
    assert half.tell_after is None or (
        whole.tell_after is not None and half.tell_after >= whole.tell_after
    )


def test_a_sensor_that_is_lost_during_a_silence_changes_what_is_expected_of_it() -> None:
    """Two beacons share the life of a home until 8 o'clock; one dies at half past nine."""

    def expected(dies: bool) -> float | None:
        life = Life(beacons(3))
        for day in range(12):
            for step in range(288 if day < 11 else 160):
                hour = day * 24.0 + step / 12
                dead = dies and hour >= 11 * 24 + 9.5
                for sensor in ("pir1", "pir2") if dead else ("pir0", "pir1", "pir2"):
                    life.at(hour, Heard(sensor))
                if step % 6 == 0 and (day < 11 or step < 96):
                    life.moves(hour, f"pir{step // 6 % 2}")
        said = life.state.silence.outlook
        return None if said is None else said.usual_p95

    whole, half = expected(False), expected(True)
    assert whole is not None
    assert half is not None
    assert half > whole
