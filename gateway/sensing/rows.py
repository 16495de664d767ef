"""The rows of a recorded home as bytes: read one by one, checked, and written.

Nothing here knows what a row means. Each error names the file, the line and a remedy.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from gateway.domain.errors import RecordingError

HEADER: Final = "timestamp,sensor,value"

LONGEST_LINE: Final = 1024
"""Bytes. A row is some 50; without a bound a compressed gigabyte without a line end fills RAM."""

_BOM: Final = b"\xef\xbb\xbf"
_ROW: Final = re.compile(
    rb'"?([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})(?::([0-5][0-9](?:\.[0-9]{1,9})?))?"?'
    rb",([^\r\n]+)\r?\n?"
)
_MINUTE: Final = 60_000
"""Milliseconds. Rows are written to the millisecond."""
_LINES_A_WRITE: Final = 4096


class Row(NamedTuple):
    """One row. ``local`` is the home's own clock as seconds since 1970 (naive, no zone)."""

    local: float
    sensor: str
    value: str


def scan(path: Path) -> Iterator[tuple[int, float, bytes]]:
    """The rows of the file: line number, local seconds, and the rest as it stands.

    The time of a minute is worked out once and kept while it lasts: that is most of the work of
    reading. Raises RecordingError.
    """
    minute, seconds = b"", 0.0
    before = float("-inf")
    line = 1
    matches = _ROW.fullmatch
    with opened(path) as stream:
        readline = stream.readline
        check_header(path, bounded(readline, path, line, LONGEST_LINE))
        while True:
            line += 1
            try:
                raw = readline(LONGEST_LINE)
            except (EOFError, OSError, zlib.error) as error:
                raise damaged(path, line, error) from error
            match = matches(raw)
            if match is None:
                if not raw:
                    return
                if raw.strip():
                    raise _bad_row(path, line, raw)
                continue
            start, rest, tail = match.groups(b"0")
            if start != minute:
                seconds = _minute(path, line, start)
                minute = start
            local = seconds + float(rest)
            if local < before:
                raise RecordingError(
                    f"{path}, line {line}: the row is earlier than the one before it; sort the "
                    "rows by their timestamp.",
                    reason="unsorted",
                )
            before = local
            yield line, local, tail


def split(path: Path, line: int, tail: bytes) -> tuple[str, str]:
    """Sensor and value of the rest of a row. Raises RecordingError."""
    try:
        text = tail.decode()
    except UnicodeDecodeError:
        raise _bad_row(path, line, tail) from None
    fields = next(csv.reader([text])) if '"' in text else text.split(",")
    if len(fields) != 2 or not fields[0] or not fields[1]:
        raise _bad_row(path, line, tail)
    return fields[0], fields[1]


def opened(path: Path) -> BufferedIOBase:
    """The file's bytes, unpacked where its name ends in ``.gz``. Raises RecordingError."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        if packed and path.suffix == ".gz":
            return gzip.open(path, "rb")
        if not packed and path.suffix != ".gz":
            return path.open("rb")
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be read ({error.strerror}); check its name and its permissions.",
            reason="missing",
        ) from error
    wrong, right = ("not gzip", ".csv, or pack") if path.suffix == ".gz" else ("gzip", ".csv.gz")
    raise RecordingError(
        f"{path}, line 1: the content is {wrong}; name the file {right} it.", reason="not-gzip"
    )


def bounded(read: Callable[[int], bytes], path: Path, line: int, limit: int) -> bytes:
    """``read(limit)`` with a damaged file as RecordingError."""
    try:
        return read(limit)
    except (EOFError, OSError, zlib.error) as error:
        raise damaged(path, line, error) from error


def damaged(path: Path, line: int, error: Exception) -> RecordingError:
    """What a file that ends too early, or does not unpack, is called."""
    what = "is cut off" if isinstance(error, EOFError) else "is damaged"
    return RecordingError(
        f"{path}, line {line}: the gzip file {what} here; copy it again from where it came from.",
        reason="truncated" if isinstance(error, EOFError) else "damaged",
    )


def check_header(path: Path, raw: bytes) -> None:
    """Raises RecordingError unless ``raw`` is the header of a rows' file."""
    if raw.removeprefix(_BOM).strip().replace(b'"', b"") != HEADER.encode():
        raise RecordingError(
            f"{path}, line 1: the header is not {HEADER!r}; this is not the rows' file of a "
            "recorded home, or its header must be put right.",
            reason="header",
        )


def moment(text: str) -> float:
    """Local seconds of one naive ISO time. Raises ValueError."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is not None:
        raise ValueError("a zone where local time is wanted")
    return time.replace(tzinfo=UTC).timestamp()


def stamp(local: float) -> str:
    """Local seconds as the timestamp of a row, to the millisecond."""
    minute, rest = divmod(round(local * 1000), _MINUTE)
    return f"{_prefix(minute)}{rest // 1000:02d}.{rest % 1000:03d}"


def local_seconds(milliseconds: int) -> float:
    """Local milliseconds as the very float that reading the written row gives."""
    minute, rest = divmod(milliseconds, _MINUTE)
    return minute * 60 + rest / 1000


def write_rows(out: BufferedIOBase, rows: Iterable[Row]) -> None:
    """Header and rows. They must be sorted; reading would refuse them otherwise."""
    lines = _lines(rows)
    out.writelines(iter(partial(_chunk, lines), b""))


def _chunk(lines: Iterator[str]) -> bytes:
    return "".join(islice(lines, _LINES_A_WRITE)).encode()


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    yield f"{HEADER}\n"
    last, prefix = -1, ""
    for local, sensor, value in rows:
        minute, rest = divmod(round(local * 1000), _MINUTE)
        if minute != last:
            last, prefix = minute, _prefix(minute)
        yield f"{prefix}{rest // 1000:02d}.{rest % 1000:03d},{_quoted(sensor)},{_quoted(value)}\n"


def _quoted(field: str) -> str:
    if "," in field or '"' in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def _prefix(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def _minute(path: Path, line: int, start: bytes) -> float:
    try:
        return moment(start.decode())
    except ValueError:
        raise RecordingError(
            f"{path}, line {line}: {start.decode()!r} is no time of any calendar; correct it.",
            reason="timestamp",
        ) from None


def _bad_row(path: Path, line: int, raw: bytes) -> RecordingError:
    """The error for a line that is no row: too long, not text, or of another shape."""
    if len(raw) >= LONGEST_LINE:
        return RecordingError(
            f"{path}, line {line}: longer than {LONGEST_LINE} bytes; this is not the rows' file "
            "of a recorded home.",
            reason="row",
        )
    try:
        raw.decode()
    except UnicodeDecodeError:
        return RecordingError(
            f"{path}, line {line}: not UTF-8 text; save the rows as UTF-8.", reason="not-utf8"
        )
    return RecordingError(
        f"{path}, line {line}: not 'YYYY-MM-DDTHH:MM:SS.mmm,sensor,value' in the home's own time; "
        "correct or remove the line.",
        reason="row",
    )
