"""Whatever a file holds, loading it ends in observations in order or in one clear error."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import RecordingError
from gateway.sensing.recording import load, observations, write
from gateway.sensing.rows import Row, local_seconds, moment, stamp
from models.homes import KINDS, Plan, generate

SENSORS = b"sensor,kind,room\ndoor,entrance,entrance\nbed,occupancy,bed\n"
GOOD = b"timestamp,sensor,value\n" + b"".join(
    b"2026-03-02T07:%02d:00.125,bed,ON\n" % minute for minute in range(60)
)
RELAXED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def outcome(path: Path) -> str:
    """ "" if all rows came in order, else the one line that says why not."""
    before = float("-inf")
    try:
        for observation in observations(load(path)):
            assert observation.at.boottime >= before
            before = observation.at.boottime
    except RecordingError as error:
        return str(error)
    return ""


@RELAXED
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.builds(lambda tail: GOOD + tail, st.binary(max_size=80)),
        st.builds(
            lambda at, byte: GOOD[:at] + bytes([byte]) + GOOD[at + 1 :],
            st.integers(0, len(GOOD) - 1),
            st.integers(0, 255),
        ),
    ),
    listed=st.one_of(st.just(SENSORS), st.binary(max_size=100)),
)
def test_any_content_is_read_or_refused(tmp_path: Path, content: bytes, listed: bytes) -> None:
    path = tmp_path / "home.csv.gz"
    (tmp_path / "home.sensors.csv").write_bytes(listed)
    path.write_bytes(gzip.compress(content, 1))
    assert "\n" not in outcome(path)
    plain = tmp_path / "home.csv"
    plain.write_bytes(content)
    assert "\n" not in outcome(plain)


@RELAXED
@given(data=st.data())
def test_a_damaged_or_cut_gzip_file_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "home.csv.gz"
    (tmp_path / "home.sensors.csv").write_bytes(SENSORS)
    packed = gzip.compress(GOOD, mtime=0)
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed) - 1), label="cut")])
    assert outcome(path)
    at = data.draw(st.integers(10, len(packed) - 1), label="at")  # the header proves nothing
    path.write_bytes(packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :])
    assert outcome(path)


@given(st.integers(-(10**13), 10**14))
def test_every_millisecond_is_written_and_read_as_the_same_number(milliseconds: int) -> None:
    local = local_seconds(milliseconds)
    assert round(local * 1000) == milliseconds
    if milliseconds >= 0:  # the years that people live in
        assert moment(stamp(local)) == pytest.approx(local, abs=1e-6)


@RELAXED
@given(steps=st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_rows_survive_being_written(tmp_path: Path, steps: list[int]) -> None:
    (tmp_path / "a.sensors.csv").write_bytes(SENSORS)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(GOOD))
    sensors = load(path).sensors
    t, rows = 1_700_000_000_000, []
    for step in steps:
        t += step
        rows.append(Row(local_seconds(t), "bed" if step % 2 else "door", "ON"))
    write(path, sensors, rows)
    assert list(load(path).rows()) == rows


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    kind=st.sampled_from(sorted(KINDS)),
    days=st.integers(1, 5),
    events=st.floats(30, 400),
    collapse=st.one_of(st.none(), st.floats(0, 20)),
    absence=st.lists(st.tuples(st.floats(0, 130), st.floats(0.1, 100)), max_size=2),
    visit=st.lists(st.tuples(st.floats(0, 130), st.floats(0.1, 10)), max_size=2),
    beacons=st.booleans(),
)
def test_any_plan_makes_a_life_without_gaps_and_rows_in_order(
    seed: int,
    kind: str,
    days: int,
    events: float,
    collapse: float | None,
    absence: list[tuple[float, float]],
    visit: list[tuple[float, float]],
    beacons: bool,
) -> None:
    plan = Plan(
        seed=seed,
        kind=kind,
        days=days,
        events_per_day=events,
        collapse=collapse,
        absences=tuple(absence),
        visits=tuple(visit),
        beacons=beacons,
    )
    try:
        home = generate(plan)
    except ValueError as error:
        assume("plan it earlier" not in str(error))
        raise
    assert home.lived[0].start == plan.origin
    assert home.lived[-1].end == plan.end
    for a, b in pairwise(home.lived):
        assert a.start < a.end == b.start
    before = plan.origin
    for observation in home.observations(0):
        assert before <= observation.at.wall < plan.end
        before = observation.at.wall
