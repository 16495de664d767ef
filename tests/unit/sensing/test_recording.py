"""Recorded homes become observations, and what is wrong with one is said in one line."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.domain.errors import RecordingError
from gateway.domain.observation import (
    Heard,
    Measured,
    Observation,
    PauseEnded,
    PauseStarted,
    Pressed,
    Quantity,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
    What,
)
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.sensing.recording import load, load_away, observations, write
from gateway.sensing.rows import Row, moment, stamp

SENSORS = "sensor,kind,room\nfront_door,entrance,entrance\nbed,occupancy,bed\n"
HEADER = "timestamp,sensor,value\n"
ROWS = (
    "2026-03-02T07:00:00.000,bed,OFF\n"
    "2026-03-02T07:05:30.250,front_door,OPEN\n"
    "2026-03-02T07:05:31,front_door,CLOSE\n"
)


def home(folder: Path, rows: str | bytes, sensors: str | bytes | None = SENSORS) -> Path:
    path = folder / "home.csv.gz"
    content = rows if isinstance(rows, bytes) else (HEADER + rows).encode()
    path.write_bytes(gzip.compress(content))
    if sensors is not None:
        raw = sensors if isinstance(sensors, bytes) else sensors.encode()
        (folder / "home.sensors.csv").write_bytes(raw)
    return path


def refused(path: Path, offset: int = 540) -> RecordingError:
    with pytest.raises(RecordingError) as caught:
        for _ in observations(load(path), offset):
            pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("name", "sensors", "rows", "absences"),
    [
        ("aruba_1", 11, 21_948, 234),
        ("aruba_2", 7, 6_116, 193),
        ("kasteren_a", 14, 2_457, 34),
        ("kasteren_c", 21, 45_399, 47),
        ("mit_s2", 68, 3_367, 4),
        ("tm000", 22, 21_968, 5),
    ],
)
def test_every_given_home_loads_whole(
    homes: Path, name: str, sensors: int, rows: int, absences: int
) -> None:
    path = homes / f"{name}.csv.gz"
    recording = load(path)
    seen = list(observations(recording))
    assert (len(recording.sensors), len(seen)) == (sensors, rows)
    assert [o.sequence for o in seen] == list(range(1, rows + 1))
    assert all(a.at.boottime <= b.at.boottime for a, b in pairwise(seen))
    assert all(isinstance(o.what, Switched) for o in seen)
    assert len(load_away(path)) == absences
    assert all(s.supervision is Supervision.WIRED for s in recording.sensors)


def test_local_time_becomes_wall_time_and_boottime_counts_from_the_first_row(
    tmp_path: Path,
) -> None:
    seen = list(observations(load(home(tmp_path, ROWS)), 540))
    assert seen[0].at.wall == datetime(2026, 3, 1, 22, 0, tzinfo=UTC).timestamp()
    assert [o.at.boottime for o in seen] == [0.0, 330.25, 331.0]
    assert {o.at.boot for o in seen} == {"recording"}
    assert [o.what for o in seen] == [
        Switched("bed", on=False),
        Switched("front_door", on=True),
        Switched("front_door", on=False),
    ]


def test_the_numbers_may_go_on_from_another_sequence_in_another_boot(tmp_path: Path) -> None:
    seen = list(observations(load(home(tmp_path, ROWS)), 0, boot="b", start=100))
    assert [(o.sequence, o.at.boot) for o in seen] == [(100, "b"), (101, "b"), (102, "b")]


def test_rows_of_the_same_moment_and_repeated_values_all_come_through(tmp_path: Path) -> None:
    row = "2026-03-02T07:00:00,bed,ON\n"
    assert len(list(observations(load(home(tmp_path, row * 3))))) == 3


def test_a_plain_csv_with_windows_line_ends_marks_and_blank_lines_is_the_same_home(
    tmp_path: Path,
) -> None:
    packed = list(observations(load(home(tmp_path, ROWS))))
    plain = tmp_path / "home.csv"
    text = (HEADER + ROWS).replace("\n", "\r\n") + "\r\n\r\n"
    plain.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert list(observations(load(plain))) == packed


def test_quoted_fields_are_read_as_csv_has_them(tmp_path: Path) -> None:
    sensors = 'sensor,kind,room\n"door, front",entrance,entrance\n'
    path = home(tmp_path, '"2026-03-02T07:00:00","door, front","OPEN"\n', sensors)
    assert [o.what for o in observations(load(path))] == [Switched("door, front", on=True)]


EXTENDED = (
    "sensor,kind,room,supervision,interval,source\n"
    "button,help,other,event-only,86400,ble\n"
    "warmth,temperature,living,beacon,300,ble\n"
    "smoke,smoke,kitchen,,,\n"
    "power,mains,other,wired,,gpio\n"
)


def test_sensors_may_say_how_they_prove_themselves(tmp_path: Path) -> None:
    recording = load(home(tmp_path, "2026-03-02T07:00:00,power,ON\n", EXTENDED))
    assert recording.sensors == (
        Sensor("button", Kind.HELP, Room.OTHER, Supervision.EVENT_ONLY, 86400.0, "ble"),
        Sensor("warmth", Kind.TEMPERATURE, Room.LIVING, Supervision.BEACON, 300.0, "ble"),
        Sensor("smoke", Kind.SMOKE, Room.KITCHEN),
        Sensor("power", Kind.MAINS, Room.OTHER, Supervision.WIRED, None, "gpio"),
    )


@pytest.mark.parametrize(
    ("row", "meaning"),
    [
        ("button,PRESS", Pressed("button")),
        ("button,HEARD", Heard("button")),
        ("button,BATTERY:12", Measured("button", Quantity.BATTERY, 12.0)),
        ("warmth,-3.5", Measured("warmth", Quantity.TEMPERATURE, -3.5)),
        ("smoke,ON", Switched("smoke", on=True)),
        ("power,OFF", Switched("power", on=False)),
        ("@home,PAUSE:7200", PauseStarted(7200.0)),
        ("@home,RESUME", PauseEnded()),
        ("@home,VISIT:carer", VisitStarted("carer")),
        ("@home,LEAVE:carer", VisitEnded("carer")),
        ("@home,SOURCE_DOWN:ble", SourceChanged("ble", alive=False)),
        ("@home,SOURCE_UP:ble", SourceChanged("ble", alive=True)),
    ],
)
def test_the_extension_says_what_generated_homes_need(
    tmp_path: Path, row: str, meaning: What
) -> None:
    path = home(tmp_path, f"2026-03-02T07:00:00,{row}\n", EXTENDED)
    assert [o.what for o in observations(load(path))] == [meaning]


@pytest.mark.parametrize(
    "row",
    [
        "button,ON",
        "warmth,nan",
        "warmth,1_0",
        "warmth,ON",
        "smoke,PRESS",
        "smoke,on",
        "@home,PAUSE:0",
        "@home,PAUSE:soon",
        "@home,PAUSE",
        "@home,ON",
        "@home,RESUME:now",
    ],
)
def test_a_value_that_the_sensor_cannot_say_is_refused(tmp_path: Path, row: str) -> None:
    path = home(tmp_path, f"2026-03-02T07:00:00,power,ON\n2026-03-02T07:00:01,{row}\n", EXTENDED)
    error = refused(path)
    assert error.reason == "unknown-value"
    assert "home.csv.gz, line 3:" in str(error)


@pytest.mark.parametrize(
    ("rows", "reason", "line"),
    [
        (ROWS + "2026-03-02T07:05:30,bed,ON\n", "unsorted", 5),
        ("2026-03-02T07:00:00,sofa,ON\n", "unknown-sensor", 2),
        ("2026-03-02T07:00:00,bed,MAYBE\n", "unknown-value", 2),
        ("2026-02-30T07:00:00,bed,ON\n", "timestamp", 2),
        ("2026-03-02T24:00:00,bed,ON\n", "timestamp", 2),
        ("2026-03-02T07:00:60,bed,ON\n", "row", 2),
        ("2026-03-02T07:00:00+09:00,bed,ON\n", "row", 2),
        (ROWS + "2026-03-02T08:00:00,bed\n", "row", 5),
        (ROWS + "2026-03-02T08:00:00,bed,ON,1\n", "row", 5),
        ("2026-03-02T07:00:00,,ON\n", "row", 2),
        ("yesterday,bed,ON\n", "row", 2),
        (ROWS + "2026-03-02T08:00:00,be", "row", 5),
        ("2026-03-02T07:00:00," + "x" * 2000 + ",ON\n", "row", 2),
        ((HEADER + ROWS).encode() + b"2026-03-02T08:00:00,b\xff\xfe,ON\n", "not-utf8", 5),
        (HEADER.encode() + bytes(range(128, 256)) + b"\n", "not-utf8", 2),
        (b"\0" * 5_000_000, "header", 1),
        (b"start,end\n", "header", 1),
        (b"", "header", 1),
        ("", "empty", 2),
    ],
)
def test_a_bad_row_names_its_line(
    tmp_path: Path, rows: str | bytes, reason: str, line: int
) -> None:
    error = refused(home(tmp_path, rows))
    assert error.reason == reason
    assert f"home.csv.gz, line {line}:" in str(error)


@pytest.mark.parametrize(
    ("sensors", "reason", "line"),
    [
        (SENSORS + "bed,motion,bed\n", "duplicate-sensor", 4),
        (SENSORS + "eye,camera,bed\n", "unknown-kind", 4),
        (SENSORS + "eye,motion,attic\n", "unknown-room", 4),
        (SENSORS + "eye,motion\n", "row", 4),
        (SENSORS + "@home,motion,other\n", "row", 4),
        (SENSORS + ",motion,other\n", "row", 4),
        (SENSORS + 'eye,"motion,bed\n', "row", 4),
        ("sensor,room,kind\n", "header", 1),
        ("sensor,kind,room,superivsion\n", "header", 1),
        ("sensor,kind,room,interval,interval\n", "header", 1),
        ("sensor,kind,room,supervision\neye,motion,bed,often\n", "unknown-supervision", 2),
        ("sensor,kind,room,supervision\neye,motion,bed,beacon\n", "row", 2),
        ("sensor,kind,room,interval\neye,motion,bed,nan\n", "row", 2),
        ("sensor,kind,room\n", "empty", 2),
        ("", "header", 1),
        (b"sensor,kind,room\n\xff,motion,bed\n", "not-utf8", 2),
        (b"x" * (2 << 20), "row", 1),
    ],
)
def test_a_bad_list_of_sensors_names_its_line(
    tmp_path: Path, sensors: str | bytes, reason: str, line: int
) -> None:
    error = refused(home(tmp_path, ROWS, sensors))
    assert error.reason == reason
    assert f"home.sensors.csv, line {line}:" in str(error)


def test_a_list_of_sensors_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    error = refused(home(tmp_path, ROWS, None))
    assert error.reason == "missing"
    assert "home.sensors.csv" in str(error)


def test_a_cut_off_file_is_read_as_far_as_it_goes_and_then_refused(tmp_path: Path) -> None:
    rows = "".join(
        f"2026-03-{1 + n // 1440:02d}T{n // 60 % 24:02d}:{n % 60:02d}:{n * 7 % 60:02d},bed,ON\n"
        for n in range(20_000)
    )
    path = home(tmp_path, rows)
    path.write_bytes(path.read_bytes()[:-5000])
    seen: list[Observation] = []
    with pytest.raises(RecordingError, match=r"line \d+: the gzip file is cut off") as caught:
        seen.extend(observations(load(path)))
    assert caught.value.reason == "truncated"
    assert len(seen) > 1000


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = home(tmp_path, ROWS)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    assert refused(path).reason in {"damaged", "truncated", "row", "unsorted", "not-utf8"}


@pytest.mark.parametrize("content", [b"", b"not gzip at all", b"\x89PNG\r\n\x1a\n" * 100])
def test_a_file_that_is_not_gzip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = home(tmp_path, ROWS)
    path.write_bytes(content)
    assert refused(path).reason == "not-gzip"


def test_a_packed_file_under_a_plain_name_is_refused(tmp_path: Path) -> None:
    packed = home(tmp_path, ROWS)
    assert refused(packed.rename(tmp_path / "home.csv")).reason == "not-gzip"


def test_other_files_are_not_taken_for_a_recording(tmp_path: Path) -> None:
    home(tmp_path, ROWS)
    assert refused(tmp_path / "home.sensors.csv").reason == "name"
    assert refused(tmp_path / "home.txt").reason == "name"
    assert refused(tmp_path / "nobody.csv.gz").reason == "missing"
    assert refused(tmp_path).reason == "name"


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    sensors = load(home(tmp_path, "2026-03-02T07:00:00,power,ON\n", EXTENDED)).sensors
    first = moment("2026-03-02T23:59:59.999")
    rows = [Row(first, "power", "ON"), Row(first + 1.001, "@home", "PAUSE:60")]
    for name in ("a.csv.gz", "b.csv"):
        write(tmp_path / name, sensors, rows, [(first, first + 60)])
        again = load(tmp_path / name)
        assert again.sensors == sensors
        assert [(stamp(r.local), r.sensor, r.value) for r in again.rows()] == [
            (stamp(r.local), r.sensor, r.value) for r in rows
        ]
        [absence] = load_away(tmp_path / name, 0)
        assert absence == (first, first + 60)


def test_the_same_content_has_the_same_bytes_and_fingerprint(tmp_path: Path) -> None:
    recording = load(home(tmp_path, ROWS))
    rows = list(recording.rows())
    for name in ("a.csv.gz", "b.csv.gz", "c.csv"):
        write(tmp_path / name, recording.sensors, rows)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    prints = {load(tmp_path / name).fingerprint() for name in ("a.csv.gz", "b.csv.gz", "c.csv")}
    assert len(prints) == 1
    write(tmp_path / "a.csv.gz", recording.sensors, rows[:-1])
    assert load(tmp_path / "a.csv.gz").fingerprint() not in prints


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("begin,end\n", "header"),
        ("", "header"),
        ("start,end\n2026-03-02T07:00:00\n", "timestamp"),
        ("start,end\n2026-03-02T07:00:00,2026-03-02T06:00:00\n", "unsorted"),
        ("start,end\n2026-03-02T07:00:00,soon\n", "timestamp"),
        (None, "missing"),
    ],
)
def test_bad_annotations_are_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    path = home(tmp_path, ROWS)
    if content is not None:
        (tmp_path / "home.away.csv").write_text(content)
    with pytest.raises(RecordingError) as caught:
        load_away(path)
    assert caught.value.reason == reason


def test_a_long_recording_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "home.csv.gz"
    sensors = load(home(tmp_path, ROWS)).sensors
    start = moment("2026-03-02")
    write(path, sensors, (Row(start + n, "bed", "ON") for n in range(30_000)))
    tracemalloc.start()
    try:
        count = sum(1 for _ in observations(load(path)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert peak < 3_000_000  # bytes, most of it zlib; holding the rows would take some 10 MB
