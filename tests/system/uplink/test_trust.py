"""Test whether the hub speaks to nobody but its own broker, and survives what that sends (T5, T6)."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.contract.messages import AlertReceipt
from gateway.security.tls import client_context, server_context
from gateway.uplink.dialect import Dialect
from provisioning.office import authority
from tests.support.broker import HUB, Broker, Town, free_port
from tests.support.scripted_centre import ScriptedCentre, silent
from tests.support.uplink_rig import START, Rig, until

V5 = 5
REFUSED_311 = bytes((0x20, 0x02, 0x00, 0x01))
"""CONNACK of a broker of 3.1.1: unacceptable protocol version."""


@asynccontextmanager
async def front(
    town: Town, target: int, refuse: Callable[[asyncio.StreamWriter], None]
) -> AsyncIterator[tuple[int, list[int]]]:
    """A broker without MQTT 5 on a port of its own: it ends TLS as the broker would, refuses a
    CONNECT of version 5 and hands anything else on to the real broker as the hub."""
    versions: list[int] = []
    files = town.broker
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        version = first[first.index(b"MQTT") + 4]
        versions.append(version)
        if version == V5:
            refuse(writer)
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("localhost", target, ssl=client)
        far_writer.write(first)
        pumps = [
            asyncio.ensure_future(pump(reader, far_writer)),
            asyncio.ensure_future(pump(far_reader, writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for task in pumps:
            task.cancel()
        for end in (writer, far_writer):
            end.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    client = client_context(town.hub / "ca.crt", town.hub / "hub.crt", town.hub / "hub.key")
    server = await asyncio.start_server(
        accept,
        "127.0.0.1",
        0,
        ssl=server_context(files / "ca.crt", files / "broker.crt", files / "broker.key"),
    )
    try:
        yield server.sockets[0].getsockname()[1], versions
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    "refuse",
    [lambda writer: writer.write(REFUSED_311), lambda _writer: None],
    ids=["with-connack", "by-hanging-up"],
)
async def test_a_broker_without_mqtt_5_is_spoken_to_in_3_1_1(
    town: Town, broker: Broker, tmp_path: Path, refuse: Callable[[asyncio.StreamWriter], None]
) -> None:
    with ScriptedCentre(broker.port, town.centre()):
        async with (
            front(town, broker.port, refuse) as (port, versions),
            Rig(town, tmp_path, port) as rig,
        ):
            rig.raise_alert(3)
            await rig.pass_time(lambda: rig.waiting() == 0, "all receipts")
            assert rig.uplink.dialect is Dialect.V311
            assert set(versions) == {V5, Dialect.V311}


async def test_a_megabyte_and_bytes_that_are_no_text_stop_nothing_in_3_1_1(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    """Over 3.1.1 a hub cannot tell the broker how much it takes; our broker's own limit is
    tested elsewhere, so this one is without."""
    conf = (tmp_path / "broker" / "mosquitto.conf").read_text()
    loose = [line for line in conf.splitlines() if not line.startswith("max_packet_size")]
    await _hostile(town, broker, tmp_path, "\n".join(loose), Dialect.V311)


async def test_a_megabyte_and_bytes_that_are_no_text_stop_nothing_in_5(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    conf = (tmp_path / "broker" / "mosquitto.conf").read_text()
    loose = [line for line in conf.splitlines() if not line.startswith("max_packet_size")]
    await _hostile(town, broker, tmp_path, "\n".join(loose), Dialect.V5)


async def _hostile(town: Town, broker: Broker, tmp_path: Path, conf: str, dialect: Dialect) -> None:
    broker.restart(conf)
    with ScriptedCentre(broker.port, town.centre(), silent) as centre:
        async with Rig(town, tmp_path, broker.port, dialect=dialect) as rig:
            await rig.connected()
            alert = rig.raise_alert()
            centre.raw(HUB, b"\xff\xfe\x00" * 100)
            centre.raw(HUB, b"x" * 1_000_000)
            centre.raw(HUB, b"\x80" * 9000)
            for _ in range(50):
                centre.raw(HUB, b"y" * 20_000, qos=0)
            centre.say([AlertReceipt(alert.id, 1, "received")], hub=HUB, boot=START.boot)
            await until(lambda: rig.waiting() == 0, "the genuine receipt behind it")
            assert rig.uplink.connected
            assert rig.uplink.counters["sessions"] == 1
            assert rig.uplink.counters["downlink-too-long"] >= 1
            expected = 53 if dialect is Dialect.V311 else 52
            assert rig.uplink.counters["downlink-refused"] == expected


@pytest.mark.parametrize("fault", ["wrong-ca", "wrong-host", "plain"])
async def test_nothing_is_ever_said_to_a_server_that_is_not_ours(
    town: Town, tmp_path: Path, fault: str
) -> None:
    """0 connections (T5). What the server gets to read is counted."""
    read: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read.append(await reader.read(100))
        writer.close()

    other = Town(tmp_path / "other")
    host, context = "localhost", None
    if fault == "wrong-ca":
        files = other.broker
        context = server_context(files / "ca.crt", files / "broker.crt", files / "broker.key")
    elif fault == "wrong-host":
        authority.broker(town.ca, ["broker.example"], tmp_path / "named")
        files = tmp_path / "named"
        context = server_context(files / "ca.crt", files / "broker.crt", files / "broker.key")
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        async with Rig(town, tmp_path / "journal", port, host=host, answer_timeout=0.5) as rig:
            rig.raise_alert(4)
            counters = rig.uplink.counters
            await rig.pass_time(lambda: counters.total() >= 3, "three attempts")
            assert not rig.uplink.connected
            assert rig.uplink.trouble == ("unreachable" if fault == "plain" else "tls")
            assert rig.waiting() == 1
            assert counters["sessions"] == 0
    finally:
        server.close()
    said = b"".join(read)
    assert b"MQTT" not in said
    assert all(data == b"" or data[0] == 0x16 for data in read), "at most the hello of TLS"


async def test_a_missing_certificate_is_told_and_tried_again(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(town.hub, mine)
    (mine / "hub.crt").rename(mine / "away")
    async with Rig(town, tmp_path, broker.port, certificates=mine) as rig:
        await until(lambda: rig.uplink.trouble == "certificate", "the trouble")
        (mine / "away").rename(mine / "hub.crt")
        await rig.pass_time(lambda: rig.uplink.connected, "a session")


async def test_no_broker_at_all_is_tried_for_ever_without_a_stop(
    town: Town, tmp_path: Path
) -> None:
    async with Rig(town, tmp_path, free_port()) as rig:
        rig.raise_alert(2)
        await rig.clock.advance(1800)
        assert 20 <= rig.uplink.counters["connect-unreachable"] <= 200
        assert rig.uplink.trouble == "unreachable"


async def test_a_name_that_does_not_resolve_is_tried_again(town: Town, tmp_path: Path) -> None:
    async with Rig(town, tmp_path, 8883, host="broker.invalid") as rig:
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("broker.invalid", 8883)
        await until(lambda: rig.uplink.trouble == "unreachable", "the trouble")


async def test_a_broker_that_never_answers_connect_is_tried_again(
    town: Town, tmp_path: Path
) -> None:
    calls: list[asyncio.StreamWriter] = []
    files = town.broker
    server = await asyncio.start_server(
        lambda _reader, writer: calls.append(writer),
        "127.0.0.1",
        0,
        ssl=server_context(files / "ca.crt", files / "broker.crt", files / "broker.key"),
    )
    port = server.sockets[0].getsockname()[1]
    try:
        async with Rig(town, tmp_path, port, answer_timeout=0.3) as rig:
            rig.raise_alert(4)
            await rig.pass_time(lambda: len(calls) >= 3, "a third attempt")
            assert rig.uplink.counters["connect-timeout"] >= 2
    finally:
        for writer in calls:
            writer.transport.abort()
        server.close()
