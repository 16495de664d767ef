"""Test whether the receiver printed in docs/centre.md does what the document says, as it stands
there: in a process of its own, with the published schemas, against a real mosquitto."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.contract import messages as wire
from gateway.contract import samples, topics
from gateway.contract.decode import decode_answer, decode_centre_state
from gateway.contract.encode import Encoder, leaf_of
from gateway.contract.messages import AlertReceipt, RecordsReceipt
from gateway.domain.alert import Alert
from gateway.domain.decisions import Summary
from gateway.domain.household import Household
from gateway.security.keys import load_public_keys
from gateway.security.signing import ANSWER, CENTRE_STATE, Verifier
from tests.support.broker import CENTRE, HUB, TENANT, Broker, Town
from tests.support.talker import Talker

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENCODER = Encoder(Household(hub=HUB, sensors=()), boot="boot-1", journal="journal-1")
STATE = topics.centre_state(TENANT, CENTRE)


class Receiver:
    """The document's program as a process."""

    def __init__(self, town: Town, broker: Broker, folder: Path) -> None:
        text = (DOCS / "centre.md").read_text(encoding="utf-8")
        code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
        assert code is not None
        script = folder / "receiver.py"
        script.write_text(code.group(1), encoding="utf-8")
        self.database = folder / "centre.db"
        self._command = [
            *(sys.executable, "-W", "error", str(script), "localhost", TENANT, CENTRE),
            *(str(town.centre()), str(DOCS / "contract" / "schemas")),
            *(str(self.database), str(broker.port)),
        ]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"connected\n"

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(self.database)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()


class Hub:
    """A hub that says what the test wants and understands answers as a hub does."""

    def __init__(self, town: Town, broker: Broker) -> None:
        self.talker = Talker(broker.port, town.hub, "hub")
        for topic in topics.hub_subscriptions(TENANT, HUB):
            self.talker.subscribe(topic)
        self._verifier = Verifier(load_public_keys(town.hub / "centres"))
        self._counter = 0

    def say(self, leaf: str, payload: bytes) -> None:
        self.talker.say(topics.up(TENANT, HUB, leaf), payload)

    def tell(self, message: Alert | Summary, sequence: int) -> None:
        payload = ENCODER.journalled(message, sequence, created=0.0, now=0.0)
        self.say(leaf_of(message), payload)

    def answered(self, run: str = "boot-1") -> list[AlertReceipt | RecordsReceipt]:
        topic, payload = self.talker.heard()
        assert topic == topics.down(TENANT, HUB, "ack")
        kid, content = self._verifier.verify(payload, ANSWER)
        answer = decode_answer(content)
        assert (kid, answer.centre) == (CENTRE, CENTRE)
        assert (answer.hub, answer.bootid) == (HUB, run)
        assert answer.counter > self._counter
        self._counter = answer.counter
        return answer.answers

    def receipts(self, heard: set[tuple[str, bytes]]) -> list[AlertReceipt | RecordsReceipt]:
        answers = [payload for topic, payload in heard if topic != STATE]
        return [
            part
            for payload in answers
            for part in decode_answer(self._verifier.verify(payload, ANSWER)[1]).answers
        ]

    def centre_state(self) -> str:
        topic, payload = self.talker.heard()
        assert topic == STATE
        _, content = self._verifier.verify(payload, CENTRE_STATE)
        return decode_centre_state(content).state


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "town")


@pytest.fixture
def broker(town: Town, tmp_path: Path) -> Iterator[Broker]:
    with Broker(town, tmp_path / "broker") as running:
        yield running


@pytest.fixture
def receiver(town: Town, broker: Broker, tmp_path: Path) -> Iterator[Receiver]:
    running = Receiver(town, broker, tmp_path)
    yield running
    running.kill()


@pytest.fixture
def hub(town: Town, broker: Broker, receiver: Receiver) -> Iterator[Hub]:
    hub = Hub(town, broker)
    assert hub.centre_state() == "online"
    yield hub
    hub.talker.close()


def receipt(alert: Alert) -> AlertReceipt:
    return AlertReceipt(alert.id, alert.version, "received")


