"""Observations on disk, and the counters of sensors that come with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.instant import Instant
from gateway.domain.observation import Heard, Observation, Pressed, Switched, What

COUNTED = "observation:counted"
"""Counter: up to which observation the table ``counter`` knows the sensors' counters."""

COUNT_EVERY = 1000
"""Observations after which sensors' counters are brought into their table. Each observation holds
its own counter already (one commit, T2); the table only makes the next opening short. Writing it
with each batch would write pages more each time, a MB a day with two dozen sensors."""

LAST = "observation:last"
"""Counter: the highest number ever given to an observation, where its row was lost with an older
file: no number may come twice."""

UP = "hub:up_"
"""Prefix of the counters that say until when a run watched: the only ones that fall, with each
boot. Two that belong together must never come from different boots."""

CHUNK = 500
"""Observations read at a time, so that a long replay holds no transaction open."""

PHRASES = 1000
"""Phrases kept at most; what comes beyond them is written out in full."""

Row = tuple[int, int, float, float, int, str | int, int | None]

_REPEATED = (Switched, Pressed, Heard)
"""What a sensor says in the same words each time."""

_what: msgspec.json.Decoder[What] = msgspec.json.Decoder(What)


class Dictionary(Struct, frozen=True):
    """What observations refer to by number: boot ids and phrases (JSON) -> number."""

    boots: dict[str, int]
    phrases: dict[str, int]

    def copy(self) -> Dictionary:
        """A copy to add to, until it is known whether the commit holds."""
        return Dictionary(dict(self.boots), dict(self.phrases))


class Spoken(Struct):
    """Only what counting needs of an observation's JSON."""

    type: str
    sensor: str = ""
    fresh: bool = True


_spoken = msgspec.json.Decoder(Spoken)


def spoken(text: str) -> Spoken | None:
    """Who spoke in an observation's JSON; None if it cannot be read."""
    try:
        return _spoken.decode(text)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None


def sensor_counter(observation: Observation) -> str | None:
    """The name of the counter that this observation carries, if it does."""
    sensor = getattr(observation.what, "sensor", None)
    if observation.counter is None or not sensor:
        return None
    return f"sensor:{sensor}"


def row_of(observation: Observation, known: Dictionary) -> Row | None:
    """The row of an observation; None if it says something that has no number yet.

    Raises TypeError, ValueError (also UnicodeEncodeError) for what JSON cannot hold.
    """
    at = observation.at
    text = msgspec.json.encode(observation.what).decode()
    what: str | int | None = text
    if isinstance(observation.what, _REPEATED):
        what = known.phrases.get(text)
    boot = known.boots.get(at.boot)
    if what is None or boot is None:
        return None
    return (
        observation.sequence,
        boot,
        at.boottime,
        at.wall,
        int(at.synced),
        what,
        observation.counter,
    )


def new_row(
    connection: sqlite3.Connection, observation: Observation, dictionary: Dictionary
) -> Row:
    """The same; adds to the dictionary, here and on disk, what is new to it."""
    at = observation.at
    text = msgspec.json.encode(observation.what).decode()
    what: str | int = text
    if isinstance(observation.what, _REPEATED):
        what = _numbered(connection, "phrase", dictionary.phrases, text, PHRASES)
    boot = _numbered(connection, "boot", dictionary.boots, at.boot)
    return (
        observation.sequence,
        int(boot),
        at.boottime,
        at.wall,
        int(at.synced),
        what,
        observation.counter,
    )


def _numbered(
    connection: sqlite3.Connection,
    table: str,
    known: dict[str, int],
    text: str,
    most: int | None = None,
) -> int | str:
    """The number of a text, given to it now if need be; the text itself beyond ``most``."""
    found = known.get(text)
    if found is not None:
        return found
    if most is not None and len(known) >= most:
        return text
    known[text] = number = len(known) + 1
    connection.execute(_ADD[table], (number, text))
    return number


_ADD = {
    "boot": "INSERT INTO boot VALUES (?, ?)",
    "phrase": "INSERT INTO phrase VALUES (?, ?)",
}


def insert(connection: sqlite3.Connection, rows: list[Row]) -> None:
    if rows:
        connection.executemany("INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def stored(connection: sqlite3.Connection, sequence: int) -> Row | None:
    """The row of one observation."""
    row: Row | None = connection.execute(
        "SELECT sequence, boot, boottime, wall, synced, what, counter FROM observation "
        "WHERE sequence = ?",
        (sequence,),
    ).fetchone()
    return row


def dictionary(connection: sqlite3.Connection) -> Dictionary:
    """Everything that observations refer to by number."""
    return Dictionary(
        {str(text): int(n) for n, text in connection.execute("SELECT number, id FROM boot")},
        {str(text): int(n) for n, text in connection.execute("SELECT number, what FROM phrase")},
    )


_READ = (
    "SELECT o.sequence, b.id, o.boottime, o.wall, o.synced, coalesce(p.what, o.what), o.counter "
    "FROM observation o LEFT JOIN boot b ON b.number = o.boot "
    "LEFT JOIN phrase p ON p.number = o.what AND typeof(o.what) = 'integer' "
)


def chunk(connection: sqlite3.Connection, after: int) -> list[tuple[Any, ...]]:
    """The next rows after a sequence, as decoded() wants them."""
    return connection.execute(
        _READ + "WHERE o.sequence > ? ORDER BY o.sequence LIMIT ?", (after, CHUNK)
    ).fetchall()


@lru_cache(maxsize=PHRASES)
def _understood(text: str) -> What:
    return _what.decode(text)


def decoded(row: tuple[Any, ...]) -> Observation | None:
    """The observation of a row of chunk(); None if it cannot be read."""
    sequence, boot, boottime, wall, synced, what, counter = row
    try:
        return Observation(
            sequence,
            Instant(boot or "", boottime, wall, bool(synced)),
            _understood(what),
            counter,
        )
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None


def last(connection: sqlite3.Connection) -> Observation | None:
    """The newest observation that can be read."""
    row = connection.execute(_READ + "ORDER BY o.sequence DESC LIMIT 1").fetchone()
    return None if row is None else decoded(row)


def said(connection: sqlite3.Connection, before: int) -> Iterator[tuple[float, Spoken]]:
    """Wall time and speaker of observations with a lower sequence and a wall that was right."""
    for row in connection.execute(
        _READ + "WHERE o.sequence < ? AND o.synced ORDER BY o.sequence", (before,)
    ):
        who = spoken(row[5])
        if who is not None:
            yield float(row[3]), who


def counters(connection: sqlite3.Connection) -> dict[str, int]:
    """All counters: the table's, and over them those of the observations not yet counted."""
    found = {str(n): int(v) for n, v in connection.execute("SELECT name, value FROM counter")}
    for row in connection.execute(
        _READ + "WHERE o.sequence > ? AND o.counter IS NOT NULL ORDER BY o.sequence",
        (found.get(COUNTED, 0),),
    ):
        who = spoken(row[5])
        if who is not None and who.sensor:
            found[f"sensor:{who.sensor}"] = int(row[6])
    return found


def save_counters(connection: sqlite3.Connection, values: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        list(values.items()),
    )


def end(connection: sqlite3.Connection) -> int:
    """The highest sequence; 0 if there is none. Its row is never pruned."""
    row = connection.execute("SELECT max(sequence) FROM observation").fetchone()
    return int(row[0] or 0)
