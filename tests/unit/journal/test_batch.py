"""Test whether a batch is committed at once when somebody may wait for it, else within a minute."""

from __future__ import annotations

import pytest

from gateway.domain.alert import Level
from gateway.domain.decisions import Decisions
from gateway.domain.observation import (
    AnswerState,
    Booted,
    CentreAnswered,
    HubFault,
    PauseStarted,
    Pressed,
    VisitStarted,
    What,
)
from gateway.journal import Batch
from tests.support.journals import alert, observation, summary

QUIET = Decisions()


def test_a_reading_waits_at_most_a_minute_after_the_first() -> None:
    batch = Batch()
    assert not batch.ready(1e9)
    assert not batch.add(observation(1), QUIET, 100.0)
    assert not batch.add(observation(2), QUIET, 150.0)
    assert batch.due == 160.0
    assert not batch.ready(159.9)
    assert batch.ready(160.0)
    assert batch.take().observations == (observation(1), observation(2))
    assert len(batch) == 0
    assert not batch.ready(1e9)


@pytest.mark.parametrize("level", list(Level))
def test_an_alert_is_committed_at_once_with_all_that_waits(level: Level) -> None:
    batch = Batch()
    batch.add(observation(1), QUIET, 0.0)
    said = Decisions(alerts=(alert(level=level),))
    assert batch.add(observation(2), said, 1.0)
    taken = batch.take()
    assert taken.observations == (observation(1), observation(2))
    assert taken.decisions == (said,)


def test_an_alert_of_a_tick_is_committed_at_once() -> None:
    assert Batch().add(None, Decisions(alerts=(alert(),)), 0.0)


def test_a_tick_that_says_nothing_begins_no_batch() -> None:
    batch = Batch()
    assert not batch.add(None, QUIET, 0.0)
    assert batch.due is None


def test_a_summary_waits_like_a_reading() -> None:
    batch = Batch()
    assert not batch.add(None, Decisions(summaries=(summary(),)), 5.0)
    assert batch.due == 65.0


@pytest.mark.parametrize(
    "what",
    [
        Pressed("help"),
        Booted("1.0"),
        PauseStarted(3600.0),
        VisitStarted("nurse"),
        HubFault("storage", present=True),
        CentreAnswered("id", AnswerState.ACCEPTED),
    ],
)
def test_what_a_person_did_is_committed_at_once(what: What) -> None:
    assert Batch().add(observation(1, what), QUIET, 0.0)


def test_many_readings_do_not_pile_up() -> None:
    batch = Batch(most=3)
    assert [batch.add(observation(n), QUIET, 0.0) for n in (1, 2, 3)] == [False, False, True]


def test_after_a_failed_commit_nothing_is_forgotten_and_the_order_stays() -> None:
    batch = Batch()
    batch.add(observation(1), Decisions(alerts=(alert(),)), 10.0)
    taken = batch.take()
    assert not batch.add(observation(2), QUIET, 11.0)
    batch.put_back(taken)
    assert batch.ready(11.0)
    assert batch.due == 70.0
    again = batch.take()
    assert again.observations == (observation(1), observation(2))
    assert again.decisions == taken.decisions
