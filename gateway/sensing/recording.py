"""Recorded homes as a source of observations. The format is described in ``docs/homes.md``.

Rows are read one by one and never held: a recorded year costs no more memory than a recorded day.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from gateway.domain.errors import RecordingError
from gateway.domain.instant import Instant
from gateway.domain.observation import Measured, Observation, What
from gateway.domain.sensor import Sensor
from gateway.sensing.meanings import HOME, Meanings
from gateway.sensing.rows import (
    LONGEST_LINE,
    Row,
    bounded,
    check_header,
    moment,
    opened,
    scan,
    split,
    stamp,
    write_rows,
)
from gateway.sensing.sensor_list import read_sensors, write_sensors

BOOT: Final = "recording"
"""Boot id of a recorded home: it has one boot, which begins with its first row."""

AWAY_HEADER: Final = "start,end"


class Recording(Struct, frozen=True):
    """A recorded home: its name, its sensors, and its rows, which are read when asked for."""

    name: str
    path: Path
    sensors: tuple[Sensor, ...]

    def rows(self) -> Iterator[Row]:
        """The rows from the first on, each checked. Raises RecordingError at the bad one."""
        meanings = Meanings(self.sensors)
        for line, local, tail in scan(self.path):
            sensor, value = split(self.path, line, tail)
            _meaning(self.path, line, meanings, sensor, value)
            yield Row(local, sensor, value)

    def fingerprint(self) -> str:
        """SHA-256 (hex) of sensors and rows; the same however the file was compressed."""
        digest = hashlib.sha256(sensors_path(self.path).read_bytes())
        digest.update(b"\0")
        with opened(self.path) as stream:
            for block in iter(partial(bounded, stream.read, self.path, 1, 1 << 16), b""):
                digest.update(block)
        return digest.hexdigest()


class Absence(NamedTuple):
    """An annotated absence, wall seconds. For evaluation only: a detector never sees one."""

    start: float
    end: float


def load(path: Path | str) -> Recording:
    """Open a recorded home ``<home>.csv.gz`` (or ``.csv``) with ``<home>.sensors.csv`` beside it.

    Reads the sensors and the header at once, the rows when they are asked for. Raises
    RecordingError with file, line and remedy.
    """
    path = Path(path)
    name = home_name(path)
    with opened(path) as stream:
        check_header(path, bounded(stream.readline, path, 1, LONGEST_LINE))
    return Recording(name, path, read_sensors(sensors_path(path)))


def observations(
    recording: Recording, utc_offset: int = 540, *, boot: str = BOOT, start: int = 1
) -> Iterator[Observation]:
    """The recording as observations, numbered from ``start``.

    ``utc_offset`` is the home's, in minutes east of UTC. ``boottime`` counts from the first row.
    Raises RecordingError at the row that cannot be understood, also when there is no row at all.
    """
    path = recording.path
    meanings = Meanings(recording.sensors)
    known: dict[bytes, What] = {}  # contents are frozen: one serves all rows that say the same
    zone = utc_offset * 60
    sequence = start
    origin: float | None = None
    for line, local, tail in scan(path):
        what = known.get(tail)
        if what is None:
            sensor, value = split(path, line, tail)
            what = _meaning(path, line, meanings, sensor, value)
            if sensor != HOME and not isinstance(what, Measured):  # those never repeat for long
                known[tail] = what
        if origin is None:
            origin = local
        yield Observation(sequence, Instant(boot, round(local - origin, 6), local - zone), what)
        sequence += 1
    if origin is None:
        raise RecordingError(
            f"{path}, line 2: there are no rows; record the home first.", reason="empty"
        )


def observations_of(
    rows: Iterable[Row],
    sensors: Iterable[Sensor],
    utc_offset: int = 540,
    *,
    boot: str = BOOT,
    start: int = 1,
) -> Iterator[Observation]:
    """The same from rows in memory, e.g. of a generated home that was never written.

    Raises KeyError or ValueError at a row that means nothing.
    """
    meanings = Meanings(sensors)
    origin: float | None = None
    for sequence, row in enumerate(rows, start):
        if origin is None:
            origin = row.local
        at = Instant(boot, round(row.local - origin, 6), row.local - utc_offset * 60)
        yield Observation(sequence, at, meanings.of(row.sensor, row.value))


def load_away(path: Path | str, utc_offset: int = 540) -> tuple[Absence, ...]:
    """The annotated absences of the recorded home whose rows are at ``path``, in wall seconds.

    Raises RecordingError where there is no such file, or where a row is not two times in order.
    """
    beside = _beside(Path(path), "away")
    try:
        lines = beside.read_bytes().splitlines()
    except FileNotFoundError:
        raise RecordingError(
            f"{beside}: there are no annotated absences; put the file beside the rows.",
            reason="missing",
        ) from None
    if not lines or lines[0].strip() != AWAY_HEADER.encode():
        raise RecordingError(
            f"{beside}, line 1: the header is not {AWAY_HEADER!r}; write it there.",
            reason="header",
        )
    absences: list[Absence] = []
    for number, raw in enumerate(lines[1:], 2):
        if not raw.strip():
            continue
        try:
            start, end = (
                moment(text) - utc_offset * 60 for text in raw.decode().strip().split(",")
            )
        except ValueError:
            raise RecordingError(
                f"{beside}, line {number}: not two local ISO times; correct the line.",
                reason="timestamp",
            ) from None
        if end < start:
            raise RecordingError(
                f"{beside}, line {number}: the end is before the start; swap them.",
                reason="unsorted",
            )
        absences.append(Absence(start, end))
    return tuple(absences)


def write(
    path: Path | str,
    sensors: Iterable[Sensor],
    rows: Iterable[Row],
    away: Iterable[tuple[float, float]] | None = None,
) -> None:
    """Write a recorded home: ``path`` (``.csv.gz`` or ``.csv``) and its sensors beside it.

    ``away`` is in local seconds, as the rows are. The same content makes the same bytes: neither
    the day's date nor the file's name gets into the gzip header.
    """
    path = Path(path)
    write_sensors(sensors_path(path), sensors)
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                write_rows(packed, rows)
        else:
            write_rows(raw, rows)
    if away is not None:
        lines = [AWAY_HEADER, *(f"{stamp(start)},{stamp(end)}" for start, end in away), ""]
        _beside(path, "away").write_text("\n".join(lines), encoding="utf-8", newline="\n")


def home_name(path: Path) -> str:
    """``kasteren_a`` for ``.../kasteren_a.csv.gz``. Raises RecordingError for another file."""
    for suffix in (".csv.gz", ".csv"):
        name = path.name.removesuffix(suffix)
        if name and name != path.name and not name.endswith((".sensors", ".away")):
            return name
    raise RecordingError(
        f"{path}: this is not the rows' file of a recorded home; give <home>.csv.gz.",
        reason="name",
    )


def sensors_path(path: Path) -> Path:
    """Where the sensors of the recorded home at ``path`` are listed."""
    return _beside(path, "sensors")


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{home_name(path)}.{what}.csv")


def _meaning(path: Path, line: int, meanings: Meanings, sensor: str, value: str) -> What:
    try:
        return meanings.of(sensor, value)
    except KeyError:
        raise RecordingError(
            f"{path}, line {line}: the sensor {sensor[:40]!r} is not listed; add it to "
            f"{sensors_path(path).name}.",
            reason="unknown-sensor",
        ) from None
    except ValueError as error:
        raise RecordingError(
            f"{path}, line {line}: {str(error)[:200]}; correct the value.", reason="unknown-value"
        ) from None
