"""What goes over the wire: encoding, decoding, codes, sentences, topics."""

from __future__ import annotations

import json

import msgspec
import pytest

from gateway.contract import codes, fields, samples, topics
from gateway.contract import messages as wire
from gateway.contract.decode import decode, decode_answer, hub_of, sequence_of
from gateway.contract.encode import Encoder, lane_of, leaf_of
from gateway.contract.sentences import SENTENCES, sentence
from gateway.domain.alert import Alert, AlertState, AlertType, Doubt, Explanation, Level, Quiet
from gateway.domain.decisions import Summary
from gateway.domain.errors import ContractError
from gateway.domain.health import SensorState
from gateway.domain.household import Household
from gateway.domain.sensor import Kind

ENCODER = samples.encoder()

FULL = Explanation(
    by="network+kernel",
    usual_p50=50 * 3600.0 + 1,
    usual_p95=99 * 3600.0,
    weekend=False,
    days=3,
    silent=("s-bath", "s-door"),
    door_used=1.0,
    door_open=True,
    at_door=True,
    doubts=tuple(Doubt),
)
"""Every sentence that an explanation can have."""


def data(payload: bytes) -> dict[str, object]:
    found = json.loads(payload)["data"]
    assert isinstance(found, dict)
    return found


# ---------------------------------------------------------------- encoding


def test_the_same_row_has_the_same_id_in_every_run_of_the_hub() -> None:
    first = json.loads(ENCODER.alert(samples.HELP_RAISED, 3))
    later = Encoder(samples.HOME, boot="another-boot", journal=samples.JOURNAL)
    again = json.loads(later.alert(samples.HELP_RAISED, 3, old=True))
    assert again["id"] == first["id"]
    assert again["bootid"] == "another-boot"


def test_rows_journals_lanes_and_boots_do_not_share_ids() -> None:
    other_journal = Encoder(samples.HOME, boot=samples.BOOT, journal="another")
    other_boot = Encoder(samples.HOME, boot="another", journal=samples.JOURNAL)
    now = samples.at(1.0)
    alert = samples.HELP_RAISED
    note = msgspec.structs.replace(alert, level=Level.NOTE)
    made = [
        ENCODER.alert(alert, 3),
        ENCODER.alert(alert, 4),
        ENCODER.alert(note, 3),
        other_journal.alert(alert, 3),
        ENCODER.state("online", 1, now),
        ENCODER.state("offline", 1, now),
        ENCODER.state("lost", 1, now),
        other_boot.state("online", 1, now),
        ENCODER.alarms([], 1, now),
    ]
    ids = [json.loads(payload)["id"] for payload in made]
    assert ids[4] != ids[6]
    assert len(set(ids[:4])) == 4
    assert len({*ids[4:8]}) == 4


def test_a_message_that_waited_more_than_a_minute_is_marked_old() -> None:
    created = samples.HELP_RAISED.at.wall
    fresh = ENCODER.journalled(samples.HELP_RAISED, 1, created=created, now=created + 60.0)
    late = ENCODER.journalled(samples.HELP_RAISED, 1, created=created, now=created + 60.1)
    assert data(fresh)["old"] is False
    assert data(late)["old"] is True


def test_level_0_is_a_record_and_the_rest_is_an_alert() -> None:
    for level in Level:
        alert = msgspec.structs.replace(samples.QUIET_WATCH, level=level)
        assert leaf_of(alert) == ("event" if level == 0 else "alert")
        assert lane_of(alert) == ("record" if level == 0 else "alert")
        decode(leaf_of(alert), ENCODER.alert(alert, 1), hub=samples.HUB)
    assert leaf_of(samples.SUMMARY) == "telemetry"
    assert lane_of(samples.SUMMARY) == "record"


def test_a_will_stands_outside_the_count() -> None:
    will = json.loads(ENCODER.state("lost", 7, samples.at(0)))
    assert will["sequence"] == "000000000000"


def test_an_unsynced_clock_is_told() -> None:
    unsure = msgspec.structs.replace(samples.at(1.0), synced=False)
    alert = msgspec.structs.replace(samples.HELP_RAISED, at=unsure)
    assert json.loads(ENCODER.alert(alert, 1))["clock"] == "unsynced"
    assert json.loads(ENCODER.state("online", 1, unsure))["clock"] == "unsynced"


def test_the_snapshot_names_open_alarms_first_and_counts_what_does_not_fit() -> None:
    ended = msgspec.structs.replace(samples.HELP_CLOSED)
    many = [msgspec.structs.replace(ended, id=f"{n:026d}") for n in range(500)]
    payload = ENCODER.alarms([*many, samples.QUIET_WATCH], 1, samples.at(19.0))
    event = decode("alarms", payload, hub=samples.HUB)
    assert isinstance(event, wire.AlarmsEvent)
    assert len(payload) <= fields.MAX_BYTES
    assert event.data.alarms[0].alert_id == samples.QUIET_WATCH.id
    assert len(event.data.alarms) > 30
    assert len(event.data.alarms) + event.data.more == 501


