"""Test whether one bad item, or a disk without room, ever keeps an alarm from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.alert import Alert, AlertState, AlertType
from gateway.domain.decisions import Decisions
from gateway.domain.errors import JournalError
from gateway.domain.observation import Pressed, Switched
from gateway.journal import Journal
from gateway.journal.opening import Recovered
from gateway.journal.reserve import STEP
from gateway.journal.shedding import shed
from gateway.runtime.storing import store
from tests.support.disks import fill, small_disk
from tests.support.hubs import RunningHub
from tests.support.journals import (
    NOON,
    alert,
    alerting,
    observation,
    observations,
    opened,
    summary,
    summing,
)

POISON = Switched("\ud800", on=True)


def test_a_bad_observation_does_not_hold_up_the_alert_beside_it(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        said = [*observations(1, 40), observation(41, POISON), observation(42, Pressed("help"))]
        done = store(journal, said, alerting(alert()), {"hub:up": 3}, NOON)
        assert (done.left, done.trouble, done.refused) == ((), None, 1)
        assert journal.alert(alert().id) == alert()
        assert [o.sequence for o in journal.observations()] == [*range(1, 41), 42]
        assert journal.counter("hub:up") == 3
        assert journal.quarantined == {"commit": 1}


def test_a_bad_counter_holds_up_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        done = store(journal, observations(1, 2), alerting(alert()), {"hub:up": 2**80}, NOON)
        assert done.refused == 1
        assert journal.alert(alert().id) == alert()


def test_an_alert_that_cannot_be_stored_as_it_is_is_stored_without_what_is_wrong(
    tmp_path: Path,
) -> None:
    bad = msgspec.structs.replace(alert("bad"), subject="\ud800", presses=2**70)
    with opened(tmp_path) as journal:
        done = store(journal, [], alerting(bad, alert("good")), {}, NOON)
        assert done.refused == 0
        stored = journal.alert(bad.id)
        assert stored is not None
        assert (stored.level, stored.subject) == (bad.level, "?")
        assert journal.alert(alert("good").id) == alert("good")


@given(
    bad=st.sets(st.integers(1, 30)),
    alerts=st.lists(st.integers(1, 30), unique=True, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_whichever_items_are_bad_all_others_are_stored(
    tmp_path_factory: pytest.TempPathFactory, bad: set[int], alerts: list[int]
) -> None:
    said = [observation(n, POISON if n in bad else None) for n in range(1, 31)]
    made = [alert(str(n), seconds=float(n)) for n in alerts]
    with opened(tmp_path_factory.mktemp("j")) as journal:
        done = store(journal, said, [*alerting(*made), *summing(summary())], {}, NOON)
        assert done.refused == len(bad)
        assert {o.sequence for o in journal.observations()} == set(range(1, 31)) - bad
        assert {
            r.message for r in journal.waiting("alert", 99) if isinstance(r.message, Alert)
        } >= {*made}
        assert len(journal.waiting("record")) == 1


def test_what_is_shed_comes_with_its_counters_and_fills_its_gap_later(tmp_path: Path) -> None:
    fire = observation(4, Switched("smoke", on=True), counter=8)
    said = [observation(2, counter=20), observation(3, Pressed("help")), fire]
    said.append(observation(5, counter=21))
    alarm = msgspec.structs.replace(alert(), at=fire.at)
    parted = shed(said, [*alerting(alarm), *summing(summary())])
    assert [o.sequence for o in parted.observations] == [3, 4]
    assert [o.sequence for o in parted.left] == [2, 5]
    assert parted.counters == {"sensor:s1": 21, "sensor:smoke": 8}
    with opened(tmp_path) as journal:
        journal.commit([observation(1, counter=19)])
        journal.commit_alarms(said, alerting(alarm))
        assert journal.counter("sensor:s1") == 21
    with opened(tmp_path) as journal:
        assert journal.counter("sensor:s1") == 21
        journal.commit(parted.left)
        assert [o.sequence for o in journal.observations()] == [1, 2, 3, 4, 5]
        assert journal.counter("sensor:s1") == 21
    with opened(tmp_path) as journal:
        assert journal.counter("sensor:s1") == 21
        assert list(journal.observations())[1:] == said


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    with small_disk(tmp_path / "small", "3m") as disk:
        yield disk


def read_until_full(journal: Journal) -> None:
    """Not at once: the log has some room of its own."""
    while True:
        journal.commit(observations(journal.last_sequence + 1, 100))


def test_the_reserve_is_for_alarms_alone(small: Path) -> None:
    with opened(small / "data") as journal:
        held = journal.reserve.size
        assert held >= 2 * STEP
        journal.commit(observations(1, 100))
        fill(small)
        with pytest.raises(JournalError) as error:
            read_until_full(journal)
        assert error.value.reason in {"full", "io"}
        assert journal.reserve.size == held
        n = journal.last_sequence + 1
        stored = 0
        while journal.reserve.size:
            parted = journal.commit_alarms(observations(n, 5), alerting(alert(str(stored))))
            assert len(parted.left) >= 4
            stored += 1
            fill(small)  # whatever is given is snatched by others
            assert stored < 10_000
        assert stored >= 50
        assert len(journal.waiting("alert", 20_000)) == stored
        (small / "filler").unlink()
        journal.commit(observations(n, 5))
        journal.retain(NOON)
        assert journal.reserve.size >= 2 * STEP


async def test_a_hub_on_a_full_disk_still_alarms_and_tells_the_centre(small: Path) -> None:
    async with RunningHub(small / "data") as home:
        filler = fill(small)
        n = 0
        while "storage" not in home.hub.faults:
            for _ in range(400):
                home.hub.offer(Switched("hall", on=True))
            await home.clock.advance(61)
            n += 1
            assert n < 200
        home.hub.offer(Pressed("button"))
        await home.clock.advance(1)
        types = [one.type for one in home.told]
        assert AlertType.TECH_STORAGE in types
        assert AlertType.HELP_BUTTON in types
        assert home.hub.watch().watching, "alarms have room"
        assert home.hub.counters["commits-without-readings"] >= 1
        accepted = home.hub.sequence
        filler.unlink()
        await home.clock.advance(61)
        assert "storage" not in home.hub.faults
        last = [one for one in home.told if one.type is AlertType.TECH_STORAGE][-1]
        assert last.state is AlertState.CLEARED
        assert [o.sequence for o in home.journal.observations()][-1] >= accepted
        assert len(list(home.journal.observations())) == home.journal.last_sequence


async def test_without_any_room_the_hub_says_that_it_does_not_watch(small: Path) -> None:
    async with RunningHub(small / "data") as home:
        (small / "data" / "journal.reserve").unlink()
        filler = fill(small)
        n = 0
        while home.hub.watch().watching:
            home.hub.offer(Pressed("button"))
            await home.clock.advance(2)
            n += 1
            assert n < 20_000
        assert "storage" in home.hub.watch().reasons
        filler.unlink()
        await home.clock.advance(61)
        assert home.hub.watch().watching
        assert home.journal.last_sequence == home.hub.sequence


async def test_a_journal_that_is_damaged_while_the_hub_runs_begins_anew_and_is_told(
    tmp_path: Path,
) -> None:
    async with RunningHub(tmp_path) as home:
        for _ in range(5000):
            home.hub.offer(Switched("hall", on=True))
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        call = home.told[-1]
        await home.stop()
        now = home.clock.now().boottime - 1000.0
    async with RunningHub(tmp_path, at=now + 1) as home:
        new: list[str] = []
        home.hub.on_new_journal = lambda: new.append(home.journal.journal_id)
        before = home.journal.journal_id
        with (tmp_path / "journal.db").open("r+b") as file:
            file.seek(200 * 512)
            file.write(bytes(512))
        with pytest.raises(JournalError):
            list(home.journal.observations())
        await home.clock.advance(200)
        assert new == [home.journal.journal_id] != [before]
        assert home.hub.watch().watching
        assert [a.type for a in home.told].count(AlertType.JOURNAL_RECOVERED) == 2
        assert home.hub.counters["journal-recovered"] == 1
        assert call.id in {
            r.message.id for r in home.journal.waiting() if isinstance(r.message, Alert)
        }
        now = home.clock.now().boottime - 1000.0
    async with RunningHub(tmp_path, at=now + 1, boot="kernel-2") as again:
        assert again.restored.snapshot
        assert call.id in {one.id for one in again.hub.engine.open_alerts()}
        assert [one for one in again.told if one.type is AlertType.JOURNAL_RECOVERED] == []


async def test_a_new_journal_whose_reads_fail_is_told_to_the_link_and_gets_every_open_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: str) -> None:
        raise JournalError("The journal cannot be read.", reason="io")

    async with RunningHub(tmp_path / "data") as home:
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        call = home.told[-1]
        told: list[str] = []
        home.hub.on_new_journal = lambda: told.append("link")
        home.told.clear()
        home.hub.listeners.clear()  # the rig's own listener reads
        home.hub.listeners.append(home.told.extend)
        monkeypatch.setattr(home.journal, "recovered", Recovered("damaged", tmp_path / "x-1"))
        monkeypatch.setattr(home.journal, "alert", fails)
        home.hub.offer(Switched("hall", on=True))
        await home.clock.advance(61)
        assert told == ["link"]
        assert call.id in {one.id for one in home.told}, "committed again; a second time is none"
        assert AlertType.JOURNAL_RECOVERED in {one.type for one in home.told}
        monkeypatch.undo()
        assert home.hub.watch().watching
        waiting = [r.message for r in home.journal.waiting("alert")]
        assert waiting.count(call) == 1


def test_decisions_of_nothing_are_nothing(tmp_path: Path) -> None:
    assert shed([], [Decisions()]).empty
    with opened(tmp_path) as journal:
        assert store(journal, [], [Decisions()], {}, NOON).left == ()
