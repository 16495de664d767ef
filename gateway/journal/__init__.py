"""The journal: what was accepted is on disk. SQLite, WAL, synchronous=FULL, one writer."""

from gateway.journal.chain import Head, Verified
from gateway.journal.journal import Committed, Journal
from gateway.journal.opening import Recovered
from gateway.journal.outbox import (
    ALERT,
    RECORD,
    AlertReceived,
    OutboxRow,
    Receipt,
    RecordsReceived,
)
from gateway.journal.quarantine import Quarantined
from gateway.journal.reader import JournalReader, JournalStats, stats
from gateway.journal.retention import Keep, Retained
from gateway.journal.salvage import Salvaged
from gateway.journal.snapshot import Snapshot

__all__ = [
    "ALERT",
    "RECORD",
    "AlertReceived",
    "Committed",
    "Head",
    "Journal",
    "JournalReader",
    "JournalStats",
    "Keep",
    "OutboxRow",
    "Quarantined",
    "Receipt",
    "RecordsReceived",
    "Recovered",
    "Retained",
    "Salvaged",
    "Snapshot",
    "Verified",
    "stats",
]
