"""Test whether the reference centre loses nothing and believes nobody, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contract import messages as wire
from gateway.domain.alert import AlertState
from provisioning.centre import answering, reading
from provisioning.centre.settings import Channel
from tests.support.broker import TENANT, Broker, Town
from tests.support.centre_rig import (
    CentreProcess,
    FakeHub,
    Words,
    running,
    settings_for,
    stored_versions,
    until,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"), centres=("main", "second"))


@pytest.fixture
def broker(town: Town, tmp_path: Path) -> Iterator[Broker]:
    with Broker(town, tmp_path / "broker") as started:
        yield started


async def test_bad_messages_are_quarantined_counted_and_rejected_by_name(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.online()
        bad = json.loads(words.alert(1))
        bad["data"]["level"] = 9
        stolen = json.loads(words.alert(2))
        stolen["source"] = "urn:ansim:hub:somebody-else"
        incomplete = json.loads(words.alert(3))
        del incomplete["data"]["state"]
        for payload in (
            b"",
            b"\xff\xfe\x00",
            b"[" * 8000,
            b'{"type":"kr.ansim.alert.v1"}',
            b"x" * 8400,
            json.dumps(bad).encode(),
            json.dumps(stolen).encode(),
            json.dumps(incomplete).encode(),
            words.heartbeat(),  # on the wrong topic
        ):
            await hub.say("alert", payload)
        await hub.say("alert", words.alert(4))
        await until(lambda: (words.alert_id(4), 1) in hub.received())
        rejected = {
            part.alert_id: part.reason
            for part in hub.receipts
            if isinstance(part, wire.AlertReceipt) and part.state == "rejected"
        }
        assert rejected == {
            words.alert_id(1): "bad-content",
            words.alert_id(2): "bad-content",
            words.alert_id(3): "missing-field",
        }
        assert stored_versions(settings.data) == {(words.alert_id(4), 1)}
        assert reading.overview(centre.store).refused == 9


@pytest.mark.slow
async def test_every_id_that_a_hub_holds_as_received_is_in_the_store_of_a_killed_centre(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    alerts = {(words.alert_id(n), 1): words.alert(n) for n in range(1, 401)}
    held: set[tuple[str, int]] = set()
    async with FakeHub(town, broker.port, words) as hub:
        await hub.online()
        for kill_after in (40, 90, 150, 230, 400):
            centre = CentreProcess(settings)
            await centre.start()
            aim = min(kill_after, len(alerts))
            end = time.monotonic() + 30
            while len(hub.received()) < aim:
                assert time.monotonic() < end, f"{len(hub.received())} of {aim}"
                missing = [key for key in alerts if key not in hub.received()][:60]
                for key in missing:
                    await hub.say("alert", alerts[key])
                    if len(hub.received()) >= aim:
                        break
                # the next round is a hub's resending; without a pause it would only test a flood
                pause = time.monotonic() + 0.5
                while time.monotonic() < pause and len(hub.received()) < aim:
                    if all(key in hub.received() for key in missing):
                        break
                    await asyncio.sleep(0.002)
            await centre.kill()
            held |= hub.received()
            assert held <= stored_versions(settings.data)
    assert held == set(alerts)


async def test_two_centres_on_one_store_answer_people_once(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    first, second = (
        settings_for(town, data, broker.port, centre=name) for name in ("main", "second")
    )
    words = Words()
    async with (
        running(first) as one,
        running(second) as other,
        FakeHub(town, broker.port, words) as hub,
    ):
        await hub.online()
        await hub.say("alert", words.alert())
        await until(lambda: {a.centre for a in hub.answers} == {"main", "second"})
        answering.give(one.store, words.alert_id(), "accepted", by="op", now=time.time())
        one.poke()
        other.poke()
        await until(lambda: "accepted" in hub.states(words.alert_id()))
        await hub.say("alert", words.alert(version=2, state=AlertState.ACCEPTED))
        await until(lambda: sum(1 for s in hub.states(words.alert_id()) if s == "received") >= 4)
        assert hub.states(words.alert_id()).count("accepted") == 1


async def test_a_centre_that_cannot_store_says_so_and_answers_when_it_can_again(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.online()
        await hub.say("hb", words.heartbeat())
        await until(lambda: reading.homes(centre.store) and reading.homes(centre.store)[0].watching)
        pages = centre.store.db.execute("PRAGMA page_count").fetchone()[0]
        centre.store.db.execute(f"PRAGMA max_page_count={pages}")
        for number in range(1, 31):
            await hub.say("alert", words.alert(number))
        await until(lambda: hub.centre_states[-1:] == ["offline"])
        centre.store.db.execute("PRAGMA max_page_count=1000000")
        await until(lambda: len(hub.received()) == 30)
        assert hub.centre_states[-1] == "online"
        assert len(stored_versions(settings.data)) == 30


async def test_a_hub_can_speak_for_nobody_else(town: Town, broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    words = Words()
    async with running(settings) as centre, FakeHub(town, broker.port, words) as hub:
        await hub.online()
        forged = Words("hub-other")
        for topic in (
            f"ansim/v1/{TENANT}/hub-other/up/alert",
            f"ansim/v1/{TENANT}/centre/state/main",
            f"ansim/v1/{TENANT}/{words.hub}/dn/ack",
        ):
            await hub.publish(topic, forged.alert(1))
        await hub.say("alert", words.alert(2))
        await until(hub.received)
        assert [home.hub for home in reading.homes(centre.store)] == [words.hub]
        assert hub.centre_states == ["online"]


async def test_a_second_process_with_the_same_id_is_refused(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    async with running(settings):
        process = CentreProcess(settings)
        await process.start()
        assert await process.ended() == 3


async def test_a_stopped_centre_ends_well(town: Town, broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(town, tmp_path / "data", broker.port)
    process = CentreProcess(settings)
    await process.start()
    async with FakeHub(town, broker.port, Words()) as hub:
        await until(lambda: hub.centre_states[-1:] == ["online"])
        assert await process.stop() == 0
        await until(lambda: hub.centre_states[-1:] == ["offline"])


async def test_a_press_of_a_hub_that_was_set_back_is_answered_told_and_shown(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    append = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    channel = Channel(area="*", command=[sys.executable, "-c", append, str(told)])
    settings = settings_for(town, tmp_path / "data", broker.port, channels=[channel])
    before, after = Words(), Words(boot="b0000002-1")
    async with running(settings) as centre:
        async with FakeHub(town, broker.port, before) as hub:
            await hub.online()
            for version in (1, 2, 3):
                await hub.say("alert", before.alert(version=version))
            await until(lambda: len(hub.received()) == 3)
        async with FakeHub(town, broker.port, after) as hub:
            await hub.online()
            anew = after.alert(version=2, at=3600.0)
            for _ in range(3):
                await hub.say("alert", anew)
            await until(lambda: hub.received() == {(after.alert_id(), 2)})
            await until(lambda: told.exists() and len(told.read_bytes().splitlines()) == 4)
            (line,) = reading.alerts(centre.store)
            assert (line.version, reading.overview(centre.store).remade) == (2, 1)
            answering.give(centre.store, line.alert_id, "accepted", by="op", now=time.time())
            centre.poke()
            await until(lambda: "accepted" in hub.states(line.alert_id))
            said = hub.receipts[-1]
            assert isinstance(said, wire.AlertReceipt)
            assert said.version == 2  # a higher one is unknown there
