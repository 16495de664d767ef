"""Whatever an alert holds it can be sent, and whatever arrives is a message or one known error."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.contract import fields, samples, topics
from gateway.contract import messages as wire
from gateway.contract.decode import decode, decode_answer, decode_centre_state
from gateway.contract.encode import Encoder, leaf_of
from gateway.contract.generate import hub_messages, signed_payloads
from gateway.domain.alert import (
    Alert,
    AlertState,
    AlertType,
    Doubt,
    Explanation,
    Level,
    Outcome,
    Quiet,
)
from gateway.domain.decisions import Summary
from gateway.domain.errors import ContractError, SignatureError
from gateway.domain.ids import ulid
from gateway.domain.instant import Instant
from gateway.domain.sensor import Room
from gateway.security.signing import ANSWER, Verifier
from tests.support.signing import KEY, SIGNER

REASONS = {None, "too-long", "bad-format", "bad-content", "missing-field"}
FAULTS = {None, "too-long", "bad-format", "bad-type", "unknown-key", "forged"}


def fault_of(work: Callable[[], object]) -> str | None:
    """The reason of the known error that ``work`` ends with; None if it has none."""
    try:
        work()
    except (ContractError, SignatureError) as error:
        return error.reason
    return None


ENCODER = samples.encoder()
VERIFIER = Verifier({"c1": KEY.public_key()})

# surrogates too: a name can come from bytes that were no UTF-8
texts = st.sampled_from(["", "s-bath", "가" * 90, "\n\0\x7f" * 40, "a\ud800", "x" * 300]) | st.text(
    st.characters(), max_size=5
)
walls = st.floats(-1e12, 1e12)
instants = st.builds(Instant, texts, st.floats(0, 1e12), walls, st.booleans())
quiets = st.builds(
    Quiet,
    st.none() | instants,
    st.none() | st.sampled_from(Room),
    st.none() | texts,
    st.none() | st.floats(0, 1e9),
    st.none() | st.floats(0, 1e9),
)
times = st.none() | st.floats()
explanations = st.builds(
    Explanation,
    by=st.sampled_from(["", "kernel", "network+kernel", "ceiling", "unanswered", "rule"]) | texts,
    usual_p50=times,
    usual_p95=times,
    weekend=st.none() | st.booleans(),
    days=st.integers(0, 10**6),
    silent=st.lists(texts, max_size=3).map(lambda some: tuple(some * 20)),
    more_silent=st.integers(0, 10**6),
    door_used=times,
    door_open=st.none() | st.booleans(),
    at_door=st.none() | st.booleans(),
    doubts=st.lists(st.sampled_from(Doubt) | texts).map(tuple),
)
alerts = st.builds(
    Alert,
    id=st.builds(ulid, st.integers(0, 10**11), st.integers()),
    version=st.integers(1, 2**53),
    type=st.sampled_from(AlertType),
    level=st.sampled_from(Level),
    state=st.sampled_from(AlertState),
    at=instants,
    raised=instants,
    subject=texts,
    because=texts,
    open=st.booleans(),
    cause=st.booleans(),
    quiet=quiets,
    outcome=st.none() | st.sampled_from(Outcome),
    service=st.none() | texts,
    by=texts,
    presses=st.integers(0, 10**6),
    suspect=st.lists(texts, max_size=3).map(lambda some: tuple(some * 20)),
    away=st.none() | st.booleans(),
    explanation=st.none() | explanations,
)
summaries = st.builds(
    Summary,
    walls,
    st.floats(0, 1e5),
    st.dictionaries(texts, st.integers(0, 10**9), max_size=9),
    st.booleans(),
    st.booleans(),
)


@given(alerts, st.integers(1, 10**11), st.booleans())
@settings(max_examples=200)
def test_every_alert_can_be_sent_and_is_understood(alert: Alert, sequence: int, old: bool) -> None:
    payload = ENCODER.alert(alert, sequence, old=old)
    event = decode(leaf_of(alert), payload, hub=samples.HUB)
    assert isinstance(event, wire.AlertEvent | wire.NoteEvent)
    data = event.data
    assert (data.alert_id, data.version, data.type) == (alert.id, alert.version, alert.type)
    assert (data.level, data.state, data.open) == (alert.level, alert.state, alert.open)
    assert len(payload) <= fields.MAX_BYTES


@given(summaries, st.integers(1, 10**11))
def test_every_summary_can_be_sent_and_is_understood(summary: Summary, sequence: int) -> None:
    event = decode("telemetry", ENCODER.telemetry(summary, sequence), hub=samples.HUB)
    assert isinstance(event, wire.TelemetryEvent)
    assert event.data.away is summary.away


@given(st.lists(alerts, max_size=5).map(lambda some: some * 15))
@settings(max_examples=30)
def test_the_snapshot_always_fits_and_leaves_out_no_open_alert_for_an_ended_one(
    many: list[Alert],
) -> None:
    payload = ENCODER.alarms(many, 1, samples.at(0))
    event = decode("alarms", payload, hub=samples.HUB)
    assert isinstance(event, wire.AlarmsEvent)
    told = event.data.alarms
    assert len(told) + event.data.more == len(many)
    if event.data.more:
        assert sum(line.open for line in told) == min(len(told), sum(a.open for a in many))


@given(alerts, alerts, st.text(min_size=1))
def test_an_id_follows_from_journal_lane_and_sequence_alone(
    alert: Alert, other: Alert, boot: str
) -> None:
    here = json.loads(ENCODER.alert(alert, 5))["id"]
    there = Encoder(samples.HOME, boot=boot, journal=samples.JOURNAL)
    assert json.loads(there.alert(alert, 5, old=True))["id"] == here
    assert json.loads(ENCODER.alert(alert, 6))["id"] != here


GOLDEN = [*hub_messages().values(), *(payload for _, payload in signed_payloads().values())]

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A real message with some bytes replaced, doubled or left out, or with one field changed."""
    golden = draw(st.sampled_from(GOLDEN))
    if draw(st.booleans()):
        event = json.loads(golden)
        target = event["data"] if isinstance(event.get("data"), dict) else event
        target[draw(st.sampled_from(sorted(target)))] = draw(jsons)
        return json.dumps(event).encode()
    begin = draw(st.integers(0, len(golden)))
    end = draw(st.integers(begin, len(golden)))
    return golden[:begin] + draw(st.binary(max_size=20)) + golden[end:]


