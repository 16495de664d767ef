"""Test whether only the centre's own signed word ends an alert's sending (R4)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.contract.messages import AlertEvent, AlertReceipt
from gateway.domain.alert import Outcome
from gateway.domain.ids import ulid
from gateway.domain.observation import AnswerState
from tests.support.broker import HUB, Broker, Town
from tests.support.crowd import crowded
from tests.support.scripted_centre import ScriptedCentre, forger, silent
from tests.support.uplink_rig import START, Rig, until


async def test_an_alert_is_sent_and_ended_by_the_centres_receipt(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            alert = rig.raise_alert()
            await until(lambda: rig.waiting() == 0, "the receipt")
            await until(lambda: rig.uplink.unanswered() == 0, "its effect on the sending")
            assert [a.alert_id for a in centre.alerts()] == [alert.id]


async def test_a_puback_without_any_centre_never_counts(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    async with Rig(town, tmp_path, broker.port) as rig:
        await rig.connected()
        rig.raise_alert()
        await rig.clock.settle()
        assert rig.uplink.in_flight() == 0, "the broker has acknowledged"
        assert rig.uplink.unanswered() == 1
        await rig.clock.advance(600)
        assert rig.waiting() == 1


async def test_a_silent_centre_hears_the_alert_again_at_the_times_of_r4(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    times: list[float] = []
    ids: set[str] = set()
    async with Rig(town, tmp_path, broker.port) as rig:

        def note(_centre: ScriptedCentre, event: Any) -> None:
            if isinstance(event, AlertEvent):
                times.append(rig.clock.now().boottime)
                ids.add(event.data.alert_id)

        with ScriptedCentre(broker.port, town.centre(), note):
            await rig.connected()
            alert = rig.raise_alert()
            began = rig.clock.now().boottime
            await until(lambda: len(times) == 1, "the first copy")
            for _ in range(880):
                await rig.clock.advance(1)
                await until(lambda: len(times) == rig.uplink.counters["sent-alert"], "each copy")
    waits = [after - before for before, after in pairwise(times)]
    assert times[0] == began
    assert 10 <= waits[0] <= 11
    fast = [w for at, w in zip(times, waits, strict=False) if 0 < at - began < 160]
    slow = [w for at, w in zip(times, waits, strict=False) if at - began > 200]
    assert len(fast) >= 7
    assert all(4 <= w <= 21 for w in fast)
    assert len(slow) >= 10
    assert all(w <= 61 for w in slow)
    assert ids == {alert.id}


async def test_a_centre_that_answers_after_40_minutes_is_heard(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.raise_alert()
            await rig.clock.advance(40 * 60)
            assert rig.waiting() == 1
            centre.receive(centre.events("alert")[0])
            await until(lambda: rig.waiting() == 0, "the late receipt")
            heard = len(centre.alerts())
            await rig.clock.advance(600)
            assert len(centre.alerts()) == heard, "not sent once more"


@pytest.mark.parametrize(
    ("reason", "shortest", "longest"), [("hold", 5, 20), ("busy", 5, 20), ("not-treated", 40, 60)]
)
async def test_a_refused_alert_is_kept_and_sent_again(
    town: Town, broker: Broker, tmp_path: Path, reason: str, shortest: float, longest: float
) -> None:
    def refuse(centre: ScriptedCentre, event: Any) -> None:
        if isinstance(event, AlertEvent):
            no = AlertReceipt(
                event.data.alert_id,
                event.data.version,
                "rejected",
                reason=reason,  # type: ignore[arg-type]
            )
            centre.answer(event, [no])

    with ScriptedCentre(broker.port, town.centre(), refuse) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.raise_alert()
            await until(lambda: rig.uplink.counters["rejected"] == 1, "the refusal")
            await rig.clock.advance(shortest - 0.5)
            assert len(centre.alerts()) == 1
            await rig.clock.advance(longest - shortest + 1)
            await until(lambda: rig.uplink.counters["rejected"] == 2, "the second refusal")
            assert rig.waiting() == 1


async def test_answers_that_are_not_the_centres_word_have_no_effect_and_are_counted(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            alert = rig.raise_alert()
            receipt = AlertReceipt(alert.id, 1, "received")
            centre.say([receipt], hub=HUB, boot=START.boot, signer=forger())
            centre.say([receipt], hub="hub-other", boot=START.boot, to=HUB)
            centre.say([receipt], hub=HUB, boot="b0000001-000000")
            centre.say([AlertReceipt(ulid(1.0, "x"), 1, "received")], hub=HUB, boot=START.boot)
            centre.say([AlertReceipt(alert.id, 7, "received")], hub=HUB, boot=START.boot)
            nonsense = (b"", b"\xff\xfe", b"{}", b"a.b.c", b"[" * 4000, "심각".encode())
            for payload in nonsense:
                centre.raw(HUB, payload)
            centre.raw(HUB, b"{}", leaf="cmd")
            counters = rig.uplink.counters
            refused = 3 + len(nonsense) + 1
            await until(lambda: counters["downlink-refused"] == refused, "all refusals")
            assert rig.waiting() == 1
            assert rig.uplink.connected
            assert counters["downlink-forged"] == 1
            assert counters["downlink-wrong-hub"] == 1
            assert counters["downlink-wrong-boot"] == 1
            assert counters["answer-unknown-alert"] == 1
            assert counters["answer-nonsense"] == 1
            assert rig.journal.quarantined == {"downlink": refused}
            centre.say([receipt], hub=HUB, boot=START.boot)
            await until(lambda: rig.waiting() == 0, "the genuine receipt after all that")


async def test_a_replayed_answer_is_refused_also_by_the_next_run_of_the_program(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            rig.raise_alert()
            await until(lambda: bool(centre.alerts()), "the alert")
            said = AlertReceipt(centre.alerts()[0].alert_id, 1, "accepted", by="operator")
            token = centre.answer(centre.events("alert")[0], [said])
            await until(lambda: len(rig.said) == 1, "the acceptance")
            centre.raw(HUB, token)
            await until(lambda: rig.uplink.counters["downlink-repeated"] == 1, "the refusal")
            assert len(rig.said) == 1
        async with Rig(town, tmp_path, broker.port) as again:
            await again.connected()
            centre.raw(HUB, token)
            counters = again.uplink.counters
            await until(lambda: counters["downlink-repeated"] == 1, "the refusal after a restart")
            assert again.said == []


async def test_what_people_say_counts_as_received_and_is_handed_on(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            alert = rig.raise_alert()
            await until(lambda: bool(centre.alerts()), "the alert")
            event = centre.events("alert")[0]
            closed = AlertReceipt(
                alert.id, 1, "closed", by="operator", outcome=Outcome.TEST, service="call"
            )
            centre.answer(event, [AlertReceipt(alert.id, 1, "accepted", by="operator"), closed])
            await until(lambda: rig.waiting() == 0, "the receipt")
            assert [a.state for a in rig.said] == [AnswerState.ACCEPTED, AnswerState.CLOSED]
            assert rig.said[1].outcome is Outcome.TEST


async def test_an_answer_for_a_newer_version_leaves_the_older_one_waiting(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port) as rig:
            first = rig.alert(1)
            second = rig.alert(2, alert_id=first.id, version=2)
            rig.store(first, second)
            await rig.connected()
            await until(lambda: len(centre.alerts()) == 2, "both versions")
            newer = next(e for e in centre.events("alert") if e.data.version == 2)
            centre.receive(newer)
            await until(lambda: rig.waiting() == 1, "the receipt of the newer")
            await rig.clock.advance(30)
            await until(lambda: len(centre.alerts()) >= 3, "the older one again")
            assert {e.data.version for e in centre.events("alert")[2:]} == {1}


async def test_answers_are_read_again_in_a_new_session_after_their_receiver_failed(
    town: Town, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedCentre(broker.port, town.centre()):
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            sender = rig.uplink._first.sender

            def fails(*_: object) -> None:
                monkeypatch.undo()
                raise KeyError("a bug")

            monkeypatch.setattr(sender, "apply", fails)
            rig.raise_alert()
            counters = rig.uplink.counters
            await rig.pass_time(lambda: counters["sessions"] == 2, "a new session")
            assert counters["receiver-failures"] == 1
            rig.raise_alert()
            await rig.pass_time(lambda: rig.waiting() == 0, "both receipts")


async def test_look_ups_of_names_that_hang_hold_up_no_receipt(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre()):
        async with Rig(town, tmp_path, broker.port) as rig:
            await rig.connected()
            with crowded():
                rig.raise_alert()
                await until(lambda: rig.waiting() == 0, "the receipt")
