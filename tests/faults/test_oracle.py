"""Test whether the oracle fails when it must: what never fails proves nothing."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from tests.faults.oracle import CentreBook, HubBook, Ledger, Verdict, Version, account

ONE, TWO = Version("A1", 1, 4, True), Version("A2", 1, 4, True)
AGAIN = Version("A1", 2, 4, True)
NOTE = Version("N1", 1, 0, True)

LEDGER = Ledger({"help_00": "A1"}, {"help_01"})
HUB = HubBook(
    (ONE, AGAIN, TWO, NOTE),
    {"A1": "help_00", "A2": "help_01", "N1": ""},
    pressed=Counter(help_00=1, help_01=1),
)
CENTRE = CentreBook((ONE, AGAIN, TWO, NOTE), 3, Counter({("A1", 1): 1, ("A2", 1): 1}))


def told(ledger: Ledger = LEDGER, hub: HubBook = HUB, centre: CentreBook = CENTRE) -> Verdict:
    return account(ledger, hub, centre)


def test_a_good_run_is_good() -> None:
    verdict = told()
    assert (verdict.bad, verdict.accepted, verdict.presses) == (0, 4, 1)


def test_a_lost_alert_is_found() -> None:
    verdict = told(centre=replace(CENTRE, alerts=(ONE, AGAIN), messages=2))
    assert (verdict.lost, verdict.bad) == (1, 1)
    assert "A2" in verdict.cases[0]


def test_a_lost_version_is_found() -> None:
    assert told(centre=replace(CENTRE, alerts=(ONE, TWO))).lost == 1


def test_an_acknowledged_press_that_no_journal_holds_is_lost() -> None:
    ledger = Ledger({"help_00": "A1", "help_02": "A9"})
    assert told(ledger=ledger).lost == 1


def test_a_press_in_the_history_without_an_alert_is_lost() -> None:
    ledger = Ledger({"help_00": "A1"}, {"help_01", "help_02"})
    hub = replace(HUB, pressed=Counter(help_00=1, help_01=1, help_02=1))
    assert told(ledger=ledger, hub=hub).lost == 1


def test_an_alert_that_waits_and_that_no_outbox_holds_is_lost() -> None:
    assert told(hub=replace(HUB, stranded=frozenset({("A2", 1)}))).lost == 1


def test_a_number_that_never_came_is_lost() -> None:
    assert told(centre=replace(CENTRE, gaps=1)).lost == 1


def test_a_press_that_made_two_alerts_is_doubled() -> None:
    twin = Version("A3", 1, 4, True)
    hub = replace(HUB, alerts=(*HUB.alerts, twin), subjects={**HUB.subjects, "A3": "help_01"})
    centre = replace(CENTRE, alerts=(*CENTRE.alerts, twin), messages=4)
    verdict = told(hub=hub, centre=centre)
    assert (verdict.doubled, verdict.bad) == (1, 1)


def test_a_version_under_two_message_ids_is_doubled() -> None:
    assert told(centre=replace(CENTRE, messages=4)).doubled == 1


def test_a_town_that_was_told_twice_is_doubled() -> None:
    assert told(centre=replace(CENTRE, notices=Counter({("A1", 1): 2}))).doubled == 1


def test_a_forged_alert_is_found() -> None:
    forged = Version("F1", 1, 4, True)
    verdict = told(centre=replace(CENTRE, alerts=(*CENTRE.alerts, forged), messages=4))
    assert (verdict.forged, verdict.bad) == (1, 1)


def test_an_alert_with_another_content_is_forged() -> None:
    other = TWO._replace(level=1)
    assert told(centre=replace(CENTRE, alerts=(ONE, AGAIN, other))).forged == 1


def test_figures_of_runs_add_up_and_name_what_was_wrong() -> None:
    total = Verdict()
    total.add(told())
    total.add(told(centre=replace(CENTRE, alerts=(), messages=0)))
    assert (total.accepted, total.lost) == (8, 3)
    assert len(total.cases) == 3
