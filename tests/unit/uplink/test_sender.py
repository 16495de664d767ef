"""What a session sends while the journal cannot be read, and as soon as it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.errors import JournalError
from gateway.uplink.path import JOURNAL_PAUSE
from tests.support.journals import alert, alerting, opened, summary, summing
from tests.support.lone_uplink import LoneUplink, OpenSession, unreadable

NOW = 1000.0


def greeted(lone: LoneUplink) -> OpenSession:
    session = OpenSession()
    lone.sender.greet(session.session, renewed=False)
    lone.sender.send(session.session, NOW)
    session.sent.clear()
    return session


async def test_an_alert_whose_first_read_failed_goes_out_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = greeted(lone)
        journal.commit([], alerting(alert()))
        lone.uplink.wake()
        with unreadable(journal, monkeypatch), pytest.raises(JournalError):
            lone.sender.send(session.session, NOW)
        assert session.sent == []
        lone.sender.send(session.session, NOW + JOURNAL_PAUSE)
        assert ("alert", 1) in session.sent


async def test_a_read_that_fails_makes_no_alert_that_was_sent_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        journal.commit([], alerting(alert()))
        lone = LoneUplink(journal)
        session = greeted(lone)
        lone.sender.landed(("alert", 1), taken=True)
        await lone.clock.advance(100)
        lone.uplink.wake()
        with unreadable(journal, monkeypatch), pytest.raises(JournalError):
            lone.sender.look()
        assert lone.sender.unanswered() == 1
        assert lone.uplink.unreceived_for == 1000.0, "it is as old as it is"
        assert session.sent == []


async def test_records_that_cannot_be_read_hold_up_no_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = greeted(lone)
        journal.commit([], [*alerting(alert()), *summing(summary())])
        lone.uplink.wake()
        waiting = journal.waiting

        def only_alerts(lane: str | None = None, limit: int = 100) -> object:
            if lane != "alert":
                raise JournalError("The records cannot be read.", reason="io")
            return waiting(lane, limit)

        with monkeypatch.context() as patched:
            patched.setattr(journal, "waiting", only_alerts)
            with pytest.raises(JournalError):
                lone.sender.send(session.session, NOW)
        assert session.sent == [("alert", 1)]
        lone.sender.send(session.session, NOW + JOURNAL_PAUSE)
        assert ("record", 1) in session.sent


async def test_a_snapshot_whose_read_failed_is_told_as_soon_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise JournalError("The journal cannot be read.", reason="io")

    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = OpenSession()
        lone.sender.greet(session.session, renewed=False)
        with monkeypatch.context() as patched:
            patched.setattr(journal, "alarms", fails)
            with pytest.raises(JournalError):
                lone.sender.send(session.session, NOW)
        lone.sender.send(session.session, NOW + JOURNAL_PAUSE)
        assert "alarms" in session.sent


async def test_a_heartbeat_goes_out_while_nothing_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as journal:
        lone = LoneUplink(journal)
        session = greeted(lone)
        with unreadable(journal, monkeypatch):
            lone.sender.beat(session.session, NOW + 400)
        assert session.sent == ["hb"]