def test_messages_of_a_home_with_absurd_names_still_fit() -> None:
    names = [f"센서-{n}-" + "가" * 80 for n in range(300)]
    sensors = tuple(msgspec.structs.replace(samples.HOME.sensors[0], id=name) for name in names)
    home = Household(hub=samples.HUB, sensors=sensors)
    encoder = Encoder(home, boot=samples.BOOT, journal=samples.JOURNAL)
    birth = encoder.birth_data(
        home, version="v" * 99, settings="s" * 99, model="m" * 99, heartbeat_s=300
    )
    assert len(birth.sensors) + birth.more_sensors == 300
    watch = msgspec.structs.replace(
        samples.BLIND, sensors={name: list(SensorState)[n % 4] for n, name in enumerate(names)}
    )
    beat = encoder.heartbeat_data(
        watch,
        interval_s=300,
        uptime_s=1.0,
        queue=wire.QueueData(0, 0, None),
        alert_sequence=0,
        record_sequence=0,
        power="mains",
        version="v" * 99,
        settings="s" * 99,
        model=None,
        faults=names,
        counters=dict.fromkeys(names, 2**40),
    )
    told = len(beat.sensors.stale) + len(beat.sensors.lost) + len(beat.sensors.unproven)
    assert beat.sensors.ok + told + beat.sensors.more == 300
    alert = msgspec.structs.replace(
        samples.HELP_RAISED,
        subject=names[0],
        because="\n" * 99,
        by=names[1],
        service=names[2],
        suspect=tuple(names),
        quiet=Quiet(sensor=names[3]),
        explanation=msgspec.structs.replace(
            FULL, by=names[4], silent=tuple(names), more_silent=9, doubts=(*Doubt, *names)
        ),
    )
    summary = Summary(samples.START, 600.0, dict.fromkeys(names, 10**9), away=False, blind=False)
    now = samples.at(0)
    decode("birth", encoder.birth(birth, 1, now))
    decode("hb", encoder.heartbeat(beat, 1, now))
    decode("alert", encoder.alert(alert, 1))
    decode("telemetry", encoder.telemetry(summary, 1))


# ---------------------------------------------------------------- decoding


def test_what_is_decoded_knows_its_hub_and_sequence() -> None:
    event = decode("alert", ENCODER.alert(samples.HELP_RAISED, 42))
    assert hub_of(event) == samples.HUB
    assert sequence_of(event) == 42


def changed(**members: object) -> bytes:
    return json.dumps(json.loads(ENCODER.alert(samples.HELP_RAISED, 1)) | members).encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "bad-format"),
        (b"\xff\xfe{", "bad-format"),
        (b'{"type": "\xff"}', "bad-format"),
        (b"[" * 5000, "bad-content"),
        (b'{"type":"kr.ansim.x.v1","data":' + b"[" * 5000, "bad-format"),
        (b"{" + b" " * 9000 + b"}", "too-long"),
        (b"{}", "missing-field"),
        (b"null", "bad-content"),
        (b'{"type": 7}', "bad-content"),
        (changed(specversion="2.0"), "bad-content"),
        (changed(sequence="1"), "bad-content"),
        (changed(sequence=1), "bad-content"),
        (changed(source="urn:ansim:hub:another-hub"), "bad-content"),
        (changed(lane="record"), "bad-content"),
        (changed(bootid=""), "bad-content"),
        (changed(data=None), "bad-content"),
        (changed(type="kr.ansim.hb.v1"), "bad-content"),
        (changed(data={}), "missing-field"),
    ],
)
def test_what_is_not_a_message_is_one_error_with_a_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(ContractError) as caught:
        decode("alert", payload, hub=samples.HUB)
    assert caught.value.reason == reason


def test_an_error_never_repeats_what_was_in_the_message() -> None:
    with pytest.raises(ContractError) as caught:
        decode("alert", changed(specversion="010-1234-5678"))
    assert "5678" not in str(caught.value)


def test_a_type_of_the_future_is_kept_as_it_is() -> None:
    payload = changed(
        type="kr.ansim.drift.v1", dataschema="urn:ansim:schema:drift:v1", data={"a": [1]}
    )
    for leaf in ("alert", "drift"):
        event = decode(leaf, payload, hub=samples.HUB)
        assert isinstance(event, wire.UnknownEvent)
        assert json.loads(bytes(event.data)) == {"a": [1]}


def answer(*parts: object) -> bytes:
    base = json.loads(msgspec.json.encode(samples.answer(1, 0.0)))
    return json.dumps(base | {"answers": list(parts)}).encode()


RECORDS = {"about": "records", "journalid": "j", "up_to": 3}
FUTURE = {"about": "weather", "rain": True}


