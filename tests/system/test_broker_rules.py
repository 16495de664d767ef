"""Test whether a real mosquitto with the office's configuration lets through what it must, and
nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from gateway.contract import topics
from provisioning.office import authority
from tests.support.broker import HUB, TENANT, Broker, Town
from tests.support.talker import Talker

OTHER = "hub-other"
GRANTED, DENIED = "Success", "Not authorized"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = Town(tmp_path_factory.mktemp("town"), centres=("c1", "c2"))
    authority.hub(town.ca, OTHER, town.folder / "other")
    return town


@pytest.fixture(scope="module")
def broker(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(town, tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def hub(broker: Broker, town: Town) -> Iterator[Talker]:
    with Talker(broker.port, town.hub, "hub") as talker:
        yield talker


@pytest.fixture
def other(broker: Broker, town: Town) -> Iterator[Talker]:
    with Talker(broker.port, town.folder / "other", "hub") as talker:
        yield talker


@pytest.fixture
def centre(broker: Broker, town: Town) -> Iterator[Talker]:
    with Talker(broker.port, town.centre("c1"), "centre") as talker:
        talker.subscribe(topics.centre_subscription(TENANT))
        yield talker


@pytest.mark.parametrize("leaf", topics.UP)
def test_a_hub_is_heard_by_the_centre(hub: Talker, centre: Talker, leaf: str) -> None:
    topic = topics.up(TENANT, HUB, leaf)
    assert hub.say(topic, leaf) == GRANTED
    assert centre.heard() == (topic, leaf.encode())


def test_the_centre_is_heard_by_the_hub_it_speaks_to_alone(
    hub: Talker, other: Talker, centre: Talker
) -> None:
    for talker in (hub, other):
        talker.subscribe("#")
    topic = topics.down(TENANT, HUB, "ack")
    assert centre.say(topic, "a") == GRANTED
    assert hub.heard() == (topic, b"a")
    end = topics.down(TENANT, OTHER, "ack")
    centre.say(end, "z")
    assert other.heard() == (end, b"z")  # and not what was said to the first hub before


def test_a_hub_cannot_speak_or_listen_for_another(
    hub: Talker, other: Talker, centre: Talker
) -> None:
    for talker in (hub, other):
        talker.subscribe("#")
    for topic in (
        topics.up(TENANT, OTHER, "alert"),
        topics.up("othertown", HUB, "alert"),
        topics.down(TENANT, HUB, "ack"),
        topics.down(TENANT, OTHER, "ack"),
        topics.centre_state(TENANT, "c1"),
        "$SYS/broker/uptime",
        "anything",
    ):
        assert hub.say(topic, "x") == DENIED
    mine = topics.up(TENANT, OTHER, "hb")
    assert other.say(mine, "mine") == GRANTED
    assert centre.heard() == (mine, b"mine")
    state = topics.centre_state(TENANT, "c1")
    assert centre.say(state, "on") == GRANTED
    assert hub.heard() == (state, b"on")  # the first thing it ever heard
    assert other.heard() == (state, b"on")


def test_a_centre_says_only_its_own_state_and_nothing_as_a_hub(centre: Talker) -> None:
    assert centre.say(topics.centre_state(TENANT, "c2"), "x") == DENIED
    assert centre.say(topics.up(TENANT, HUB, "alert"), "x") == DENIED
    assert centre.say(topics.centre_state(TENANT, "c1"), "x") == "No matching subscribers"


def test_one_hub_cannot_push_out_another_by_its_client_id(
    broker: Broker, town: Town, hub: Talker, centre: Talker
) -> None:
    with Talker(broker.port, town.folder / "other", "hub", client_id=HUB) as thief:
        assert thief.say(topics.up(TENANT, OTHER, "hb"), "thief") == GRANTED
        assert hub.say(topics.up(TENANT, HUB, "hb"), "still here") == GRANTED
    assert [centre.heard()[1], centre.heard()[1]] == [b"thief", b"still here"]
    assert hub.nothing_more()


def test_what_is_too_large_ends_the_connection_that_sent_it(hub: Talker, centre: Talker) -> None:
    hub.client.publish(topics.up(TENANT, HUB, "alert"), b"x" * 20_000, 1)
    assert hub.expect("disconnected").detail == "Packet too large"
    assert centre.nothing_more()


def test_a_message_of_the_largest_size_fits(hub: Talker, centre: Talker) -> None:
    assert hub.say(topics.up(TENANT, HUB, "alert"), b"x" * 8192) == GRANTED
    assert len(centre.heard()[1]) == 8192


def test_the_old_protocol_works_too(broker: Broker, town: Town, centre: Talker) -> None:
    old = MQTTProtocolVersion.MQTTv311
    with Talker(broker.port, town.hub, "hub", protocol=old) as hub:
        hub.say(topics.up(TENANT, HUB, "hb"), "3.1.1")
        assert centre.heard()[1] == b"3.1.1"


def test_nobody_gets_in_without_tls(broker: Broker) -> None:
    with socket.create_connection(("localhost", broker.port), 5.0) as plain:
        plain.sendall(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc")
        plain.settimeout(5.0)
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"\x20")  # no CONNACK; at most a TLS alert
