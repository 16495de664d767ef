"""Types, schemas, AsyncAPI file, examples and document say the same."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from gateway.contract import asyncapi, fields, generate, samples, schemas, topics
from gateway.contract import messages as wire
from gateway.contract.decode import decode, decode_answer, decode_centre_state
from gateway.domain.errors import ContractError
from gateway.security.keys import load_signing_key
from gateway.security.signing import ANSWER, CENTRE_STATE, Signer, Verifier

FOLDER = generate.FOLDER
HUB_EXAMPLES = generate.hub_messages()
SIGNED_EXAMPLES = generate.signed_payloads()


def validator(name: str) -> jsonschema.Draft202012Validator:
    path = FOLDER / "schemas" / f"{name}.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def leaf(example: str) -> str:
    return example.partition(".")[0]


def test_nothing_published_has_drifted() -> None:
    assert generate.differences(FOLDER) == []


def test_check_notices_a_changed_a_missing_and_a_left_over_file(tmp_path: Path) -> None:
    folder = tmp_path / "contract"
    generate.write(folder)
    assert generate.main(["--check", str(folder)]) == 0
    (folder / "schemas" / "hb.json").write_text("{}")
    (folder / "examples" / "birth.json").unlink()
    (folder / "examples" / "old.json").write_text("{}")
    wrong = ["examples/birth.json", "examples/old.json", "schemas/hb.json"]
    assert generate.differences(folder) == wrong
    assert generate.main(["--check", str(folder)]) == 1
    generate.write(folder)
    assert generate.differences(folder) == []


def test_the_document_is_filled_and_a_stale_table_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "centre.md").write_text("a\n<!-- table: levels -->\nstale\n<!-- end -->\nz\n")
    generate.write(tmp_path / "contract")
    text = (tmp_path / "centre.md").read_text()
    assert "stale" not in text
    assert "| 4 | emergency | 9 | Extreme |" in text
    assert text.startswith("a\n")
    assert text.endswith("<!-- end -->\nz\n")


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.schema(name))


@pytest.mark.parametrize("name", HUB_EXAMPLES)
def test_every_hub_example_fits_its_schema_and_its_type(name: str) -> None:
    text = (FOLDER / "examples" / f"{name}.json").read_text(encoding="utf-8")
    validator(leaf(name)).validate(json.loads(text))
    event = decode(leaf(name), HUB_EXAMPLES[name], hub=samples.HUB)
    assert type(event) is wire.EVENTS[leaf(name)]
    assert msgspec.json.encode(event) == HUB_EXAMPLES[name]
    assert len(HUB_EXAMPLES[name]) <= fields.MAX_BYTES


@pytest.mark.parametrize("name", SIGNED_EXAMPLES)
def test_every_signed_example_is_what_our_own_signer_makes(name: str, tmp_path: Path) -> None:
    typ, payload = SIGNED_EXAMPLES[name]
    validator(leaf(name)).validate(json.loads(payload))
    pem = tmp_path / "signing.key"
    pem.touch(0o600)
    pem.write_text(document_key())
    key = load_signing_key(pem)
    token = (FOLDER / "examples" / f"{name}.jws").read_text()
    assert Signer(key, samples.CENTRE).sign(payload, typ) == token
    verifier = Verifier({samples.CENTRE: key.public_key()})
    assert verifier.verify(token, typ) == (samples.CENTRE, payload)
    if typ == ANSWER:
        assert msgspec.json.encode(decode_answer(payload)) == payload
    else:
        assert typ == CENTRE_STATE
        assert msgspec.json.encode(decode_centre_state(payload)) == payload


def test_openssl_makes_the_signature_that_the_document_shows(tmp_path: Path) -> None:
    token = (FOLDER / "examples" / "answer.received.jws").read_text()
    signed, _, signature = token.rpartition(".")
    (tmp_path / "AB.txt").write_text(signed)
    (tmp_path / "key.pem").write_text(document_key())
    command = "openssl pkeyutl -sign -rawin -inkey key.pem -in AB.txt -out signature.bin"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    made = base64.urlsafe_b64encode((tmp_path / "signature.bin").read_bytes())
    assert made.decode().rstrip("=") == signature


def test_there_is_an_example_of_every_message_and_every_state() -> None:
    assert {leaf(name) for name in HUB_EXAMPLES} == set(wire.EVENTS)
    assert {leaf(name) for name in SIGNED_EXAMPLES} == set(schemas.SIGNED)
    alerts = [json.loads(p)["data"] for n, p in HUB_EXAMPLES.items() if leaf(n) == "alert"]
    states = {alert["state"] for alert in alerts}
    assert states >= {"raised", "escalated", "cleared", "accepted", "closed"}
    assert {alert["level"] for alert in alerts} >= {1, 2, 4}
    said = [
        part["state"]
        for _, payload in SIGNED_EXAMPLES.values()
        for part in json.loads(payload).get("answers", [])
        if part["about"] == "alert"
    ]
    assert set(said) == {"received", "accepted", "acting", "closed", "rejected"}


BREAKS: list[tuple[str, str, Any]] = [
    ("alert.help-1-raised", "level", 0),
    ("alert.help-1-raised", "level", 5),
    ("alert.help-1-raised", "level", "4"),
    ("alert.help-1-raised", "state", "done"),
    ("alert.help-1-raised", "alert_id", "1"),
    ("alert.help-1-raised", "version", 0),
    ("alert.help-1-raised", "at", "yesterday"),
    ("alert.help-1-raised", "sentence_ko", "가" * 201),
    ("event.away", "level", 1),
    ("hb.watching", "watching", "yes"),
    ("hb.watching", "interval_s", 0),
    ("state.lost", "state", "gone"),
    ("telemetry", "events", {"s-bath": "three"}),
    ("birth", "sensors", {}),
    ("alarms", "alarms", [{}]),
]


@pytest.mark.parametrize(("name", "field", "value"), BREAKS)
def test_schema_and_types_refuse_the_same(name: str, field: str, value: Any) -> None:
    event = json.loads(HUB_EXAMPLES[name])
    event["data"][field] = value
    assert not validator(leaf(name)).is_valid(event)
    with pytest.raises(ContractError) as caught:
        decode(leaf(name), json.dumps(event).encode())
    assert caught.value.reason in ("bad-content", "missing-field")


@pytest.mark.parametrize("name", HUB_EXAMPLES)
def test_schema_and_types_want_the_whole_envelope(name: str) -> None:
    for field in wire.Envelope.__struct_fields__:
        event = json.loads(HUB_EXAMPLES[name])
        del event[field]
        assert not validator(leaf(name)).is_valid(event)


@pytest.mark.parametrize("name", HUB_EXAMPLES)
def test_schema_and_types_ignore_what_is_new(name: str) -> None:
    event = json.loads(HUB_EXAMPLES[name])
    event["traceparent"] = "new"
    event["data"]["new"] = {"deep": [1]}
    validator(leaf(name)).validate(event)
    assert (
        msgspec.json.encode(decode(leaf(name), json.dumps(event).encode())) == (HUB_EXAMPLES[name])
    )


@pytest.mark.parametrize("state", ["closed", "rejected"])
def test_the_schema_wants_outcome_and_reason_as_decode_does(state: str) -> None:
    answer = json.loads(SIGNED_EXAMPLES["answer.received"][1])
    answer["answers"][0]["state"] = state
    assert not validator("answer").is_valid(answer)
    with pytest.raises(ContractError):
        decode_answer(json.dumps(answer).encode())
    answer["answers"][0] |= {"outcome": "test", "reason": "busy"}
    validator("answer").validate(answer)
    decode_answer(json.dumps(answer).encode())


def test_the_asyncapi_file_agrees_with_topics_types_and_schemas() -> None:
    document = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["version"] == fields.CONTRACT
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    filled = {
        name: address.format(tenant=samples.TENANT, hub=samples.HUB, centre=samples.CENTRE)
        for name, address in addresses.items()
    }
    assert filled == {
        **{word: topics.up(samples.TENANT, samples.HUB, word) for word in topics.UP},
        "answer": topics.down(samples.TENANT, samples.HUB, "ack"),
        "centreState": topics.centre_state(samples.TENANT, samples.CENTRE),
    }
    for reference in references(document):
        assert_points_somewhere(document, reference)
    for word, event in wire.EVENTS.items():
        message = document["components"]["messages"][event.__name__]
        schema = json.loads((FOLDER / message["payload"]["$ref"]).read_text(encoding="utf-8"))
        assert schema["title"] == event.__name__
        assert schema["properties"]["type"]["const"] == message["name"]
        operation = document["operations"][f"receive-{word}"]
        assert operation["bindings"]["mqtt"]["retain"] is (word in topics.RETAINED)
        assert operation["bindings"]["mqtt"]["qos"] == 1


def test_the_token_pattern_of_the_asyncapi_file_fits_every_token() -> None:
    for one in asyncapi.SIGNED:
        payload = asyncapi.document()["components"]["messages"][one.message]["payload"]
        for path in FOLDER.glob(f"examples/{one.schema}.*.jws"):
            assert re.fullmatch(payload["pattern"], path.read_text())


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [r for child in node.values() for r in references(child)]
    if isinstance(node, list):
        return [r for child in node for r in references(child)]
    return []


def assert_points_somewhere(document: dict[str, Any], reference: str) -> None:
    if reference.startswith("./"):
        assert (FOLDER / reference).is_file(), reference
        return
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]


def document_key() -> str:
    """The test key as docs/centre.md prints it."""
    text = (FOLDER.parent / "centre.md").read_text(encoding="utf-8")
    found = re.search(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n", text, re.DOTALL)
    assert found is not None
    return found.group()
