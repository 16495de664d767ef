"""The network's inputs: their order, their range, and the grid that keeps sums exact."""

from __future__ import annotations

from gateway.domain.sensor import Room
from gateway.engine.features import FEATURES, GRID, NAMES, rows
from gateway.engine.habits import SilenceStart
from gateway.engine.profile import Profile
from gateway.engine.stopping import ROWS

FRIDAY_22 = (19_723 + 4) * 86_400.0 + 22 * 3_600


def column(name: str, start: SilenceStart, profile: Profile | None = None) -> list[float]:
    flat = rows(profile or Profile(), start)
    assert len(flat) == ROWS * FEATURES
    return flat[NAMES.index(name) :: FEATURES].tolist()


def test_every_number_is_on_the_grid_and_small() -> None:
    busy = SilenceStart(FRIDAY_22, Room.BED, 0.0, 100_000, 1_000_000)
    for value in rows(Profile(), busy):
        assert value * GRID == int(value * GRID)
        assert abs(value) < 16


def test_the_weekend_begins_at_midnight_between_friday_and_saturday() -> None:
    weekend = column("weekend", SilenceStart(FRIDAY_22, Room.BED))
    assert weekend[:11] == [0.0] * 11
    assert weekend[11:] == [1.0] * (ROWS - 11)


def test_the_clock_goes_round_once_a_day() -> None:
    clock = column("clock sin", SilenceStart(FRIDAY_22, Room.BED))
    assert clock[:144] == clock[144:288]
    assert clock[11] == 0.0, "midnight"


def test_exactly_one_room_is_the_last_and_the_door_stands_for_it() -> None:
    start = SilenceStart(FRIDAY_22, Room.HALL, since_entrance=10.0)
    rooms = {room: column(f"last event in {room.value}", start)[0] for room in Room}
    assert rooms.pop(Room.ENTRANCE) == 1.0
    assert set(rooms.values()) == {0.0}


def test_the_profile_is_read_at_the_hour_of_the_row() -> None:
    profile = Profile()
    profile.active[0] = 1.0  # from midnight to half past
    active = column("active in this half hour", SilenceStart(FRIDAY_22, Room.BED), profile)
    following = column("active in the next half hour", SilenceStart(FRIDAY_22, Room.BED), profile)
    assert [row for row, value in enumerate(active) if value == 1.0][:3] == [11, 12, 13]
    assert [row for row, value in enumerate(following) if value == 1.0][:3] == [8, 9, 10]
