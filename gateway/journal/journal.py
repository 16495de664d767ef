"""The journal: the hub's whole truth. What it accepted is on disk.

Every method may be called from any thread (a commit waits for the card, so the runtime does it
beside its event loop); one lock lets writers through one by one, and readers do not wait for them.
Every failure is a JournalError, and then nothing of that call is stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions
from gateway.domain.errors import JournalError
from gateway.domain.instant import Instant
from gateway.domain.observation import Observation
from gateway.journal import history, outbox, quarantine, rescue, retention, schema, snapshot
from gateway.journal.aside import forget_aside, set_aside
from gateway.journal.committing import Done, Work, encoded, read_state, write
from gateway.journal.opening import Opened, carry_over, open_store
from gateway.journal.outbox import RECEIVED, RECORD, Receipt, RecordsReceived
from gateway.journal.rescue import Known
from gateway.journal.reserve import NO_ROOM, Reserve
from gateway.journal.retention import Keep, Retained
from gateway.journal.shedding import Shed, shed
from gateway.journal.snapshot import Snapshot
from gateway.journal.store import FileLock, translated
from gateway.journal.views import NOTHING, Views


class Committed(Struct, frozen=True):
    """What a commit added. ``alerts``: the versions that were not there before; ``receipts``: how
    many of those given were about something that still waited."""

    last_sequence: int
    alerts: tuple[Alert, ...] = ()
    records: int = 0
    receipts: int = 0


class Journal(Views):
    """Observations, counters, alerts and outbox in one file, with one writer.

    ``journal_id``     random; numbers of lanes and observations mean something only within it.
                       It changes when a damaged file is set aside while the hub runs
    ``recovered``      not None if a file had to be set aside: the last time that this happened
    ``reserve``        the room that only alarms may use
    """

    def __init__(
        self, opened: Opened, lock: FileLock, hub: str, clock_wall: Callable[[], float]
    ) -> None:
        """Use open()."""
        with opened.store.writing() as connection:
            super().__init__(opened.store, read_state(connection))
        with suppress(JournalError):  # damage in old readings is healed by the first commit
            self.stats()
        self.journal_id = opened.journal_id
        self.recovered = opened.recovered
        self._untold = opened.recovered is not None
        self.reserve = Reserve(opened.store.folder)
        self.reserve.fill()
        self._hub = hub
        self._file_lock = lock
        self._clock_wall = clock_wall
        self._turn = RLock()
        self._quarantine = quarantine.Quarantine()
        self._late: Mapping[str, int] = {}
        held = snapshot.read(opened.store.folder, opened.journal_id)
        known = 0 if held is None else held[0].sequence
        self._snapshot = known if known <= self._state.last else 0

    @classmethod
    def open(cls, folder: Path, hub: str, *, clock_wall: Callable[[], float]) -> Journal:
        """Open the journal of ``folder``, or begin one there.

        A file that is damaged, not ours or another hub's is set aside; a new journal begins with
        what could be read of it: see ``recovered``. Raises JournalError where no journal can be
        kept at all: "in-use" by another process, "full" disk, folder not writable.
        """
        folder = Path(folder)
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            lock = FileLock(folder)
        except OSError as error:
            raise translated(error, folder) from error
        try:
            found = snapshot.read(folder)
            held = None if found is None else found[0]
            known = None
            if held is not None:
                known = Known(held.journal_id, held.sequence, held.counters)
            try:
                return cls._of(open_store(folder, hub, clock_wall(), known), lock, hub, clock_wall)
            except JournalError as error:
                if error.reason != "damaged":
                    raise
            # Met only now, and noted: this time the whole file is looked at.
            return cls._of(open_store(folder, hub, clock_wall(), known), lock, hub, clock_wall)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _of(
        cls, opened: Opened, lock: FileLock, hub: str, clock_wall: Callable[[], float]
    ) -> Journal:
        try:
            carry_over(opened)
            return cls(opened, lock, hub, clock_wall)
        except BaseException:
            opened.store.close()
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
            with suppress(JournalError):
                self._store.transacted(self._last_words)
            self._closed = True
            self._store.close()
            self._file_lock.release()

    def _last_words(self, connection: sqlite3.Connection) -> None:
        history.save_counters(connection, self._counted())
        quarantine.store(connection, self._quarantine.pending)

    # What comes in

    def commit(
        self,
        observations: Sequence[Observation] = (),
        decisions: Sequence[Decisions] = (),
        *,
        counters: Mapping[str, int] = NOTHING,
        receipts: Sequence[Receipt] = (),
        lazy: bool = False,
        reserve: bool = False,
    ) -> Committed:
        """Store all of it in one transaction; when this returns it is on disk.

        Each observation needs the next number; one that is lower fills a gap. One that is stored
        already is passed over if it is the same; so are alert versions (by id and version),
        summaries and receipts. ``receipts`` are for the answers of one message from the centre,
        together with its counter.

        ``lazy``: receipts of records and counters, if there is nothing else, hold at once but reach
        the disk with the next commit. A kill forgets them, and the centre is asked again.

        ``reserve``: take room from what is set aside for alarms if the disk has no other; for
        commit_alarms(), which lets no readings through.

        Raises JournalError; then nothing of it is stored.
        """
        with self._turn:
            try:
                alerts, summaries = encoded(decisions)
            except (TypeError, ValueError) as error:
                raise self._store.error(error) from error
            if self._store.suspect or (alerts and not self._store.in_place()):
                self._heal()
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
                self._forget_sent()
                return Committed(self.last_sequence, receipts=len(work.receipts))
            if work.empty():
                return Committed(self.last_sequence)
            done = self._written(work, reserve=reserve)
            self._state, self._late = done.state, {}
            self._untold = self._untold and not rescue.tells(work.observations)
            del self._quarantine.pending[: len(work.quarantined)]
            self._forget_sent(done.freed)
            return Committed(done.state.last, done.alerts, done.records, len(work.receipts))

    def commit_alarms(
        self,
        observations: Sequence[Observation],
        decisions: Sequence[Decisions],
        *,
        counters: Mapping[str, int] = NOTHING,
    ) -> Shed:
        """Store what must not wait though the disk is full, from the reserve if need be; returns
        what was stored and what stays behind (see shedding.py).

        Raises JournalError; then nothing of it is stored.
        """
        parted = shed(observations, decisions)
        if not parted.empty:
            self.commit(
                parted.observations,
                parted.decisions,
                counters={**parted.counters, **counters},
                reserve=True,
            )
        return parted

    def _written(self, work: Work, *, reserve: bool) -> Done:
        """Do the work. Damage is healed once; a full disk gets room from the reserve."""
        healed = False
        while True:
            try:
                return self._store.transacted(partial(self._write, work))
            except JournalError as error:
                if error.reason == "damaged" and not healed:
                    healed, before = True, self.journal_id
                    self._heal()
                    if self.journal_id != before:
                        work = self._of_now(work)
                elif not (
                    reserve and error.reason in NO_ROOM and self.reserve.give(self._store.log)
                ):
                    raise

    def _write(self, work: Work, connection: sqlite3.Connection) -> Done:
        done = write(connection, self._state, work)
        if self._untold and rescue.tells(work.observations):
            rescue.told(connection)
        return done

    def heal(self) -> None:
        """Look at the whole file, because something said that it is damaged. If it is, begin a new
        one with what can be read of it (``recovered``, another ``journal_id``); what the program
        knows by heart, such as sensors' counters, is kept in any case.

        Raises JournalError where no new file can be made; the next commit tries again.
        """
        with self._turn:
            self._heal()

    def _heal(self) -> None:
        state, store = self._state, self._store
        if not store.in_place():
            self._move_back()
        store.close()
        store.mark()
        known = Known(self.journal_id, state.last, state.counters)
        opened = open_store(store.folder, self._hub, self._clock_wall(), known)
        carry_over(opened)
        with opened.store.writing() as connection:
            fresh = read_state(connection)
        self._store = opened.store
        self._untold = self._untold or opened.recovered is not None
        if opened.recovered is None:
            fresh = msgspec.structs.replace(fresh, counters={**fresh.counters, **self._late})
        else:
            self._late = {}
            self.recovered = opened.recovered
            self.journal_id = opened.journal_id
            with self._counts:
                self._sent.clear()
        self._state = fresh

    def _move_back(self) -> None:
        """Somebody removed our file or its log, or put another in its place, while we have it open:
        all that we hold goes into a file of that name once more. Raises JournalError."""
        store = self._store
        try:
            rescue.rewritten(store.connection, store.path)
            set_aside(store.path)
        except (sqlite3.Error, OSError) as error:
            raise store.error(error) from error

    def quarantine(self, where: str, raw: bytes, reason: str, at: float) -> None:
        """Note what could not be understood. It is stored with the next commit; never fails."""
        self._quarantine.add(where, raw, reason, at)

    @property
    def quarantined(self) -> Mapping[str, int]:
        """How much was quarantined since the start, by place."""
        return dict(self._quarantine.counts)

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
            made = Snapshot(sequence, at, blob)
            try:
                snapshot.save(
                    self._store.folder, self.journal_id, fingerprint, made, self._state.counters
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

    # The centre's answers

    def _waits_for(self, receipt: Receipt) -> bool:
        """Whether a receipt would change anything."""
        if isinstance(receipt, RecordsReceived):
            if not self._is_ours(receipt):
                return False
            return self._state.received_records < receipt.up_to <= self._state.heads[RECORD]
        with self._store.reading() as connection:
            return outbox.known(connection, receipt)[1]

    def _of_now(self, work: Work) -> Work:
        """Without what speaks of the numbers of a journal that was set aside a moment ago."""
        return msgspec.structs.replace(
            work,
            counters={n: v for n, v in work.counters.items() if n != RECEIVED},
            receipts=[receipt for receipt in work.receipts if self._is_ours(receipt)],
        )

    def _is_ours(self, receipt: Receipt) -> bool:
        """Whether it speaks of this journal's numbers."""
        if isinstance(receipt, RecordsReceived):
            return receipt.journal_id in ("", self.journal_id)
        return True

    # Forgetting

    def retain(self, now_wall: float, keep: Keep | None = None, *, synced: bool = True) -> Retained:
        """Forget what is old enough (P2), a bounded amount at a time: call again while ``more``.

        Nothing is forgotten while the wall clock is not known to be right. Raises JournalError.
        """
        if not synced:
            return Retained()
        with self._turn:
            keep = (keep or Keep()).limited()
            counters = self._counted()
            counters[RECEIVED] = max(
                self._state.received_records, self._state.heads[RECORD] - keep.most_records
            )

            def work(connection: sqlite3.Connection) -> Retained:
                history.save_counters(connection, counters)
                return retention.prune(connection, now_wall, keep, self._snapshot)

            retained = self._store.transacted(work)
            self._state = msgspec.structs.replace(self._state, counters=counters)
            self._late = {}
            self._look()
            forget_aside(self._store.folder, now_wall)
            self.reserve.fill()
            return retained

    def _look(self) -> None:
        """Look at the tables that alarms hang on; what is wrong is healed by the next commit."""
        try:
            with self._store.reading() as connection:
                schema.check(connection, everything=False)
        except schema.Unusable:
            self._store.mark()

    def _counted(self) -> dict[str, int]:
        """All counters, as true up to the newest observation."""
        return {**self._state.counters, history.COUNTED: self._state.last}