@given(
    st.sampled_from([*topics.UP, "x"]),
    st.binary() | mangled() | jsons.map(lambda value: json.dumps(value).encode()),
)
@example("hb", b'{"type":"kr.ansim.hb.v1"' + b',"a":1' * 1000 + b"}")
@example("hb", b'{"type":"kr.ansim.x.v1","data":' + b"[" * 8000)
@settings(max_examples=500)
def test_whatever_arrives_is_a_message_or_one_known_error(leaf: str, payload: bytes) -> None:
    assert fault_of(lambda: decode(leaf, payload, hub=samples.HUB)) in REASONS


@given(st.binary() | mangled() | jsons.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=500)
def test_whatever_was_signed_is_an_answer_or_one_known_error(payload: bytes) -> None:
    for read in (decode_answer, decode_centre_state):
        assert fault_of(partial(read, payload)) in REASONS


TOKEN = SIGNER.sign(GOLDEN[-1], ANSWER)


@st.composite
def forged(draw: st.DrawFn) -> str | bytes:
    """A real token that was tampered with."""
    begin = draw(st.integers(0, len(TOKEN)))
    end = draw(st.integers(begin, len(TOKEN)))
    return TOKEN[:begin] + draw(st.text(max_size=10)) + TOKEN[end:]


@given(st.binary() | st.text() | forged())
@settings(max_examples=1000)
def test_no_forged_token_is_ever_believed(token: str | bytes) -> None:
    fault = fault_of(lambda: VERIFIER.verify(token, ANSWER))
    assert fault in FAULTS
    assert (fault is None) is (token in (TOKEN, TOKEN.encode()))


@given(st.text() | st.from_regex(r"ansim/v1/[^/]*/[^/]*/(up|dn)/[^/]*"))
def test_a_topic_is_ours_and_says_the_same_or_is_refused(topic: str) -> None:
    try:
        parsed = topics.parse(topic)
    except ContractError:
        return
    assert str(parsed) == topic
