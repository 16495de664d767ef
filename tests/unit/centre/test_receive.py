"""Whatever a broker delivers: a message, or a refusal with a reason; never an exception."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.centre.intake import Message, Refused
from provisioning.centre.receive import UNKNOWN_TOPIC, judge
from tests.support.broker import TENANT
from tests.support.centre_rig import HUB, Words

UP = f"ansim/v1/{TENANT}/{HUB}/up/"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text(), st.binary(max_size=200))
def test_any_topic_and_any_bytes_are_judged(topic: str, payload: bytes) -> None:
    assert isinstance(judge(TENANT, topic, payload), Refused)
    assert isinstance(judge(TENANT, UP + "alert", payload), Refused)


@given(st.data())
def test_a_valid_message_with_anything_changed_is_judged(data: st.DataObject) -> None:
    words = Words()
    message = json.loads(words.alert())
    for _ in range(data.draw(st.integers(1, 3))):
        inner = message["data"]
        whole = not isinstance(inner, dict) or not inner or data.draw(st.booleans())
        part = message if whole else inner
        part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    judged = judge(TENANT, UP + "alert", json.dumps(message).encode())
    assert isinstance(judged, Message | Refused)


@pytest.mark.parametrize(
    "topic",
    [
        f"ansim/v1/othertown/{HUB}/up/alert",
        f"ansim/v1/{TENANT}/{HUB}/dn/ack",
        f"ansim/v1/{TENANT}/centre/state/main",
        "",
        "ansim/v1",
    ],
)
def test_another_topic_is_nobodys_message(topic: str) -> None:
    judged = judge(TENANT, topic, Words().alert())
    assert isinstance(judged, Refused)
    assert judged.hub is None
    assert judged.reason in (UNKNOWN_TOPIC, "bad-format", "bad-content")


def test_another_hubs_words_are_refused() -> None:
    judged = judge(TENANT, UP + "alert", Words("hub-other").alert())
    assert isinstance(judged, Refused)
    assert judged.reason == "bad-content"


def test_a_refusal_keeps_no_more_than_a_glimpse() -> None:
    judged = judge(TENANT, UP + "alert", b'{"name":"' + b"x" * 1000 + b'"}')
    assert isinstance(judged, Refused)
    assert len(judged.head) <= 128
    assert judged.size == 1011


def test_what_a_newer_hub_adds_is_kept() -> None:
    message = json.loads(Words().alert())
    message["data"]["mood"] = "calm"
    judged = judge(TENANT, UP + "alert", json.dumps(message).encode())
    assert isinstance(judged, Message)
    assert msgspec.json.decode(judged.body)["mood"] == "calm"