def test_it_does_what_the_document_says(hub: Hub, receiver: Receiver) -> None:
    # versions out of order, each answered, the highest shown; the same again: one row, one answer
    for sequence, alert in ((3, samples.HELP_ACCEPTED), (1, samples.HELP_RAISED)):
        hub.tell(alert, sequence)
        assert hub.answered() == [receipt(alert)]
    hub.tell(samples.HELP_RAISED, 1)
    assert hub.answered() == [receipt(samples.HELP_RAISED)]
    hub.tell(samples.HELP_AGAIN, 2)
    assert hub.answered() == [receipt(samples.HELP_AGAIN)]
    assert receiver.rows("SELECT version, state FROM alert") == [(3, "accepted")]
    assert receiver.rows("SELECT count(*) FROM message") == [(3,)]

    # a hub that was set back makes version 2 anew: it is shown; the same once more is no news
    anew = replace(samples.HELP_AGAIN, at=samples.at(5.0))
    for sequence, run in ((4, "boot-0"), (5, "boot-1")):
        payload = ENCODER.alert(anew, sequence, old=run == "boot-1")
        hub.say("alert", payload.replace(b'"boot-1"', f'"{run}"'.encode()))
        hub.answered(run)
    assert receiver.rows("SELECT version, state FROM alert") == [(2, anew.state)]
    assert receiver.rows("SELECT count(*) FROM version WHERE version = 2") == [(2,)]
    assert receiver.rows("SELECT count(*) FROM message") == [(5,)]

    # records: the receipt stays before a gap and passes it once it is filled
    for sequence, up_to in ((1, 1), (3, 1), (4, 1), (2, 4)):
        hub.tell(samples.SUMMARY if sequence != 3 else samples.AWAY, sequence)
        assert hub.answered() == [RecordsReceipt("journal-1", up_to)]

    # nonsense is kept aside and answered with silence; what is new is taken
    for leaf, payload in (
        ("alert", b"\xff" * 100),
        ("alert", b"[" * 5000),
        ("alert", b"[]"),
        ("alert", b'{"type":"kr.ansim.x.v1","source":[],"data":[],"journalid":{},"id":9}'),
        ("hb", b"{}"),
        ("state", b"x" * 8192),
        (
            "alert",
            ENCODER.alert(samples.HELP_CLOSED, 10**11).replace(b'"version":4', b'"version":0'),
        ),
    ):
        hub.say(leaf, payload)
    future = ENCODER.telemetry(samples.SUMMARY, 5).replace(b".telemetry.v1", b".drift.v1")
    hub.say("telemetry", future)
    assert hub.answered() == [RecordsReceipt("journal-1", 5)]
    assert receiver.rows("SELECT count(*) FROM refused") == [(7,)]
    assert receiver.alive


def test_killed_and_started_again_it_goes_on_where_it_was(hub: Hub, receiver: Receiver) -> None:
    hub.tell(samples.HELP_RAISED, 1)
    assert hub.answered() == [receipt(samples.HELP_RAISED)]
    receiver.kill()
    assert hub.centre_state() == "offline"
    hub.tell(samples.HELP_AGAIN, 2)  # the broker keeps it for the centre's session
    receiver.start()
    heard = {hub.talker.heard()}
    while STATE not in dict(heard) or receipt(samples.HELP_AGAIN) not in hub.receipts(heard):
        heard.add(hub.talker.heard())  # also the first again, if its PUBACK was killed
    assert receiver.rows("SELECT max(version) FROM alert") == [(2,)]
    hub.tell(samples.HELP_AGAIN, 2)
    assert hub.answered() == [receipt(samples.HELP_AGAIN)]
    assert receiver.rows("SELECT count(*) FROM message") == [(2,)]


def test_with_an_empty_store_it_does_not_ask_for_what_is_gone(hub: Hub) -> None:
    hub.tell(samples.SUMMARY, 5000)
    assert hub.answered() == [RecordsReceipt("journal-1", 0)]
    data = ENCODER.heartbeat_data(
        samples.WATCHING,
        interval_s=300,
        uptime_s=1.0,
        queue=wire.QueueData(alerts=0, records=2, oldest_unreceived_alert_s=None),
        alert_sequence=4,
        record_sequence=5001,
        power="mains",
        version="1",
        settings="1",
        model=None,
    )
    hub.say("hb", ENCODER.heartbeat(data, 1, samples.at(0)))
    hub.tell(samples.SUMMARY, 5001)
    assert hub.answered() == [RecordsReceipt("journal-1", 5001)]
