"""Test whether an alert goes another way when the first leaves it unreceived for 3 minutes (R5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.contract.decode import decode
from gateway.contract.messages import AlertEvent, AlertReceipt, Answer
from gateway.security.keys import load_signing_key
from gateway.security.signing import ANSWER, Signer
from gateway.uplink.carrier import Answers
from gateway.uplink.config import Endpoint
from tests.support.broker import CENTRE, Broker, Town, free_port
from tests.support.link import Link
from tests.support.scripted_centre import AT, ScriptedCentre, silent
from tests.support.uplink_rig import Rig, until


@pytest.fixture
def other(town: Town, tmp_path: Path) -> Iterator[Broker]:
    """The second broker."""
    with Broker(town, tmp_path / "other-broker") as running:
        yield running


def way(town: Town, port: int) -> Endpoint:
    files = town.hub
    return Endpoint("localhost", port, files / "ca.crt", files / "hub.crt", files / "hub.key")


def second(rig: Rig) -> int:
    """Sessions of the second path so far: one may be over before anybody looks."""
    return rig.uplink.counters["second-sessions"]


async def test_an_alert_that_the_first_path_leaves_unreceived_goes_by_the_second_after_3_minutes(
    town: Town, broker: Broker, other: Broker, tmp_path: Path
) -> None:
    """The first broker acknowledges everything, and nobody listens there."""
    with ScriptedCentre(other.port, town.centre()) as centre:
        async with Rig(town, tmp_path, broker.port, second=way(town, other.port)) as rig:
            await rig.connected()
            alert = rig.raise_alert(3)
            await rig.clock.advance(178)
            assert centre.heard == []
            assert not rig.uplink.second_connected
            await rig.pass_time(lambda: second(rig) == 1, "the second path", most=5.0)
            await until(lambda: rig.waiting() == 0, "the receipt")
            assert [a.alert_id for a in centre.alerts()] == [alert.id]
            await rig.clock.advance(60)
            assert not rig.uplink.second_connected, "no longer needed"
            assert {leaf for leaf, _ in centre.heard} <= {"alert", "hb"}


async def test_an_emergency_takes_the_second_path_at_once_when_there_is_no_first(
    town: Town, other: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(other.port, town.centre()):
        async with Rig(town, tmp_path, free_port(), second=way(town, other.port)) as rig:
            rig.raise_alert(4)
            began = rig.clock.now().boottime
            await rig.pass_time(lambda: second(rig) == 1, "the second path", most=20.0)
            assert rig.clock.now().boottime - began <= 12
            await until(lambda: rig.waiting() == 0, "the receipt")


async def test_the_second_path_stays_while_the_first_is_away_and_ends_when_it_is_back(
    town: Town, broker: Broker, other: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(other.port, town.centre()) as centre:
        async with (
            Link(broker.port) as link,
            Rig(town, tmp_path, link.port, second=way(town, other.port)) as rig,
        ):
            await rig.connected()
            await link.cut()
            rig.raise_alert(2)
            await rig.pass_time(lambda: second(rig) == 1, "the second path", most=200.0)
            await until(lambda: rig.waiting() == 0, "the first receipt")
            began = rig.clock.now().boottime
            for _ in range(3):
                rig.raise_alert(1)
                await until(lambda: rig.waiting() == 0, "each receipt at once")
                await rig.clock.advance(600)
                assert rig.uplink.second_connected
            assert rig.uplink.counters["second-sessions"] == 1
            assert len(centre.events("hb")) >= 3, "the home goes on being told"
            assert rig.clock.now().boottime - began >= 1800
            await link.restore()
            await rig.pass_time(lambda: rig.uplink.connected, "the first path")
            await rig.pass_time(lambda: not rig.uplink.second_connected, "the second one's end")
            assert centre.events("state") == [], "no last word: the first path has the say"


async def test_without_a_receipt_on_either_path_nothing_is_lost_and_nothing_storms(
    town: Town, broker: Broker, other: Broker, tmp_path: Path
) -> None:
    with (
        ScriptedCentre(broker.port, town.centre(), silent) as first,
        ScriptedCentre(other.port, town.centre(), silent) as second,
    ):
        async with Rig(town, tmp_path, broker.port, second=way(town, other.port)) as rig:
            await rig.connected()
            rig.raise_alert(3)
            await rig.clock.advance(3600)
            assert rig.waiting() == 1
            assert rig.uplink.fault == "unreceived"
            for centre in (first, second):
                assert 50 <= len(centre.alerts()) <= 110
            assert rig.uplink.counters["sessions"] <= 6
            assert rig.uplink.counters["second-sessions"] <= 6
            second.receive(second.events("alert")[0])
            await until(lambda: rig.waiting() == 0, "the late receipt")
            await until(lambda: rig.uplink.fault is None, "its effect")


async def test_a_second_path_that_is_not_there_does_not_disturb_the_first(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port, second=way(town, free_port())) as rig:
            await rig.connected()
            rig.raise_alert(3)
            await rig.clock.advance(1200)
            assert 10 <= rig.uplink.counters["second-connect-unreachable"] <= 120
            assert rig.uplink.counters["sessions"] == 2, "renewed once for want of an answer"
            centre.receive(centre.events("alert")[0])
            await until(lambda: rig.waiting() == 0, "the receipt")


class Pigeon:
    """A carrier: fails at first, then carries each alert to somebody who signs."""

    def __init__(self, answers: Answers, sign: Callable[[AlertEvent], bytes]) -> None:
        self.carried: list[AlertEvent] = []
        self._answers = answers
        self._sign = sign
        self._fails = 1

    async def carry(self, alert: bytes, level: int) -> None:
        if self._fails:
            self._fails -= 1
            raise OSError("no carrier")
        event = decode("alert", alert)
        assert isinstance(event, AlertEvent)
        assert level == event.data.level
        self.carried.append(event)
        await self._answers(b"rubbish")
        await self._answers(self._sign(event))


async def test_a_carrier_takes_what_mqtt_leaves_and_only_a_signed_answer_ends_it(
    town: Town, tmp_path: Path
) -> None:
    pigeons: list[Pigeon] = []
    signer = Signer(load_signing_key(town.centre() / "signing.key"), CENTRE)

    def sign(event: AlertEvent) -> bytes:
        receipt = AlertReceipt(event.data.alert_id, event.data.version, "received")
        answer = Answer(town.hub_id, event.bootid, CENTRE, len(pigeons[0].carried), AT, [receipt])
        return signer.sign(msgspec.json.encode(answer), ANSWER).encode()

    def make(answers: Answers) -> Pigeon:
        pigeons.append(Pigeon(answers, sign))
        return pigeons[0]

    async with Rig(town, tmp_path, free_port(), carrier=make) as rig:
        rig.raise_alert(1)
        rig.raise_alert(3)
        await rig.clock.advance(179)
        assert rig.uplink.counters["carrier-failed"] == 0
        await rig.clock.advance(2)
        assert rig.uplink.counters["carrier-failed"] == 1
        assert rig.waiting() == 2
        await rig.clock.advance(900)
        assert [event.data.level for event in pigeons[0].carried] == [3], "level 1 is worth none"
        assert rig.waiting() == 1
        assert rig.uplink.counters["downlink-refused"] == 1
        rig.raise_alert(4)
        await rig.clock.advance(5)
        assert rig.waiting() == 1, "at once, while the first path is away"
