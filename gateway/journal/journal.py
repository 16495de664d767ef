"""The journal: the hub's whole truth. What it accepted is on disk.

Every method may be called from any thread (a commit waits for the card, so the runtime does it
beside its event loop); one lock lets them through one by one. Every failure is a JournalError, and
then nothing of that call is stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import MappingProxyType, TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.errors import JournalError
from gateway.domain.instant import Instant
from gateway.domain.observation import Observation
from gateway.journal import history, outbox, quarantine, retention, snapshot
from gateway.journal.committing import Work, encoded, read_state, write
from gateway.journal.opening import Recovered, open_store
from gateway.journal.outbox import (
    ALERT,
    RECORD,
    AlertReceived,
    OutboxRow,
    Receipt,
    RecordsReceived,
)
from gateway.journal.reader import JournalStats, read_stats
from gateway.journal.retention import Keep, Retained
from gateway.journal.snapshot import Snapshot
from gateway.journal.store import Lock, Store, translated

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Committed(Struct, frozen=True):
    """What a commit added. ``alerts``: the versions that were not there before; ``receipts``: how
    many of those given were about something that still waited."""

    last_sequence: int
    alerts: tuple[Alert, ...] = ()
    records: int = 0
    receipts: int = 0


class _Sent(Struct):
    """How often a message was tried; in memory only, because a lost count costs nothing."""

    attempts: int
    first: float
    last: float


class Journal:
    """Observations, counters, alerts and outbox in one file, with one writer.

    ``journal_id``     random; numbers of lanes and observations mean something only within it
    ``recovered``      not None if a file had to be set aside when this one was opened
    ``unreadable``     rows that were met and could not be decoded; they are passed over
    """

    def __init__(
        self,
        store: Store,
        lock: Lock,
        journal_id: str,
        recovered: Recovered | None,
        clock_wall: Callable[[], float],
    ) -> None:
        """Use open()."""
        self.journal_id = journal_id
        self.recovered = recovered
        self.unreadable = 0
        self._store = store
        self._file_lock = lock
        self._clock_wall = clock_wall
        self._turn = RLock()
        self._sent: dict[tuple[str, int], _Sent] = {}
        self._quarantine = quarantine.Quarantine()
        self._late: Mapping[str, int] = {}
        with store.reading() as connection:
            self._state = read_state(connection)
        held = snapshot.read(store.folder, journal_id)
        known = 0 if held is None else held[0].sequence
        self._snapshot = known if known <= self._state.last else 0

    @classmethod
    def open(cls, folder: Path, hub: str, *, clock_wall: Callable[[], float]) -> Journal:
        """Open the journal of ``folder``, or begin one there.

        A file that is damaged, not ours or another hub's is set aside and a new journal begins:
        see ``recovered``. Raises JournalError where no journal can be kept at all: "in-use" by
        another process, "full" disk, folder not writable.
        """
        folder = Path(folder)
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            lock = Lock(folder)
        except OSError as error:
            raise translated(error, folder) from error
        try:
            opened = open_store(folder, hub, clock_wall())
            try:
                return cls(opened.store, lock, opened.journal_id, opened.recovered, clock_wall)
            except BaseException:
                opened.store.connection.close()
                raise
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Bring everything into the file and let go of it. Does not raise: what was accepted is on
        disk already."""
        with self._turn:
            with suppress(JournalError), self._store.transaction() as connection:
                history.save_counters(connection, self._counted())
                quarantine.store(connection, self._quarantine.pending)
            with suppress(sqlite3.Error):
                self._store.connection.close()
            self._file_lock.release()

    @property
    def last_sequence(self) -> int:
        """Sequence of the newest observation on disk; 0 if there is none."""
        return self._state.last

    # What comes in

    def commit(
        self,
        observations: Sequence[Observation] = (),
        decisions: Sequence[Decisions] = (),
        *,
        counters: Mapping[str, int] = _NOTHING,
        receipts: Sequence[Receipt] = (),
        lazy: bool = False,
    ) -> Committed:
        """Store all of it in one transaction; when this returns it is on disk.

        Observations must come in the order of their sequence. One that is stored already is passed
        over if it is the same; so are alert versions (by id and version), summaries and receipts.
        ``receipts`` are for the answers of one message from the centre, together with its counter.

        ``lazy``: receipts of records and counters, if there is nothing else, hold at once but reach
        the disk with the next commit. A kill forgets them, and the centre is asked again.

        Raises JournalError; then nothing of it is stored.
        """
        with self._turn:
            try:
                alerts, summaries = encoded(decisions)
            except (TypeError, ValueError) as error:
                raise self._store.error(error) from error
            work = Work(
                observations,
                alerts,
                summaries,
                {**self._late, **counters},
                [receipt for receipt in receipts if self._waits_for(receipt)],
                tuple(self._quarantine.pending),
                self._clock_wall(),
            )
            if lazy and work.may_wait():
                told = work.told(self._state)
                self._state = msgspec.structs.replace(
                    self._state, counters={**self._state.counters, **told}
                )
                self._late = told
                self._forget_sent(())
                return Committed(self.last_sequence, receipts=len(work.receipts))
            if work.empty():
                return Committed(self.last_sequence)
            with self._store.transaction() as connection:
                done = write(connection, self._state, work)
            self._state, self._late = done.state, {}
            del self._quarantine.pending[: len(work.quarantined)]
            self._forget_sent(done.freed)
            return Committed(done.state.last, done.alerts, done.records, len(work.receipts))

    def quarantine(self, where: str, raw: bytes, reason: str, at: float) -> None:
        """Note what could not be understood. It is stored with the next commit; never fails."""
        with self._turn:
            self._quarantine.add(where, raw, reason, at)

    @property
    def quarantined(self) -> Mapping[str, int]:
        """How much was quarantined since the start, by place."""
        with self._turn:
            return dict(self._quarantine.counts)

    # What was

    def observations(self, after: int = 0) -> Iterator[Observation]:
        """All observations with a higher sequence, in order. Commits in between are allowed; rows
        that cannot be read are counted in ``unreadable`` and passed over."""
        while True:
            with self._turn, self._store.reading() as connection:
                rows = history.chunk(connection, after)
            if not rows:
                return
            for row in rows:
                observation = history.decoded(row)
                if observation is None:
                    self.unreadable += 1
                else:
                    yield observation
            after = rows[-1][0]

    def last_observation(self) -> Observation | None:
        """The newest observation: what a restart needs for Booted.up_until."""
        with self._turn, self._store.reading() as connection:
            return history.last(connection)

    def counter(self, name: str) -> int | None:
        """A counter: ``sensor:<id>``, ``centre:<id>`` or one given to commit()."""
        return self._state.counters.get(name)

    def alarms(self, since_wall: float, *, least_level: int = 0) -> list[Alert]:
        """The newest version of each alert that is open or ended since; open ones first, highest
        level first."""
        with self._turn, self._store.reading() as connection:
            return outbox.alarms(connection, since_wall, least_level)

    def alert(self, alert_id: str) -> Alert | None:
        """The newest version of one alert; None if it is unknown."""
        with self._turn, self._store.reading() as connection:
            return outbox.latest(connection, alert_id)

    def stats(self) -> JournalStats:
        """Figures for the heartbeat and for status."""
        with self._turn, self._store.reading() as connection:
            return read_stats(connection, self._store.folder, self._state.received_records)

    # The engine's snapshot

    def save_snapshot(self, sequence: int, at: Instant, fingerprint: str, blob: bytes) -> None:
        """Keep the engine's state after observation ``sequence``, which must be committed: else a
        restart would know what no journal holds. Raises JournalError."""
        with self._turn:
            if sequence > self.last_sequence or len(blob) > snapshot.MOST:
                raise JournalError(
                    f"A snapshot after observation {sequence} cannot be kept: commit it first.",
                    reason="sequence",
                )
            try:
                snapshot.save(
                    self._store.folder, self.journal_id, fingerprint, Snapshot(sequence, at, blob)
                )
            except (OSError, msgspec.MsgspecError, ValueError) as error:
                raise translated(error, self._store.folder) from error
            self._snapshot = sequence

    def load_snapshot(self, fingerprint: str) -> Snapshot | None:
        """The snapshot, if it is whole, of this journal and of the same fingerprint (engine,
        household and model); else None, and the engine is rebuilt from observations()."""
        with self._turn:
            return snapshot.load(
                self._store.folder, self.journal_id, fingerprint, self.last_sequence
            )

    # The way to the centre

    def waiting(self, lane: str | None = None, limit: int = 100) -> list[OutboxRow]:
        """Messages without the centre's answer: alerts first, highest level first, then records in
        order. Superseded versions too: each number of a lane must arrive."""
        rows: list[OutboxRow] = []
        with self._turn, self._store.reading() as connection:
            if lane in (None, ALERT):
                for sequence, level, body, created in outbox.waiting_alerts(connection, limit):
                    alert = outbox.decoded_alert(body)
                    if alert is not None:
                        rows.append(self._row(ALERT, sequence, level, alert, created))
                    else:
                        self.unreadable += 1
            if lane in (None, RECORD):
                for sequence, start, body, created in outbox.waiting_records(
                    connection, self._state.received_records, limit - len(rows)
                ):
                    record = outbox.decoded_record(body, start)
                    if record is not None:
                        rows.append(self._row(RECORD, sequence, 0, record, created))
                    else:
                        self.unreadable += 1
        return rows

    def _row(
        self, lane: str, sequence: int, level: int, message: Alert | Summary, created: float
    ) -> OutboxRow:
        sent = self._sent.get((lane, sequence))
        if sent is None:
            return OutboxRow(lane, sequence, level, message, created)
        return OutboxRow(
            lane, sequence, level, message, created, sent.attempts, sent.first, sent.last
        )

    def sent(self, lane: str, sequence: int, at: float) -> None:
        """Note an attempt (wall seconds). Kept in memory only."""
        with self._turn:
            sent = self._sent.setdefault((lane, sequence), _Sent(0, at, at))
            sent.attempts += 1
            sent.last = at

    def received(self, alert_id: str, version: int, *, at: float, by: str) -> bool:
        """The centre's application stored this version: it waits no longer.

        False if there is no such version; that has no effect. Raises JournalError.
        """
        receipt = AlertReceived(alert_id, version, at, by)
        with self._turn:
            with self._store.reading() as connection:
                ours, _ = outbox.known(connection, receipt)
            self.commit(receipts=[receipt])
            return ours

    def records_received(self, up_to: int, *, at: float) -> int:
        """The centre stored every record up to this one; returns how many that freed. A number that
        was never given has no effect: it would swallow records yet to come."""
        with self._turn:
            before = self._state.received_records
            self.commit(receipts=[RecordsReceived(up_to, at)])
            return self._state.received_records - before

    def _waits_for(self, receipt: Receipt) -> bool:
        """Whether a receipt would change anything."""
        if isinstance(receipt, RecordsReceived):
            return self._state.received_records < receipt.up_to <= self._state.heads[RECORD]
        with self._store.reading() as connection:
            return outbox.known(connection, receipt)[1]

    def _forget_sent(self, freed: Iterable[tuple[str, int]]) -> None:
        for key in freed:
            self._sent.pop(key, None)
        up_to = self._state.received_records
        for key in [key for key in self._sent if key[0] == RECORD and key[1] <= up_to]:
            del self._sent[key]

    # Forgetting

    def retain(self, now_wall: float, keep: Keep | None = None, *, synced: bool = True) -> Retained:
        """Forget what is old enough (P2), a bounded amount at a time: call again while ``more``.

        Nothing is forgotten while the wall clock is not known to be right. Raises JournalError.
        """
        if not synced:
            return Retained()
        with self._turn:
            counters = self._counted()
            with self._store.transaction() as connection:
                history.save_counters(connection, counters)
                retained = retention.prune(connection, now_wall, keep or Keep(), self._snapshot)
            self._state = msgspec.structs.replace(self._state, counters=counters)
            self._late = {}
            return retained

    def _counted(self) -> dict[str, int]:
        """All counters, as true up to the newest observation."""
        return {**self._state.counters, history.COUNTED: self._state.last}
