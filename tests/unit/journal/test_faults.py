"""Test whether accepted means on disk: under kill -9, a full disk and a disk that fails.

A short sample; the long runs with the whole hub are in tests/faults.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.domain.alert import Alert
from gateway.domain.errors import JournalError
from tests.support.disks import fill, small_disk
from tests.support.journals import (
    observations,
    opened,
)

WRITER = """
import sys
from pathlib import Path
from tests.support.journals import *
journal = opened(Path(sys.argv[1]))
while True:
    n = journal.last_sequence + 1
    alarm = alert(str(n), seconds=n)
    journal.commit(observations(n, 3), [*alerting(alarm), *summing(summary(n))])
    print("stored", journal.last_sequence, "alarm", alarm.id, flush=True)
    if n % 2 == 0:
        row = journal.waiting("alert")[0]
        receive(journal, row.message.id, 1)
        print("received", row.message.id, flush=True)
    if n % 50 == 0:
        journal.save_snapshot(journal.last_sequence, instant(), "p", b"%d" % journal.last_sequence)
        journal.retain(NOON + 31 * 86400 + n / 2)
"""

FULL = """
import os, resource, sys
from pathlib import Path
from gateway.domain.errors import JournalError
from tests.support.journals import *
folder = Path(sys.argv[1])
journal = opened(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
reasons = set()
accepted = refused = 0
while refused < 20:
    try:
        n = journal.last_sequence + 1
        accepted = journal.commit(observations(n, 40), alerting(alert(str(n)))).last_sequence
    except JournalError as error:
        refused += 1
        reasons.add(error.reason)
        assert journal.last_sequence == accepted
        assert len(journal.waiting("alert", limit=10**6)) == accepted // 40
        try:
            journal.save_snapshot(accepted, instant(), "p", os.urandom(200_000))
        except JournalError:
            pass
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
n = journal.last_sequence + 1
accepted = journal.commit(observations(n, 40), alerting(alert(str(n)))).last_sequence
print(accepted, *sorted(reasons), flush=True)
"""


def started(script: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, bufsize=0
    )


def told(process: subprocess.Popen[bytes], lines: int) -> list[list[str]]:
    """What the writer said until it was killed after so many lines; a torn line counts not."""
    assert process.stdout is not None
    said = b""
    while said.count(b"\n") < lines:
        more = process.stdout.read(4096)
        assert more, "the writer ended by itself"
        said += more
    process.kill()
    said += process.stdout.read()
    process.wait()
    process.stdout.close()
    whole = said[: said.rfind(b"\n") + 1].decode()
    return [line.split() for line in whole.splitlines()]


def test_nothing_that_was_accepted_is_lost_by_kill_9(tmp_path: Path) -> None:
    stored = 0
    alarms: set[str] = set()
    received: set[str] = set()
    for lines in (1, 40, 150, 7, 90, 300):
        for words in told(started(WRITER, tmp_path), lines):
            if words[0] == "stored":
                stored = int(words[1])
                alarms.add(words[3])
            else:
                received.add(words[1])
        with opened(tmp_path) as journal:
            assert journal.recovered is None
            assert journal.last_sequence >= stored
            assert journal.counter("sensor:s1") == journal.last_sequence
            sequences = [o.sequence for o in journal.observations()]
            assert sequences == list(range(sequences[0], journal.last_sequence + 1))
            rows = journal.waiting("alert", limit=10**6)
            waiting = {row.message.id for row in rows if isinstance(row.message, Alert)}
            assert all(journal.alert(alert_id) is not None for alert_id in alarms)
            assert not waiting & received
            unsaid = alarms - received - waiting  # receipts stored, but killed before it was said
            assert len(unsaid) <= 1
            received |= unsaid
            assert [r.sequence for r in journal.waiting("record", 10**6)] == list(
                range(1, journal.stats().record_head + 1)
            )
            found = journal.load_snapshot("p")
            assert found is None or found.blob == b"%d" % found.sequence
    assert len(alarms) > 300


def test_a_disk_that_takes_no_more_refuses_and_recovers_without_a_restart(tmp_path: Path) -> None:
    process = started(FULL, tmp_path)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    accepted, *reasons = out.decode().split()
    assert set(reasons) <= {"full", "io"}
    with opened(tmp_path) as journal:
        assert journal.recovered is None
        assert journal.last_sequence == int(accepted)
        assert [o.sequence for o in journal.observations()] == list(range(1, int(accepted) + 1))
        assert len(journal.waiting("alert", limit=10**6)) == int(accepted) // 40


def test_a_really_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "400k") as small:
        with opened(small / "data") as journal:
            journal.commit(observations(1, 40))
            filler = fill(small)
            reason = ""
            while not reason:
                try:
                    journal.commit(observations(journal.last_sequence + 1, 40))
                except JournalError as error:
                    reason = error.reason
            assert reason in ("full", "io")
            accepted = journal.last_sequence
            filler.unlink()
            journal.commit(observations(accepted + 1, 40))
        with opened(small / "data") as journal:
            assert journal.recovered is None
            assert journal.last_sequence == accepted + 40
