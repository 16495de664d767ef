"""Test whether nonsense leaves a trace, and never a heap."""

from __future__ import annotations

from pathlib import Path

from gateway.journal import JournalReader
from gateway.journal.quarantine import KEPT, PENDING
from tests.support.journals import NOON, observations, opened


def test_what_could_not_be_understood_is_there_after_the_next_commit(tmp_path: Path) -> None:
    raw = b"\x00\xffsomething personal" * 50
    with opened(tmp_path) as journal:
        journal.quarantine("downlink", raw, "bad-format", NOON)
        assert journal.quarantined == {"downlink": 1}
        journal.commit(observations(1, 1))
        with JournalReader(tmp_path) as reader:
            (entry,) = reader.quarantined()
        assert (entry.place, entry.reason, entry.size, entry.at) == (
            "downlink",
            "bad-format",
            len(raw),
            NOON,
        )
        assert entry.head == raw[:64].hex()
        assert len(entry.hash) == 32


def test_closing_stores_what_still_waits(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.quarantine("ble", b"x", "bad-content", NOON)
    with opened(tmp_path) as journal:
        assert journal.stats().quarantined == 1


def test_a_flood_costs_no_disk_and_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        before = journal.stats().bytes
        for n in range(100_000):
            journal.quarantine("downlink", b"%d" % n, "bad-format", NOON)
        assert journal.stats().bytes == before
        assert journal.quarantined == {"downlink": 100_000}
        for n in range(1, 21):
            journal.commit(observations(n, 1))
            for k in range(PENDING):
                journal.quarantine("downlink", b"%d" % (n * k), "bad-format", NOON)
        assert journal.stats().quarantined <= KEPT


def test_any_bytes_and_any_words_are_taken(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.quarantine("\ud800 거실" * 100, b"", "\x00", NOON)
        journal.quarantine("downlink", bytes(1_000_000), "too-long", NOON)
        journal.commit(observations(1, 1))
        assert journal.stats().quarantined == 2