def test_a_part_of_the_future_spoils_no_other_part() -> None:
    assert decode_answer(answer(FUTURE, RECORDS)).answers == [wire.RecordsReceipt("j", 3)]
    assert decode_answer(answer(FUTURE)).answers == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (answer(), "missing-field"),
        (answer({}), "missing-field"),
        (answer(7), "bad-content"),
        (answer(RECORDS | {"up_to": -1}), "bad-content"),
        (answer(RECORDS | {"up_to": 2**60}), "bad-content"),
        (answer({"about": "alert"}), "missing-field"),
        (answer(*[RECORDS] * 101), "bad-content"),
    ],
)
def test_a_bad_answer_is_refused_as_a_whole(payload: bytes, reason: str) -> None:
    with pytest.raises(ContractError) as caught:
        decode_answer(payload)
    assert caught.value.reason == reason


# ---------------------------------------------------------------- codes and sentences


def test_every_alert_type_has_a_code_a_due_time_and_a_sentence() -> None:
    for table in (codes.CODES, codes.DUE, SENTENCES):
        assert set(table) == set(AlertType)
    assert set(codes.DEVICES) == set(Kind)


def alert(alert_type: AlertType, state: AlertState, subject: str = "") -> Alert:
    return msgspec.structs.replace(samples.LOST, type=alert_type, state=state, subject=subject)


def test_scaip_codes_are_those_of_the_table() -> None:
    kinds = {"s-bed": Kind.OCCUPANCY}
    raised, cleared = AlertState.RAISED, AlertState.CLEARED
    assert codes.scaip(alert(AlertType.SMOKE, raised), kinds) == ("0023", "0009")
    assert codes.scaip(alert(AlertType.TECH_MAINS, raised), kinds) == ("0002", "0085")
    assert codes.scaip(alert(AlertType.TECH_MAINS, cleared), kinds) == ("0002", "0086")
    lost = AlertType.TECH_SENSOR_LOST
    assert codes.scaip(alert(lost, raised, "s-bed"), kinds) == ("0010", "0123")
    assert codes.scaip(alert(lost, cleared, "s-gone"), kinds) == ("", "0124")


def test_nobody_is_due_to_accept_below_level_2_and_level_4_is_at_once() -> None:
    for alert_type in AlertType:
        assert codes.due(alert_type, 0) == (None, None)
        assert codes.due(alert_type, 1).accepted is None
        assert codes.due(alert_type, 4) == (10, 60)
    assert codes.due("inactivity.warning", 2) == (30, 600)
    assert codes.due("inactivity.alarm", 3) == (30, 180)
    assert codes.due("of.the.future", 3) == (30, 1800)


def test_a_sentence_says_what_in_both_languages() -> None:
    assert sentence(samples.QUIET_WARNING, "en") == (
        "No activity for 12 hours: please call. Not sure: sensors not proven alive: 1."
    )
    assert sentence(samples.QUIET_WARNING, "ko").startswith("12시간 동안 활동이 없습니다.")
    assert sentence(samples.HELP_AGAIN, "en") == "The help button was pressed 2 times."
    assert sentence(samples.HELP_CLOSED, "en") == "Closed: The help button was pressed 2 times."


# ---------------------------------------------------------------- topics


def test_a_topic_and_its_parts_are_the_same() -> None:
    for leaf in topics.UP:
        topic = topics.up("yeoju", "h-1a", leaf)
        assert topic == f"ansim/v1/yeoju/h-1a/up/{leaf}"
        assert topics.parse(topic) == topics.HubTopic("yeoju", "h-1a", "up", leaf)
    assert topics.parse(topics.down("yeoju", "h-1a", "ack")) == (
        topics.HubTopic("yeoju", "h-1a", "dn", "ack")
    )
    assert topics.parse(topics.centre_state("yeoju", "c1")) == topics.CentreTopic("yeoju", "c1")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 33,
        "Hub-1",
        "김영희",
        "hub 1",
        "hub/1",
        "hub+",
        "#",
        "hub_1",
        "-hub",
        "hub-",
        "hub--1",
        "1hub",
        "hub-1\n",
        "b8:27:eb:aa:bb:cc",
        "aa27ebaabbcc",
        "aa-27-eb-aa-bb-cc",
        "centre",
        "centre-c1",
        "broker",
        "../../etc",
    ],
)
def test_no_hub_may_be_called(name: str) -> None:
    with pytest.raises(ContractError):
        topics.up("yeoju", name, "hb")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "ansim/v1",
        "ansim/v2/a1/b1/up/hb",
        "ansim/v1/a1/b1/left/hb",
        "ansim/v1/a1/centre/state/c1/more",
        "ansim/v1/a1/centre/up/hb",
        "ansim/v1/+/b1/up/hb",
        "x" * 5000,
    ],
)
def test_no_topic_of_ours(topic: str) -> None:
    with pytest.raises(ContractError):
        topics.parse(topic)
