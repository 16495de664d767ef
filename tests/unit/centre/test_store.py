"""The store keeps every version once, the highest wins, and numbers only rise."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contract import messages as wire
from gateway.domain.alert import Alert, AlertState, AlertType, Level
from provisioning.centre import answering, reading, retention
from provisioning.centre.intake import Message
from provisioning.centre.receive import Receiver, judge
from provisioning.centre.scripted import apply
from provisioning.centre.settings import Rule
from provisioning.centre.store import Store, StoreError
from tests.support.broker import TENANT
from tests.support.centre_rig import Words

NOW = 1_800_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


def take(store: Store, words: Words, leaf: str, *payloads: bytes, now: float = NOW) -> list[object]:
    receiver = Receiver(store, TENANT, wall=lambda: now)
    taken = receiver.take([(f"ansim/v1/{TENANT}/{words.hub}/up/{leaf}", p) for p in payloads])
    return [part for one in taken for due in one.due for part in due.receipts]


def test_the_highest_version_wins_in_whatever_order_they_come(tmp_path: Path) -> None:
    said = [
        (AlertState.RAISED, Level.WATCH),
        (AlertState.ESCALATED, Level.WARNING),
        (AlertState.ESCALATED, Level.ALARM),
    ]
    for number, order in enumerate(itertools.permutations((1, 2, 3))):
        store = Store.open(tmp_path / str(number))
        words = Words()
        for version in order:
            state, level = said[version - 1]
            take(
                store,
                words,
                "alert",
                words.alert(
                    version=version,
                    state=state,
                    level=level,
                    kind=AlertType.INACTIVITY_WATCH,
                    sequence=version,
                ),
            )
        (line,) = reading.alerts(store)
        assert (line.version, line.level) == (3, 3)
        late = dict(store.db.execute("SELECT version, late FROM alert_versions"))
        assert {v for v, was in late.items() if was} == {
            v for i, v in enumerate(order) if v < max(order[:i], default=0)
        }
        store.close()


def test_a_note_is_a_record_and_its_receipt_is_cumulative(store: Store) -> None:
    words = Words()
    note = words.alert(level=Level.NOTE, kind=AlertType.VISIT)
    assert take(store, words, "event", note) == [wire.RecordsReceipt("j1", 1)]
    assert reading.alerts(store)[0].level == 0


def test_a_heartbeat_asks_for_no_receipt_unless_records_wait(store: Store) -> None:
    words = Words()
    take(store, words, "telemetry", words.summary())
    assert take(store, words, "hb", words.heartbeat()) == []
    assert take(store, words, "hb", words.heartbeat(records=1)) == [wire.RecordsReceipt("j1", 1)]


def test_answers_go_to_the_run_that_spoke_last_and_not_to_that_of_a_late_will(
    store: Store,
) -> None:
    old, new = Words(), Words(boot="b0000002-1")
    take(store, old, "state", old.state("online"))
    take(store, new, "state", new.state("online"))
    take(store, old, "state", old.state("lost"))
    assert store.db.execute("SELECT bootid, state FROM hubs").fetchone() == (
        "b0000002-1",
        "online",
    )
    take(store, new, "state", new.state("lost"))
    assert store.db.execute("SELECT state FROM hubs").fetchone() == ("lost",)


def test_an_unknown_type_is_kept_and_shown_as_other(store: Store) -> None:
    words = Words()
    payload = (
        words.summary()
        .replace(b"kr.ansim.telemetry.v1", b"kr.ansim.weather.v1")
        .replace(b"schema:telemetry", b"schema:weather")
    )
    assert take(store, words, "telemetry", payload) == [wire.RecordsReceipt("j1", 1)]
    assert store.db.execute("SELECT type FROM others").fetchone() == ("kr.ansim.weather.v1",)


def test_an_unstorable_message_costs_only_itself(store: Store) -> None:
    words = Words()
    huge = judge(TENANT, f"ansim/v1/{TENANT}/{words.hub}/up/alert", words.alert(1))
    assert isinstance(huge, Message)
    payload = words.alert(2).replace(b'"version":1', b'"version":99999999999999999999')
    parts = take(store, words, "alert", words.alert(1, sequence=1), payload, words.alert(3))
    received = {part.alert_id for part in parts if isinstance(part, wire.AlertReceipt)}
    assert {words.alert_id(1), words.alert_id(3)} <= received
    assert words.alert_id(2) not in {line.alert_id for line in reading.alerts(store)}


def test_nothing_is_kept_of_a_commit_that_fails(store: Store) -> None:
    words = Words()
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count={pages}")
    receiver = Receiver(store, TENANT, wall=lambda: NOW)
    batch = [
        (f"ansim/v1/{TENANT}/{words.hub}/up/alert", words.alert(number)) for number in range(200)
    ]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        receiver.take(batch)
    assert reading.alerts(store) == []
    store.db.execute("PRAGMA max_page_count=1000000")
    (taken,) = receiver.take(batch)
    assert taken.new == 200


def test_counters_rise_over_restarts_and_backups(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        store = Store.open(tmp_path)
        seen += [store.next_counter("main") for _ in range(1500)]
        store.close()
    (tmp_path / "centre.sqlite3").unlink()
    store = Store.open(tmp_path)
    seen.append(store.next_counter("main") + 10_000)
    store.close()
    assert seen == sorted(set(seen))


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.db.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(StoreError, match="version 99"):
        Store.open(tmp_path)


def test_closing_wants_an_outcome_and_happens_once(store: Store) -> None:
    words = Words()
    take(store, words, "alert", words.alert())
    with pytest.raises(answering.AnswerError, match="outcome"):
        answering.give(store, words.alert_id(), "closed", by="op", now=NOW)
    for state in ("accepted", "closed"):
        answering.give(store, words.alert_id()[-6:], state, by="op", now=NOW, outcome="test")
    with pytest.raises(answering.AnswerError, match="closed already"):
        answering.give(store, words.alert_id(), "closed", by="op", now=NOW, outcome="test")


def test_an_answer_is_repeated_until_its_effect_shows(store: Store) -> None:
    words = Words()
    take(store, words, "state", words.state("online"))
    take(store, words, "alert", words.alert())
    answering.give(store, words.alert_id(), "accepted", by="op", now=NOW)
    times = [t for t in range(0, 200, 5) if answering.claim(store, NOW + t, 10)]
    assert times == [0, 10, 30, 70, 130, 190]
    take(store, words, "alert", words.alert(version=2, state=AlertState.ACCEPTED))
    assert answering.claim(store, NOW + 9999, 10) == []


def test_an_answer_to_an_alert_that_ended_by_itself_is_not_sent_for_ever(store: Store) -> None:
    words = Words()
    take(store, words, "alert", words.alert(level=Level.WARNING))
    answering.give(store, words.alert_id(), "accepted", by="op", now=NOW)
    take(
        store,
        words,
        "alert",
        words.alert(version=2, level=Level.WARNING, state=AlertState.CLEARED, is_open=False),
    )
    sent = sum(len(answering.claim(store, NOW + t, 10)) for t in range(0, 3600, 10))
    assert sent == answering.POINTLESS_AFTER


def test_a_rule_waits_for_its_level_and_its_time(store: Store) -> None:
    words = Words()
    rules = [Rule(do="close", type="inactivity.*", level=3, after=5, outcome="true")]
    kind = AlertType.INACTIVITY_WARNING
    take(store, words, "alert", words.alert(level=Level.WARNING, kind=kind))
    assert apply(store, rules, NOW + 100) == 0
    take(store, words, "alert", words.alert(version=2, level=Level.ALARM, kind=kind), now=NOW + 100)
    assert apply(store, rules, NOW + 104) == 0
    assert apply(store, rules, NOW + 105) == 1
    assert apply(store, rules, NOW + 106) == 0


def snapshot(words: Words, *lines: tuple[int, int, AlertState, bool]) -> bytes:
    known = [
        Alert(
            id=words.alert_id(number),
            version=version,
            type=AlertType.HELP_BUTTON,
            level=Level.EMERGENCY,
            state=state,
            at=words.instant(version),
            raised=words.instant(),
            open=is_open,
        )
        for number, version, state, is_open in lines
    ]
    return words.encoder.alarms(known, words.next("session"), words.instant())


def test_a_snapshot_heals_a_store_that_missed_a_version(store: Store) -> None:
    words = Words()
    take(store, words, "alert", words.alert(1), words.alert(2))
    take(
        store,
        words,
        "alarms",
        snapshot(words, (1, 3, AlertState.CLOSED, False), (2, 1, AlertState.RAISED, True)),
    )
    assert [(line.alert_id, line.version) for line in reading.alerts(store)] == [
        (words.alert_id(2), 1)
    ]


def test_what_people_closed_and_the_hub_no_longer_knows_is_closed(store: Store) -> None:
    words = Words()
    take(store, words, "alert", words.alert(1), words.alert(2))
    answering.give(store, words.alert_id(1), "closed", by="op", now=NOW, outcome="test")
    take(store, words, "alarms", snapshot(words))
    assert [line.alert_id for line in reading.alerts(store)] == [words.alert_id(2)]
    assert answering.claim(store, NOW + 99, 10) == []


def test_the_access_log_cannot_be_shortened_or_changed(store: Store) -> None:
    answering.log(store, "someone", "alerts", NOW)
    for sql in ("DELETE FROM access", "UPDATE access SET who='nobody'"):
        with pytest.raises(sqlite3.IntegrityError, match="access log"):
            store.db.execute(sql)


def test_retention_takes_what_is_old_and_never_an_open_alert(store: Store) -> None:
    words = Words()
    take(store, words, "alert", words.alert(1), words.alert(2))
    take(store, words, "alert", words.alert(2, version=2, state=AlertState.CLOSED, is_open=False))
    take(store, words, "hb", words.heartbeat())
    take(store, words, "telemetry", words.summary())
    answering.log(store, "someone", "alerts", 1.0)
    retention.retain(store, NOW + 4 * 365 * 86400.0)
    assert [line.alert_id for line in reading.alerts(store, only_open=False)] == [words.alert_id(1)]
    for table in ("heartbeats", "telemetry", "messages", "access"):
        assert store.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
