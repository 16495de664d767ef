"""``<home>.sensors.csv``: what senses in a recorded home, and how its sensors prove themselves."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from gateway.domain.errors import RecordingError
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.sensing.meanings import HOME

COLUMNS: Final = ("sensor", "kind", "room")
FURTHER: Final = ("supervision", "interval", "source")
"""Optional. A recording declares its sensors wired unless it says otherwise (requirements,
"Settled": R15)."""

LARGEST: Final = 1 << 20
"""Bytes. A home has tens of sensors; a megabyte is no list of them."""

_Word = TypeVar("_Word", bound=StrEnum)


def read_sensors(path: Path) -> tuple[Sensor, ...]:
    """The sensors in the order of the file. Raises RecordingError with file, line and remedy."""
    lines = _text(path).splitlines()
    reader = csv.reader(lines, strict=True)
    sensors: list[Sensor] = []
    seen: set[str] = set()
    try:
        header = tuple(field.strip() for field in next(reader, []))
        further = header[len(COLUMNS) :]
        if header[: len(COLUMNS)] != COLUMNS or len(set(header)) != len(header):
            raise _wrong(path, 1, f"the header is not {','.join(COLUMNS)!r}", "header")
        if unknown := [name for name in further if name not in FURTHER]:
            known = ", ".join(FURTHER)
            raise _wrong(path, 1, f"{unknown[0]!r} is none of the columns {known}", "header")
        for fields in reader:
            line = reader.line_num
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(header):
                raise _wrong(path, line, f"{len(fields)} fields and not {len(header)}", "row")
            row = dict(zip(header, (field.strip() for field in fields), strict=True))
            sensor = _sensor(path, line, row)
            if sensor.id in seen:
                raise _wrong(path, line, f"{sensor.id!r} is listed twice", "duplicate-sensor")
            seen.add(sensor.id)
            sensors.append(sensor)
    except csv.Error as error:
        raise _wrong(path, reader.line_num, str(error), "row") from error
    if not sensors:
        raise _wrong(path, 2, "no sensor is listed", "empty")
    return tuple(sensors)


def write_sensors(path: Path, sensors: Iterable[Sensor]) -> None:
    """Write the list; the further columns only where a sensor differs from a wired one."""
    sensors = tuple(sensors)
    plain = all(
        s.supervision is Supervision.WIRED and s.interval is None and s.source == "recording"
        for s in sensors
    )
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS if plain else COLUMNS + FURTHER)
        for s in sensors:
            row = [s.id, s.kind.value, s.room.value]
            if not plain:
                interval = "" if s.interval is None else f"{s.interval:g}"
                row += [s.supervision.value, interval, s.source]
            writer.writerow(row)


def _sensor(path: Path, line: int, row: dict[str, str]) -> Sensor:
    name = row["sensor"]
    if not name or name == HOME:
        raise _wrong(path, line, f"{name!r} cannot be a sensor's name", "row")
    supervision = Supervision.WIRED
    if row.get("supervision"):
        supervision = _word(path, line, Supervision, row["supervision"], "supervision")
    interval: float | None = None
    if row.get("interval"):
        try:
            interval = float(row["interval"])
        except ValueError:
            interval = 0.0
        if not 0 < interval <= 7 * 86400:  # false for nan as well
            raise _wrong(path, line, f"{row['interval']!r} is no interval in seconds", "row")
    if supervision is Supervision.BEACON and interval is None:
        raise _wrong(path, line, f"{name!r} is a beacon without an interval", "row")
    return Sensor(
        id=name,
        kind=_word(path, line, Kind, row["kind"], "kind"),
        room=_word(path, line, Room, row["room"], "room"),
        supervision=supervision,
        interval=interval,
        source=row.get("source") or "recording",
    )


def _word(path: Path, line: int, words: type[_Word], text: str, what: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        known = ", ".join(word.value for word in words)
        raise RecordingError(
            f"{path}, line {line}: {text!r} is no {what}; write one of {known}.",
            reason=f"unknown-{what}",
        ) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise RecordingError(
            f"{path}: the list of sensors is missing; put it beside the rows.", reason="missing"
        ) from None
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be read ({error.strerror}); check its permissions.", reason="missing"
        ) from error
    if len(raw) > LARGEST:
        raise _wrong(path, 1, "this is too large to be a list of sensors", "row")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _wrong(path, line, "not UTF-8 text", "not-utf8") from None


def _wrong(path: Path, line: int, what: str, reason: str) -> RecordingError:
    return RecordingError(f"{path}, line {line}: {what}; correct the list.", reason=reason)
