"""The core: one queue, one commit, and only then is anybody told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.domain.alert import AlertState, AlertType, Outcome
from gateway.domain.errors import JournalError
from gateway.domain.household import Household
from gateway.domain.instant import HOUR
from gateway.domain.observation import AnswerState, CentreAnswered, Heard, Pressed, Switched
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.engine.engine import Engine
from gateway.runtime import hub as core
from tests.support.hubs import HOUSEHOLD, SENSORS, RunningHub


def motion(sensor: str = "hall") -> Switched:
    return Switched(sensor, on=True)


async def test_a_press_is_on_disk_and_told_at_once(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.HELP_BUTTON]
        assert home.journal.stats().waiting_alerts == 1


async def test_routine_waits_for_its_batch_but_never_longer_than_a_minute(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        before = home.journal.last_sequence
        home.hub.offer(motion())
        await home.clock.advance(59)
        assert home.journal.last_sequence == before
        await home.clock.advance(1)
        assert home.journal.last_sequence == before + 1


async def test_an_alarm_takes_the_waiting_routine_along(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(motion())
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert home.journal.last_sequence == home.hub.sequence


async def test_a_silence_alerts_without_any_further_observation(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(motion())
        await home.hours(8.1)
        watch = next(a for a in home.told if a.type is AlertType.INACTIVITY_WATCH)
        assert watch.at.wall - home.told[0].at.wall <= 8 * 3600 + 1


async def test_nobody_is_told_while_the_disk_refuses_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunningHub(tmp_path) as home:
        commit = home.journal.commit
        refusals = 0

        def full(*args: object, **kwargs: object) -> None:
            nonlocal refusals
            refusals += 1
            raise JournalError("The disk is full: free some space.", reason="full")

        monkeypatch.setattr(home.journal, "commit", full)
        home.hub.offer(motion())
        home.hub.offer(Pressed("button"))
        await home.clock.advance(30)
        assert refusals >= 3
        assert not home.told
        watch = home.hub.watch()
        assert not watch.watching
        assert "storage" in watch.reasons
        monkeypatch.setattr(home.journal, "commit", commit)
        await home.clock.advance(61)
        types = [alert.type for alert in home.told]
        assert AlertType.HELP_BUTTON in types
        assert AlertType.TECH_STORAGE in types
        assert home.journal.last_sequence == home.hub.sequence
        assert home.hub.watch().watching
        last = [a for a in home.told if a.type is AlertType.TECH_STORAGE][-1]
        assert last.state is AlertState.CLEARED


async def test_a_press_waits_for_no_retry_and_the_watch_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full and has room again: nobody lies on the floor for a minute's backoff."""
    async with RunningHub(tmp_path) as home:
        commit = home.journal.commit

        def full(*args: object, **kwargs: object) -> None:
            raise JournalError("The disk is full: free some space.", reason="full")

        looks: list[bool] = []
        home.hub.listeners.append(lambda _alerts: looks.append(home.hub.watch().watching))
        monkeypatch.setattr(home.journal, "commit", full)
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert looks[-1:] == [False]
        await home.clock.advance(200)  # the wait for the next try has grown to a minute
        monkeypatch.setattr(home.journal, "commit", commit)
        await home.hub.accept(Pressed("button"))
        assert AlertType.HELP_BUTTON in [alert.type for alert in home.told]
        assert home.hub.watch().watching


async def test_an_answer_of_the_centre_counts_once_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        answer = CentreAnswered(home.told[0].id, AnswerState.ACCEPTED, by="duty")
        await home.hub.accept(answer)
        assert home.told[-1].state is AlertState.ACCEPTED

        def full(*args: object, **kwargs: object) -> None:
            raise JournalError("The disk is full: free some space.", reason="full")

        monkeypatch.setattr(home.journal, "commit", full)
        with pytest.raises(JournalError):
            await home.hub.accept(answer)


