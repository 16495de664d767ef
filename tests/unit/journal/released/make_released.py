"""Makes the journal of a released version, for the test that later programs open it.

    git worktree add ../released <tag>
    PYTHONPATH=../released python tests/unit/journal/released/make_released.py FOLDER

Run it with the program of the version that is released, once, and add ``version-<n>.db`` (ended
cleanly) and ``version-<n>-killed.db`` with its ``-wal`` (ended by kill -9) to this folder. What is in
them must stay as it is: ``test_released.py`` knows it by heart.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from gateway.domain.alert import Alert, AlertState, AlertType, Level
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.observation import Booted, Heard, Observation, Pressed, Switched
from gateway.journal import AlertReceived, Journal, RecordsReceived
from gateway.journal.schema import VERSION

HUB = "hub-7f3a"
NOON = 1_772_323_200.0


def at(seconds: float) -> Instant:
    return Instant("boot-1", 100.0 + seconds, NOON + seconds)


def alert(number: int, version: int = 1, *, level: Level = Level.EMERGENCY) -> Alert:
    ended = version > 1
    return Alert(
        id=ulid(NOON + number, "released", number),
        version=version,
        type=AlertType.HELP_BUTTON if level else AlertType.VISIT,
        level=level,
        state=AlertState.CLOSED if ended else AlertState.RAISED,
        at=at(number),
        raised=at(number),
        subject="help",
        because="pressed",
        open=not ended,
    )


def write(journal: Journal) -> None:
    """200 readings of two sensors, five alerts of which three are received, notes, summaries."""
    journal.commit([Observation(1, at(0), Booted("1.0"))])
    for n in range(2, 202):
        what = Switched("s1", on=n % 2 == 0) if n % 3 else Heard("s2")
        journal.commit([Observation(n, at(n), what, counter=1000 + n)])
    for n in range(1, 6):
        said = Observation(201 + n, at(300 + n), Pressed("help"), counter=n)
        journal.commit([said], [Decisions(alerts=(alert(n),))], counters={"hub:up": n})
    journal.commit(decisions=[Decisions(alerts=(alert(1, 2), alert(9, level=Level.NOTE)))])
    summaries = tuple(
        Summary(NOON + 600.0 * n, 600.0, {"s1": n}, away=False, blind=False) for n in range(4)
    )
    journal.commit(decisions=[Decisions(summaries=summaries)])
    receipts = [AlertReceived(alert(n).id, 1, NOON + 400 + n, "c1") for n in (1, 2, 3)]
    journal.commit(receipts=[*receipts, RecordsReceived(2, NOON + 400)], counters={"centre:c1": 17})
    journal.quarantine("downlink", b"nonsense", "bad-format", NOON)
    journal.commit([Observation(207, at(500), Heard("s2"), counter=1500)])


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        journal = Journal.open(data, HUB, clock_wall=lambda: NOON)
        write(journal)
        for beside in ("", "-wal"):
            raw = (data / f"journal.db{beside}").read_bytes()
            (folder / f"version-{VERSION}-killed.db{beside}").write_bytes(raw)
        journal.close()
        (folder / f"version-{VERSION}.db").write_bytes((data / "journal.db").read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
