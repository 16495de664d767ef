"""Test whether the reference centre keeps what it was told, and answers only that."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contract import messages as wire
from gateway.domain.alert import AlertState, AlertType, Level
from provisioning.centre import answering, reading
from provisioning.centre.settings import Channel, Rule
from provisioning.centre.store import Store
from tests.support.broker import Broker, Town
from tests.support.centre_rig import (
    CentreProcess,
    FakeHub,
    Words,
    running,
    settings_for,
    stored_versions,
    until,
)
from tests.support.uplink_rig import Rig


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"), centres=("main", "second"))


@pytest.fixture
def broker(town: Town, tmp_path: Path) -> Iterator[Broker]:
    with Broker(town, tmp_path / "broker") as started:
        yield started


async def test_an_alert_is_stored_answered_and_the_centre_says_that_it_is_there(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await until(lambda: hub.centre_states == ["online"])
        await hub.online()
        await hub.say("alert", words.alert())
        await until(lambda: hub.states(words.alert_id()) == ["received"])
        assert hub.answers[-1].bootid == words.boot
        assert [line.state for line in reading.alerts(centre.store)] == ["raised"]
    # asked again after the goodbye
    async with FakeHub(town, broker.port, words) as hub:
        await until(lambda: hub.centre_states[-1:] == ["offline"])


async def test_a_duplicate_is_answered_again_and_kept_once(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.online()
        alert = words.alert()
        for _ in range(3):
            await hub.say("alert", alert)
        await until(
            lambda: (
                len(hub.answers) >= 1
                and centre.store.db.execute(
                    "SELECT copies FROM messages WHERE leaf='alert'"
                ).fetchone()
                == (3,)
            )
        )
        await hub.say("alert", alert)
        before = len(hub.receipts)
        await until(lambda: len(hub.receipts) > before)
        assert stored_versions(settings.data) == {(words.alert_id(), 1)}
        counters = [answer.counter for answer in hub.answers]
        assert counters == sorted(set(counters))


async def test_records_are_receipted_only_up_to_the_first_gap(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings), FakeHub(town, broker.port, words) as hub:
        await hub.online()
        first, lost, third = words.summary(), words.summary(), words.summary()
        await hub.say("telemetry", first)
        await until(lambda: hub.up_to() == 1)
        answers = len(hub.answers)
        await hub.say("telemetry", third)
        await until(lambda: len(hub.answers) > answers)
        assert hub.up_to() == 1
        await hub.say("telemetry", lost)
        await until(lambda: hub.up_to() == 3)


async def test_an_operator_of_another_process_accepts_and_closes(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings), FakeHub(town, broker.port, words) as hub:
        await hub.online()
        await hub.say("alert", words.alert())
        await until(hub.received)
        for command in (
            ["accept", words.alert_id(), "--by", "operator-3"],
            [
                "close",
                words.alert_id(),
                "--by",
                "operator-3",
                "--outcome",
                "true",
                "--service",
                "119",
            ],
        ):
            await _office(settings.data, *command)
        await until(lambda: "accepted" in hub.states(words.alert_id()))
        assert "closed" not in hub.states(words.alert_id())  # not before the hub shows "accepted"
        await hub.say("alert", words.alert(version=2, state=AlertState.ACCEPTED))
        await until(lambda: "closed" in hub.states(words.alert_id()))
        closed = hub.receipts[-1]
        assert isinstance(closed, wire.AlertReceipt)
        assert (closed.outcome, closed.service, closed.by) == ("true", "119", "operator-3")
        await hub.say(
            "alert", words.alert(version=3, state=AlertState.CLOSED, is_open=False, cause=False)
        )
        await until(lambda: (words.alert_id(), 3) in hub.received())
        store = Store.open(settings.data)
        try:
            assert [row[0] for row in store.db.execute("SELECT result FROM answers")] == [
                "took effect",
                "took effect",
            ]
            assert reading.alerts(store) == []
            log = store.db.execute("SELECT what, alert_id FROM access").fetchall()
            assert log == [("accepted", words.alert_id()), ("closed", words.alert_id())]
        finally:
            store.close()


async def _office(data: Path, *arguments: str, code: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from provisioning.office.main import main; main()",
        "centre",
        arguments[0],
        "--data",
        str(data),
        *arguments[1:],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=Path(__file__).resolve().parents[2],
    )
    said, _ = await process.communicate()
    assert process.returncode == code, said
    return said.decode()


async def test_an_answer_is_given_again_to_a_hub_that_has_booted(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre:
        async with FakeHub(town, broker.port, words) as hub:
            await hub.online()
            await hub.say("alert", words.alert())
            await until(hub.received)
            answering.give(centre.store, words.alert_id(), "accepted", by="op", now=time.time())
            centre.poke()
            await until(lambda: "accepted" in hub.states(words.alert_id()))
        booted = Words(boot="b0000002-1")
        async with FakeHub(town, broker.port, booted) as hub:
            await hub.online()
            await until(lambda: any(a.bootid == booted.boot for a in hub.answers))
            assert hub.states(words.alert_id())[-1] == "accepted"


async def test_rules_accept_and_close_for_a_demonstration(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    rules = [
        Rule(do="accept", type="help.*", by="auto"),
        Rule(do="close", cleared=True, outcome="test", service="call", by="auto"),
    ]
    async with running(settings, rules=rules), FakeHub(town, broker.port, words) as hub:
        await hub.online()
        await hub.say("alert", words.alert())
        await until(lambda: hub.states(words.alert_id()) == ["received", "accepted"])
        await hub.say("alert", words.alert(version=2, state=AlertState.ACCEPTED))
        await hub.say("alert", words.alert(version=3, state=AlertState.CLEARED, cause=False))
        await until(lambda: "closed" in hub.states(words.alert_id()))


async def test_a_town_is_told_by_its_own_channel_and_a_broken_one_holds_up_nothing(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    told = tmp_path / "told.json"
    save = "import sys,pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    channel = Channel(area="중동", command=[sys.executable, "-c", save, str(told)])
    hung = Channel(area="*", command=["/bin/sleep", "60"], timeout=0.2)
    words = Words()
    settings = settings_for(
        town, tmp_path / "data", broker.port, areas={words.hub: "중동"}, channels=[channel, hung]
    )
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.online()
        await hub.say("alert", words.alert(1, level=Level.WATCH, kind=AlertType.INACTIVITY_WATCH))
        await hub.say("alert", words.alert(2))
        await until(lambda: told.exists() and told.stat().st_size)
        notice = json.loads(told.read_text("utf-8"))
        assert (notice["area"], notice["alert"]["alert_id"]) == ("중동", words.alert_id(2))
        made = centre.store.db.execute("SELECT count(*) FROM notices").fetchone()
        assert made == (1,)  # level 1 calls nobody
    settings = settings_for(town, tmp_path / "data2", broker.port, channels=[hung])
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.say("alert", words.alert(3))
        await until(lambda: (words.alert_id(3), 1) in hub.received())
        await until(
            lambda: (
                centre.store.db.execute("SELECT error FROM notices").fetchone()
                == ("no end after 0.2 s",)
            )
        )


async def test_a_lost_hub_and_one_that_says_so_are_shown_as_not_watching(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:

        def why() -> str:
            found = reading.homes(centre.store)
            return "-" if not found else found[0].why

        await hub.online()
        await hub.say("hb", words.heartbeat())
        await until(lambda: why() == "")
        await hub.say("hb", words.heartbeat(watching=False, reasons=("blind",)))
        await until(lambda: why() == "blind")
        await hub.say("hb", words.heartbeat())
        await until(lambda: why() == "")
        await hub.say("state", words.state("lost"), retain=True)
        await until(lambda: why() == "lost")


async def test_refusals_of_a_command_are_one_line_with_a_remedy(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    assert "start the centre first" in await _office(data, "alerts", code=3)
    Store.open(data).close()
    said = await _office(data, "accept", "01NOSUCHALERT", "--by", "op", code=1)
    assert "no such alert" in said
    assert len(said.splitlines()) == 1
    said = await _office(data, "run", "--no-board", code=3)
    assert said.startswith("ansim-office centre: no settings: give --settings FILE, or --broker")


async def test_an_operator_accepts_with_a_key_on_a_terminal(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    seen = bytearray()

    def shows(text: bytes) -> bool:
        with contextlib.suppress(BlockingIOError, OSError):
            seen.extend(os.read(ours, 65536))
        return text in seen

    process = CentreProcess(settings, "--board", "--by", "operator-9", "--language", "en")
    async with FakeHub(town, broker.port, words) as hub:
        await process.start(terminal=theirs)
        await hub.online()
        await until(lambda: hub.centre_states[-1:] == ["online"])
        await hub.say("alert", words.alert())
        await until(lambda: shows(b"hub-7k2m9q"))
        await until(lambda: shows(b"The help button was pressed"))
        os.write(ours, b"a")
        await until(lambda: "accepted" in hub.states(words.alert_id()))
        os.write(ours, b"q")
        ended = asyncio.ensure_future(process.ended())
        await until(lambda: shows(b"\x00never") or ended.done())
        assert ended.result() == 0
    os.close(ours)
    os.close(theirs)


async def test_the_hubs_own_uplink_and_the_centre_understand_each_other(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    async with running(settings) as centre, Rig(town, tmp_path / "hub", broker.port) as rig:
        await rig.connected()
        rig.store(summaries=30)
        alert = rig.raise_alert()
        await until(lambda: rig.waiting() == 0)
        answering.give(centre.store, alert.id, "accepted", by="operator-3", now=time.time())
        centre.poke()
        await until(lambda: rig.said)
        assert (rig.said[0].alert_id, rig.said[0].by) == (alert.id, "operator-3")
        await until(lambda: [home.why for home in reading.homes(centre.store)] == [""])
        assert reading.overview(centre.store).gaps == 0
        assert reading.overview(centre.store).refused == 0