async def test_a_flood_is_dropped_and_counted_but_no_press_is(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        for _ in range(core.QUEUE_MOST + 500):
            home.hub.offer(motion())
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert home.hub.counters["queue-dropped"] == 500
        assert home.told[-1].type is AlertType.HELP_BUTTON


async def test_an_engine_that_fails_at_one_observation_goes_on_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunningHub(tmp_path) as home:
        step = Engine.step

        def fails(engine: Engine, observation: object) -> object:
            if getattr(observation, "what", None) == motion("fridge"):
                raise ZeroDivisionError
            return step(engine, observation)  # type: ignore[arg-type]

        monkeypatch.setattr(Engine, "step", fails)
        home.hub.offer(motion("fridge"))
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert home.hub.counters["engine-failures"] == 1
        assert home.told[-1].type is AlertType.HELP_BUTTON


async def test_a_listener_that_fails_does_not_keep_the_news_from_the_others(tmp_path: Path) -> None:
    def fails(_alerts: object) -> None:
        raise ZeroDivisionError

    async with RunningHub(tmp_path) as home:
        home.hub.listeners.insert(0, fails)
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert home.told[-1].type is AlertType.HELP_BUTTON
        assert home.hub.counters["listener-failures"] == 1


@pytest.mark.parametrize("clean", [True, False], ids=["clean end", "kill"])
async def test_the_inactivity_clock_survives_a_restart(tmp_path: Path, clean: bool) -> None:
    async with RunningHub(tmp_path / "undisturbed") as home:
        home.hub.offer(motion())
        await home.hours(9)
        undisturbed = silences(home)
    async with RunningHub(tmp_path / "restarted") as home:
        home.hub.offer(motion())
        await home.hours(5)
        if clean:
            await home.stop()
        now = home.clock.now().boottime - 1000.0
    async with RunningHub(tmp_path / "restarted", at=now + 60, boot="kernel-2") as again:
        assert again.restored.snapshot
        await again.hours(3.98)
        assert silences(again) == undisturbed


def silences(home: RunningHub) -> list[float | None]:
    return [a.quiet.silence for a in home.told if a.type is AlertType.INACTIVITY_WATCH]


@pytest.mark.parametrize("snapshot", [True, False])
async def test_a_restored_engine_equals_a_rebuilt_one(tmp_path: Path, snapshot: bool) -> None:
    async with RunningHub(tmp_path) as home:
        for minute in range(90):
            home.hub.offer(motion("hall" if minute % 3 else "fridge"))
            await home.clock.advance(37)
        home.hub.offer(Pressed("button"))
        await home.hours(9)
        told = {(a.id, a.version) for a in home.told}
        now = home.clock.now().boottime - 1000.0
        open_before = {a.id: a.version for a in home.hub.engine.open_alerts()}
    if not snapshot:
        (tmp_path / "snapshot").unlink()
    async with RunningHub(tmp_path, at=now + 1, boot="kernel-2") as again:
        assert again.restored.snapshot is snapshot
        assert {a.id: a.version for a in again.hub.engine.open_alerts()} == open_before
        assert not {(a.id, a.version) for a in again.told} - told
        stats = again.journal.stats()
        assert stats.alert_head == len(told)


async def test_no_summary_comes_twice_over_a_kill(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(motion())
        await home.hours(0.5)
        records = home.journal.stats().record_head
        now = home.clock.now().boottime - 1000.0
    assert records == 1
    (tmp_path / "snapshot").unlink(missing_ok=True)
    async with RunningHub(tmp_path, at=now + 1, boot="kernel-2") as again:
        await again.hours(0.5)
        assert again.journal.stats().record_head == records


async def test_commits_beside_the_loop_tell_the_same(tmp_path: Path) -> None:
    async with RunningHub(tmp_path, household=HOUSEHOLD, beside=True) as home:
        home.hub.offer(motion())
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        assert [alert.type for alert in home.told] == [AlertType.HELP_BUTTON]
        await home.stop()
        assert home.journal.last_sequence == home.hub.sequence


async def test_another_list_of_sensors_does_not_bring_old_alerts_back(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(motion())
        home.hub.offer(Pressed("button"))
        await home.clock.settle()
        alert_id = home.told[-1].id
        answer = CentreAnswered(alert_id, AnswerState.CLOSED, "duty", Outcome.TEST, "phone")
        await home.hub.accept(answer)
        await home.hours(2)
        await home.stop()
        now = home.clock.now().boottime - 1000.0
    added = Sensor("bath", Kind.MOTION, Room.BATH, Supervision.BEACON, 60.0)
    kept = tuple(sensor for sensor in SENSORS if sensor.id != "fridge")
    changed = Household("hub-test", (added, *kept))
    async with RunningHub(tmp_path, at=now + 60, boot="kernel-2", household=changed) as again:
        assert again.restored.snapshot
        assert not again.told
        assert set(again.hub.watch().sensors) == {"bath", *(s.id for s in kept)}
        again.hub.offer(motion("bath"))
        await again.hours(2.5)
        assert [(a.type, a.subject) for a in again.told] == [(AlertType.TECH_SENSOR_LOST, "bath")]


async def test_what_was_about_a_sensor_that_was_taken_away_is_over(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(Switched("door", on=True))
        await home.hours(2)
        assert home.told[-1].type is AlertType.DOOR_OPEN_LONG
        await home.stop()
        now = home.clock.now().boottime - 1000.0
    changed = Household("hub-test", tuple(s for s in SENSORS if s.id != "door"))
    async with RunningHub(tmp_path, at=now + 60, boot="kernel-2", household=changed) as again:
        await again.clock.settle()
        assert [(a.type, a.state, a.because) for a in again.told] == [
            (AlertType.DOOR_OPEN_LONG, AlertState.CLEARED, "removed")
        ]
        assert [a.type for a in again.hub.engine.open_alerts()] == [AlertType.AWAY]


async def test_a_hub_whose_engine_fails_does_not_claim_to_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    async with RunningHub(tmp_path) as home:
        assert home.hub.watch().watching
        monkeypatch.setattr(home.hub.engine, "step", fails)
        home.hub.offer(motion())
        await home.clock.settle()
        assert (home.hub.watch().watching, home.hub.watch().reasons) == (False, ("engine",))
        monkeypatch.undo()
        home.hub.offer(motion())
        await home.clock.settle()
        assert home.hub.watch().watching


async def test_what_new_limits_decide_about_the_past_is_told(tmp_path: Path) -> None:
    async with RunningHub(tmp_path) as home:
        home.hub.offer(motion())
        await home.hours(4.0)
        home.hub.offer(Heard("hall"))
        await home.hours(0.1)
        assert not home.told
        now = home.clock.now().boottime - 1000.0
    (tmp_path / "snapshot").unlink(missing_ok=True)
    stricter = msgspec.structs.replace(HOUSEHOLD, ceilings=(3 * HOUR, 10 * HOUR, 24 * HOUR))
    async with RunningHub(tmp_path, at=now + 60, boot="kernel-2", household=stricter) as again:
        await again.hours(0.1)
        assert [int(alert.level) for alert in again.told] == [1]
