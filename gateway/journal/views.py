"""What a journal can be asked. Reads go through a connection of their own, so that nobody who asks
waits for a commit on a slow card; they see what is committed and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock
from types import MappingProxyType

from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.decisions import Summary
from gateway.domain.errors import JournalError
from gateway.domain.observation import Observation
from gateway.journal import chain, history, outbox
from gateway.journal.chain import Head
from gateway.journal.committing import State
from gateway.journal.outbox import ALERT, RECORD, OutboxRow
from gateway.journal.reader import JournalStats, read_stats
from gateway.journal.store import Store

NOTHING: Mapping[str, int] = MappingProxyType({})


class Sent(Struct):
    """How often a message was tried; in memory only, because a lost count costs nothing."""

    attempts: int
    first: float
    last: float


class Views:
    """The reading half of a journal; ``Journal`` adds the writing.

    ``unreadable``  rows that were met and could not be decoded; they are passed over
    """

    def __init__(self, store: Store, state: State) -> None:
        self.unreadable = 0
        self._store = store
        self._state = state
        self._sent: dict[tuple[str, int], Sent] = {}
        self._counts = Lock()
        self._closed = False
        self._told: JournalStats | None = None

    @property
    def last_sequence(self) -> int:
        """Highest number of an observation on disk; 0 if there is none."""
        return self._state.last

    @property
    def head(self) -> Head:
        """The newest link of the hash chain over alert states (T11)."""
        return self._state.chain

    @property
    def readable(self) -> bool:
        """Whether the last read succeeded. While none does nothing can be sent: nobody watches."""
        return self._store.readable

    def observations(self, after: int = 0) -> Iterator[Observation]:
        """All observations with a higher sequence, in order. Commits in between are allowed; rows
        that cannot be read are counted in ``unreadable`` and passed over."""
        while True:
            with self._store.reading() as connection:
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
        with self._store.reading() as connection:
            return history.last(connection)

    def counter(self, name: str) -> int | None:
        """A counter: ``sensor:<id>``, ``centre:<id>`` or one given to commit()."""
        return self._state.counters.get(name)

    def alarms(self, since_wall: float, *, least_level: int = 0) -> list[Alert]:
        """The newest version of each alert that is open or ended since; open ones first, highest
        level first."""
        with self._store.reading() as connection:
            return outbox.alarms(connection, since_wall, least_level)

    def alert(self, alert_id: str) -> Alert | None:
        """The newest version of one alert; None if it is unknown."""
        with self._store.reading() as connection:
            return outbox.latest(connection, alert_id)

    def stats(self) -> JournalStats:
        """Figures for the heartbeat and for status. While the file cannot be read they are the last
        that could be: a heartbeat must not fall silent for that (R2, invariant 8)."""
        try:
            with self._store.reading() as connection:
                self._told = read_stats(
                    connection, self._store.folder, self._state.received_records
                )
        except JournalError:
            if self._told is None or self._closed:
                raise
        return self._told

    def verify(self) -> chain.Verified:
        """Follow the hash chain over alert states from its anchor. Raises JournalError."""
        with self._store.reading() as connection:
            return chain.verify(connection)

    # The way to the centre

    def waiting(self, lane: str | None = None, limit: int = 100) -> list[OutboxRow]:
        """Messages without the centre's answer: alerts first, highest level first, then records in
        order. Superseded versions too: each number of a lane must arrive.

        Raises JournalError while the file cannot be read: "nothing waits" would not be true, and the
        link would forget what it has under way.
        """
        rows: list[OutboxRow] = []
        received = self._state.received_records
        with self._store.reading() as connection:
            alerts = outbox.waiting_alerts(connection, limit) if lane in (None, ALERT) else []
            room = limit - len(alerts)
            records = (
                outbox.waiting_records(connection, received, room) if lane in (None, RECORD) else []
            )
        for sequence, level, body, created in alerts:
            alert = outbox.decoded_alert(body)
            if alert is not None:
                rows.append(self._row(ALERT, sequence, level, alert, created))
            else:
                self.unreadable += 1
        for sequence, start, body, created in records:
            record = outbox.decoded_record(body, start)
            if record is None:
                self.unreadable += 1
                record = outbox.unknown(created if start is None else start)
            rows.append(self._row(RECORD, sequence, 0, record, created))
        return rows

    def _row(
        self, lane: str, sequence: int, level: int, message: Alert | Summary, created: float
    ) -> OutboxRow:
        with self._counts:
            sent = self._sent.get((lane, sequence))
        if sent is None:
            return OutboxRow(lane, sequence, level, message, created)
        return OutboxRow(
            lane, sequence, level, message, created, sent.attempts, sent.first, sent.last
        )

    def sent(self, lane: str, sequence: int, at: float) -> None:
        """Note an attempt (wall seconds). Kept in memory only."""
        with self._counts:
            sent = self._sent.setdefault((lane, sequence), Sent(0, at, at))
            sent.attempts += 1
            sent.last = at

    def _forget_sent(self, freed: tuple[tuple[str, int], ...] = ()) -> None:
        if not self._sent:
            return
        up_to = self._state.received_records
        with self._counts:
            for key in list(self._sent):
                if key in freed or (key[0] == RECORD and key[1] <= up_to):
                    del self._sent[key]
