"""What one commit does to the tables, and what the journal knows by heart afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from gateway.domain.alert import Alert
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.errors import JournalError
from gateway.domain.observation import Observation
from gateway.journal import chain, history, outbox, quarantine
from gateway.journal.chain import Head
from gateway.journal.outbox import LANES, RECORD, AlertReceived, Receipt, RecordsReceived
from gateway.journal.quarantine import Quarantined

ANSWERS = "centre:"
"""Prefix of the counters that a centre's answers carry: with the centre's name, its receipt's id."""


class State(Struct, frozen=True):
    """What the writer knows without asking the file. Replaced as a whole after each commit, so
    that a commit that failed has changed nothing here either.

    ``last``        sequence of the newest observation
    ``dictionary``  what observations refer to by number
    ``counters``    name -> value
    ``heads``       lane -> the highest number given
    ``chain``       the newest link over alert states
    """

    last: int
    dictionary: history.Dictionary
    counters: Mapping[str, int]
    heads: Mapping[str, int]
    chain: Head

    @property
    def received_records(self) -> int:
        """Up to which record the centre has answered."""
        return self.counters.get(outbox.RECEIVED, 0)


class Work(Struct, frozen=True):
    """One commit, checked and encoded as far as possible before the transaction begins."""

    observations: Sequence[Observation]
    alerts: Sequence[tuple[Alert, str]]
    summaries: Sequence[tuple[Summary, str]]
    counters: Mapping[str, int]
    receipts: Sequence[Receipt]
    quarantined: Sequence[Quarantined]
    created: float

    def empty(self) -> bool:
        """Whether there is nothing worth a transaction. What was quarantined can wait."""
        return not (
            self.observations or self.alerts or self.summaries or self.counters or self.receipts
        )

    def may_wait(self) -> bool:
        """Whether losing it costs nothing: the centre would be sent some records again."""
        return not (
            self.observations
            or self.alerts
            or self.summaries
            or any(isinstance(receipt, AlertReceived) for receipt in self.receipts)
        )

    def told(self, state: State) -> dict[str, int]:
        """The counters to set, among them how far records are received."""
        told = dict(self.counters)
        ends = [one.up_to for one in self.receipts if isinstance(one, RecordsReceived)]
        if ends:
            told[outbox.RECEIVED] = max(state.received_records, *ends)
        return told


class Done(Struct, frozen=True):
    """What a commit added, and the messages (lane, number) that wait no longer."""

    state: State
    alerts: tuple[Alert, ...]
    records: int
    freed: tuple[tuple[str, int], ...]


def read_state(connection: sqlite3.Connection) -> State:
    """The state of a file that was just opened. Raises sqlite3.Error."""
    counters = history.counters(connection)
    return State(
        last=max(history.end(connection), counters.get(history.LAST, 0)),
        dictionary=history.dictionary(connection),
        counters=counters,
        heads={lane: outbox.head(connection, lane) for lane in LANES},
        chain=chain.read_head(connection),
    )


def encoded(
    decisions: Iterable[Decisions],
) -> tuple[list[tuple[Alert, str]], list[tuple[Summary, str]]]:
    """Alerts and summaries with their JSON. Raises TypeError or ValueError for what JSON cannot
    hold."""
    alerts, summaries = [], []
    for decision in decisions:
        alerts += [(alert, msgspec.json.encode(alert).decode()) for alert in decision.alerts]
        summaries += [(one, msgspec.json.encode(one).decode()) for one in decision.summaries]
    return alerts, summaries


def write(connection: sqlite3.Connection, state: State, work: Work) -> Done:
    """Do the work inside the caller's transaction."""
    last, dictionary, carried = _observations(connection, state, work.observations)
    new: list[Alert] = []
    heads, head, records = state.heads, state.chain, 0
    if work.alerts or work.summaries:
        heads, head, new, records = _messages(connection, state, work)
    told = work.told(state) if work.counters or work.receipts else {}
    freed: list[tuple[str, int]] = []
    for receipt in work.receipts:
        if isinstance(receipt, AlertReceived):
            answer = work.counters.get(f"{ANSWERS}{receipt.by}")
            waited, head = outbox.receive_alert(connection, receipt, answer, head)
            freed += waited
    counters = state.counters
    if carried or told:
        counters = {**counters, **carried, **told}
    told_by_sensors = bool(told) and any(name.startswith("sensor:") for name in told)
    if told_by_sensors or last - counters.get(history.COUNTED, 0) >= history.COUNT_EVERY:
        counters = {**counters, history.COUNTED: last}
        history.save_counters(connection, counters)
    elif told:
        history.save_counters(connection, told)
    if work.quarantined:
        quarantine.store(connection, work.quarantined)
    state = State(last, dictionary, counters, heads, head)
    return Done(state, tuple(new), records, tuple(freed))


def _observations(
    connection: sqlite3.Connection, state: State, observations: Sequence[Observation]
) -> tuple[int, history.Dictionary, dict[str, int]]:
    """Insert those that are new; returns the last sequence, the dictionary, the counters carried."""
    last = state.last
    dictionary = state.dictionary
    rows: list[history.Row] = []
    carried: dict[str, int] = {}
    late: dict[int, history.Row] = {}
    for observation in observations:
        row = history.row_of(observation, dictionary)
        if row is None:  # something is said for the first time: until the commit holds, in a copy
            if dictionary is state.dictionary:
                dictionary = state.dictionary.copy()
            row = history.new_row(connection, observation, dictionary)
        if observation.sequence > last:
            rows.append(row)
            last = observation.sequence
            name = history.sensor_counter(observation)
            if name is not None and observation.counter is not None:
                carried[name] = observation.counter
            continue
        stored = late.get(observation.sequence) or history.stored(connection, row[0])
        if stored is None and observation.sequence <= state.last:
            late[observation.sequence] = row  # it stayed behind while the disk was full
        elif stored != row and row not in rows:
            raise JournalError(
                f"Observation {observation.sequence} comes after {last}: give each the next "
                "number of the journal.",
                reason="sequence",
            )
    history.insert(connection, [*late.values(), *rows] if late else rows)
    return last, dictionary, carried


def _messages(
    connection: sqlite3.Connection, state: State, work: Work
) -> tuple[Mapping[str, int], Head, list[Alert], int]:
    """Insert alert versions and summaries that are new, each with the next number of its lane."""
    heads, head = dict(state.heads), state.chain
    new: list[Alert] = []
    records = 0
    for alert, body in work.alerts:
        if outbox.has_alert(connection, alert):
            continue
        lane = outbox.lane_of(alert)
        heads[lane] += 1
        head = outbox.add_alert(connection, alert, body, heads[lane], work.created, head)
        new.append(alert)
    for summary, body in work.summaries:
        if outbox.has_summary(connection, summary, body):
            continue
        heads[RECORD] += 1
        outbox.add_summary(connection, summary, body, heads[RECORD], work.created)
        records += 1
    return heads, head, new, records
