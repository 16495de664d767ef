"""Test whether the oracle fails when it must: what never fails proves nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.contract import samples
from gateway.domain.alert import Quiet
from gateway.domain.decisions import Decisions
from gateway.journal import Journal
from provisioning.centre.receive import Receiver
from provisioning.centre.store import Store
from tests.faults.books import centre_book, hub_book
from tests.faults.oracle import CentreBook, HubBook, Ledger, Verdict, Version, account
from tests.support.broker import TENANT
from tests.support.centre_rig import Words

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


def test_a_version_that_came_with_another_content_is_lost_and_what_is_there_is_forged() -> None:
    """As of a hub that was set back: the second press under the number of the first."""
    pressed_again = TWO._replace(said='{"because":"pressed again"}')
    pressed = TWO._replace(said='{"because":"pressed"}')
    hub = replace(HUB, alerts=(ONE, AGAIN, pressed_again))
    verdict = told(hub=hub, centre=replace(CENTRE, alerts=(ONE, AGAIN, pressed)))
    assert (verdict.lost, verdict.forged, verdict.bad) == (1, 1, 2)
    # a centre that has both lost nothing, and says itself that one is in no journal
    both = replace(CENTRE, alerts=(ONE, AGAIN, pressed, pressed_again), messages=4)
    verdict = told(hub=hub, centre=both)
    assert (verdict.lost, verdict.forged, verdict.doubled) == (0, 1, 0)


def test_what_a_side_no_longer_holds_is_not_compared() -> None:
    here = (*HUB.alerts[:2], TWO._replace(said='{"because":"pressed"}'))
    assert told(hub=replace(HUB, alerts=here)).bad == 0


def test_the_books_hold_all_that_a_version_says(tmp_path: Path) -> None:
    """Of the same alert both say the same, however it was sent; of another, another."""
    words, alert = Words(), samples.HELP_RAISED
    with Journal.open(tmp_path, words.hub, clock_wall=lambda: 0.0) as journal:
        journal.commit([], [Decisions(alerts=(alert,))])
    (here,) = hub_book(tmp_path).alerts
    changes: list[dict[str, Any]] = [
        {},
        {"because": "pressed again"},
        {"presses": 7},
        {"by": "operator"},
        {"suspect": ("s-bed",)},
        {"quiet": Quiet(silence=9.0)},
        {"at": msgspec.structs.replace(alert.at, wall=alert.at.wall + 1.0)},
    ]
    for number, change in enumerate(changes):
        other = msgspec.structs.replace(alert, **change)
        payload = words.encoder.alert(other, number + 5, old=True)
        store = Store.open(tmp_path / str(number))
        topic = f"ansim/v1/{TENANT}/{words.hub}/up/alert"
        Receiver(store, TENANT, wall=lambda: 0.0).take([(topic, payload)])
        store.close()
        (there,) = centre_book(tmp_path / str(number), words.hub).alerts
        assert here.same(there) == (not change), change


def test_figures_of_runs_add_up_and_name_what_was_wrong() -> None:
    total = Verdict()
    total.add(told())
    total.add(told(centre=replace(CENTRE, alerts=(), messages=0)))
    assert (total.accepted, total.lost) == (8, 3)
    assert len(total.cases) == 3
