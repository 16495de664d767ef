"""A hub that was set back makes a version anew: it is news, and nothing of the first is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.contract import messages as wire
from gateway.domain.alert import AlertState, AlertType, Level
from provisioning.centre import answering, reading, retention, tables
from provisioning.centre.intake import Taken
from provisioning.centre.receive import Receiver
from provisioning.centre.routing import Router
from provisioning.centre.scripted import apply
from provisioning.centre.settings import Channel, Rule
from provisioning.centre.store import FILE, Store
from tests.support.broker import TENANT
from tests.support.centre_rig import Words

NOW = 1_800_000_000.0
HOUR = 3600.0
CHANNEL = Channel(area="*", command=["/bin/true"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


def take(store: Store, words: Words, *payloads: bytes, now: float = NOW) -> Taken:
    def wall() -> float:
        return now

    router = Router(store, {}, [CHANNEL], wall=wall, language="en")
    receiver = Receiver(store, TENANT, wall=wall, also=router.alerts)
    topic = f"ansim/v1/{TENANT}/{words.hub}/up/alert"
    (taken,) = receiver.take([(topic, payload) for payload in payloads])
    return taken


def received(taken: Taken) -> list[int]:
    return [
        part.version
        for due in taken.due
        for part in due.receipts
        if isinstance(part, wire.AlertReceipt) and part.state == "received"
    ]


def told(store: Store) -> list[tuple[int, str]]:
    """(version, when it came about) of what the town was told."""
    query = "SELECT version, json_extract(body, '$.alert.at') FROM notices ORDER BY id"
    return [(version, at[14:19]) for version, at in store.db.execute(query)]


def kept(store: Store) -> list[tuple[int, str, int]]:
    """(version, when it came about, late)."""
    query = "SELECT version, at, late FROM every_version ORDER BY version, received, at"
    return [(version, at[14:19], late) for version, at, late in store.db.execute(query)]


def counter(store: Store, name: str = "versions remade") -> int:
    row = store.db.execute("SELECT value FROM counters WHERE name=?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def shown(store: Store) -> tuple[int, int, str, bool]:
    (line,) = reading.alerts(store, only_open=False)
    return line.version, line.level, line.state, line.open


def changed(payload: bytes, **data: Any) -> bytes:
    """The same version in another envelope, with other words in its data."""
    message = json.loads(payload)
    message["id"] = "01KJMYKNC0DD2XTXXCMASJK8H6"
    message["sequence"] = "000000000077"
    message["data"].update(data)
    return json.dumps(message).encode()


ESCALATED: dict[str, Any] = {"version": 2, "state": AlertState.ESCALATED}


@pytest.mark.parametrize("level", [Level.NOTE, Level.EMERGENCY])
def test_a_version_that_was_made_anew_is_kept_told_shown_and_counted(
    store: Store, level: Level
) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    leaf = "event" if level is Level.NOTE else "alert"
    kind = AlertType.AWAY if level is Level.NOTE else AlertType.HELP_BUTTON
    receiver = Receiver(store, TENANT, wall=lambda: NOW)
    topic = f"ansim/v1/{TENANT}/{before.hub}/up/{leaf}"
    for words, at in ((before, 60), (after, 120)):
        payload = words.alert(version=1, level=level, kind=kind, at=at, sequence=1)
        (taken,) = receiver.take([(topic, payload)])
        assert [one.remade for one in taken.fresh] == [words is after]
    assert kept(store) == [(1, "01:00", 0), (1, "02:00", 0)]
    assert reading.alerts(store)[0].at[14:19] == "02:00"
    assert counter(store) == reading.overview(store).remade == 1


def test_the_town_is_told_once_of_each_content(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    first, twin = before.alert(**ESCALATED, at=60), after.alert(**ESCALATED, at=120)
    for _ in range(3):
        for words, payload in ((before, first), (after, twin)):
            assert received(take(store, words, payload)) == [2]
    assert told(store) == [(2, "01:00"), (2, "02:00")]
    assert len(kept(store)) == 2
    assert counter(store) == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"old": True},
        {"sentence_en": "Said otherwise since the update."},
        {"scaip_type": "0099", "cap_severity": None},
        # the same instants, told from another offset
        {"at": "2026-03-01T15:00:01.000+00:00", "raised_at": "2026-03-01T15:00:00.000+00:00"},
    ],
)
def test_the_same_content_in_another_envelope_is_no_news(
    store: Store, data: dict[str, Any]
) -> None:
    words = Words()
    payload = words.alert()
    take(store, words, payload)
    taken = take(store, words, changed(payload, **data))
    assert (taken.new, taken.fresh, received(taken)) == (1, [], [1])
    assert len(told(store)) == len(kept(store)) == 1
    assert counter(store) == 0


@pytest.mark.parametrize(
    "data",
    [
        {"level": 3},
        {"presses": 2},
        {"presses": 10**30},
        {"cause": False},
        {"subject": "help-2"},
        {"because": "pressed again"},
        {"outcome": "true"},
        {"at": "2026-03-02T00:00:02.000+09:00"},
        {"at": "2026-99-99T99:99:99.000+09:00"},
    ],
)
def test_what_matters_to_people_is_news(store: Store, data: dict[str, Any]) -> None:
    words = Words()
    payload = words.alert()
    take(store, words, payload)
    taken = take(store, words, changed(payload, **data))
    assert len(taken.fresh) == counter(store) == 1
    assert received(taken) == [1]


def test_even_under_the_same_message_id_another_content_is_news(store: Store) -> None:
    """A clock that was set back with the journal gives the same id to another press."""
    words = Words()
    payload = words.alert()
    take(store, words, payload)
    taken = take(store, words, payload.replace(b'"subject":""', b'"subject":"help-2"'))
    assert (taken.new, len(taken.fresh), received(taken)) == (0, 1, [1])
    assert counter(store) == 1


def test_a_hub_that_went_back_behind_what_is_shown_is_shown_as_it_now_is(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    for version in (1, 2, 3):
        take(store, before, before.alert(version=version))
    closed = before.alert(version=4, state=AlertState.CLOSED, is_open=False)
    take(store, before, closed)
    take(store, after, after.alert(**ESCALATED, level=Level.ALARM, at=HOUR))
    assert shown(store) == (2, 3, "escalated", True)
    # what came before comes again: it has no say any more
    assert take(store, after, changed(closed)).fresh == []
    assert shown(store) == (2, 3, "escalated", True)
    # it goes on, over numbers that are taken and beyond them
    for version in (3, 4, 5):
        taken = take(store, after, after.alert(version=version, at=HOUR + version))
        assert len(taken.fresh) == 1
        assert shown(store)[0] == version
    assert counter(store) == 3


def test_after_a_second_setback_the_newest_branch_is_shown_whatever_its_clock_says(
    store: Store,
) -> None:
    runs = [Words(boot=f"b000000{n}-1") for n in (1, 2, 3)]
    for version in (1, 2, 3, 4):
        take(store, runs[0], runs[0].alert(version=version))
    for version in (2, 3):
        take(store, runs[1], runs[1].alert(version=version, at=HOUR))
    taken = take(store, runs[2], runs[2].alert(version=2, at=-HOUR))
    assert len(taken.fresh) == 1
    assert shown(store)[0] == 2


def test_within_one_run_the_highest_version_wins_as_ever(store: Store) -> None:
    """The highest level is sent first, and what it overtook is history."""
    before, after = Words(), Words(boot="b0000002-1")
    for version in (1, 2, 3):
        take(store, before, before.alert(version=version))
    take(store, after, after.alert(version=3, at=HOUR + 3))
    taken = take(store, after, after.alert(**ESCALATED, at=HOUR + 2))
    assert (taken.fresh, received(taken)) == ([], [2])
    assert shown(store)[0] == 3
    assert [late for version, _, late in kept(store) if version == 2] == [0, 1]
    assert counter(store) == 2


def test_people_can_answer_again_and_with_a_version_that_the_hub_knows(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    for version in (1, 2, 3):
        take(store, before, before.alert(version=version))
    alert_id = before.alert_id()
    answering.give(store, alert_id, "accepted", by="op-1", now=NOW)
    answering.give(store, alert_id, "closed", by="op-1", now=NOW, outcome="test")
    take(store, after, after.alert(version=2, at=HOUR), now=NOW + HOUR)
    assert answering.claim(store, NOW + HOUR, 10) == []  # those were about another press
    (line,) = reading.alerts(store)
    assert (line.accepted, line.closed, line.outcome, line.pending) == (None, None, None, None)
    assert answering.give(store, alert_id, "accepted", by="op-2", now=NOW + HOUR + 1).version == 2
    # the home's word that it knows: its number was taken too
    take(
        store,
        after,
        after.alert(version=3, state=AlertState.ACCEPTED, at=HOUR + 9),
        now=NOW + HOUR + 9,
    )
    (line,) = reading.alerts(store)
    assert (line.state, line.accepted_by, line.pending) == ("accepted", "op-2", None)
    # nothing of what was said is gone
    said = store.db.execute("SELECT state, by, result FROM answers ORDER BY id").fetchall()
    assert said == [
        ("accepted", "op-1", "the hub was set back"),
        ("closed", "op-1", "the hub was set back"),
        ("accepted", "op-2", "took effect"),
    ]


def test_a_closing_of_before_does_not_hold_when_the_newest_version_came_first(
    store: Store,
) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    for version in (1, 2):
        take(store, before, before.alert(version=version))
    answering.give(store, before.alert_id(), "closed", by="op", now=NOW, outcome="test")
    take(store, after, after.alert(version=3, at=HOUR + 3), now=NOW + 10)
    take(store, after, after.alert(version=2, at=HOUR + 2), now=NOW + 11)
    assert shown(store)[0] == 3
    answering.give(store, before.alert_id(), "closed", by="op", now=NOW + 12, outcome="true")
    # that one was about what is shown: what comes late does not undo it
    take(store, after, after.alert(version=1, at=HOUR + 1), now=NOW + 13)
    (line,) = reading.alerts(store)
    assert (line.outcome, line.pending) == ("true", "closed")


def test_a_row_that_has_rotted_holds_nothing_up(store: Store) -> None:
    words = Words()
    payload = words.alert()
    take(store, words, payload)
    store.db.execute("UPDATE alert_versions SET body='{\"alert'")
    for again in (changed(payload), payload):
        assert received(take(store, words, again)) == [1]
    assert len(told(store)) == 2


def test_a_rule_sees_the_level_of_a_version_made_anew(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    take(store, before, before.alert(level=Level.WARNING))
    take(store, after, after.alert(level=Level.ALARM, at=HOUR))
    assert apply(store, [Rule(do="accept", level=3)], NOW) == 1


def test_a_home_whose_hub_was_set_back_is_named(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    take(store, before, before.alert())
    take(store, after, after.alert(at=HOUR))
    assert [home.remade for home in reading.homes(store)] == [1]


def test_what_was_kept_beside_goes_with_its_alert(store: Store) -> None:
    before, after = Words(), Words(boot="b0000002-1")
    take(store, before, before.alert(1), before.alert(2))
    take(store, after, after.alert(1, at=HOUR), after.alert(2, at=HOUR, is_open=False))
    retention.retain(store, NOW + 4 * 365 * 86400.0)
    left = store.db.execute("SELECT alert_id FROM alert_twins").fetchall()
    assert left == [(before.alert_id(1),)]  # open: kept however old it is


def test_a_store_of_before_opens_and_an_older_program_can_still_use_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.executescript(tables.TABLES)
        db.execute("PRAGMA user_version=1")
        db.execute(
            "INSERT INTO alerts (hub, alert_id, version, type, level, state, open, raised_at, at, "
            "first_received, received, body) VALUES ('h','a',1,'x',4,'raised',1,'','',0,0,'{}')"
        )
        db.commit()
    for _ in range(2):
        store = Store.open(tmp_path)
        assert store.db.execute("SELECT alert_id, bootid FROM alerts").fetchall() == [("a", None)]
        assert store.db.execute("SELECT count(*) FROM every_version").fetchone() == (0,)
        assert store.db.execute("PRAGMA user_version").fetchone() == (1,)
        store.close()
