"""Writes docs/contract: schemas, AsyncAPI file and golden examples, and fills examples and tables
into docs/centre.md beside it (``--check``: only compares).

    python -m gateway.contract.generate [--check] [FOLDER]

The same code always makes the same bytes. It holds the signing of examples with a test key, which
no hub needs; nothing but this script and the tests imports it.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.contract import asyncapi, guide, samples, schemas
from gateway.contract import messages as wire
from gateway.domain.alert import Alert, Outcome

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "contract"

GUIDE = "centre.md"

ALERTS: dict[str, Alert] = {
    "alert.smoke-1-raised": samples.SMOKE_RAISED,
    "alert.smoke-2-cleared-stays-open": samples.SMOKE_CLEARED,
    "alert.help-1-raised": samples.HELP_RAISED,
    "alert.help-2-pressed-again": samples.HELP_AGAIN,
    "alert.help-3-accepted": samples.HELP_ACCEPTED,
    "alert.help-4-closed": samples.HELP_CLOSED,
    "alert.inactivity-1-watch": samples.QUIET_WATCH,
    "alert.inactivity-2-escalated": samples.QUIET_WARNING,
    "alert.inactivity-3-cleared": samples.QUIET_CLEARED,
    "alert.sensor-lost": samples.LOST,
    "alert.sensor-battery": samples.BATTERY,
    "alert.sensor-set-aside": samples.SET_ASIDE,
    "alert.routine-drift": samples.DECLINE,
}
"""Alerts by example name, in the order of their sequence in the lane."""


def hub_messages() -> dict[str, bytes]:
    """Every message a hub can send, as the bytes on the wire, by example name; the name's first
    word is the last word of the topic."""
    encoder = samples.encoder()
    found = {
        "state.online": encoder.state("online", 1, samples.at(0)),
        "state.offline": encoder.state("offline", 4, samples.at(22)),
        "state.lost": encoder.state("lost", 0, samples.at(0)),
        "birth": encoder.birth(samples.birth(), 2, samples.at(0)),
        "hb.watching": encoder.heartbeat(
            samples.heartbeat(samples.WATCHING, hours=4.0), 48, samples.at(4.0)
        ),
        "hb.blind": encoder.heartbeat(
            samples.heartbeat(samples.BLIND, hours=6.0), 72, samples.at(6.0)
        ),
        "event.away": encoder.alert(samples.AWAY, 7),
        "event.visit": encoder.alert(samples.VISIT, 130),
        "telemetry": encoder.telemetry(samples.SUMMARY, 1),
        "alarms": encoder.alarms(
            [samples.SMOKE_CLEARED, samples.HELP_CLOSED, samples.QUIET_WARNING], 3, samples.at(18.0)
        ),
    }
    for sequence, (name, alert) in enumerate(ALERTS.items(), start=1):
        found[name] = encoder.alert(alert, sequence)
    late = encoder.alert(samples.LOST, len(ALERTS), old=True)
    return {**found, "alert.sensor-lost-sent-again": late}


def signed_payloads() -> dict[str, tuple[str, bytes]]:
    """Everything a centre can say: example name -> (typ, payload)."""
    of = samples.HELP_AGAIN.id
    quiet = samples.QUIET_WARNING.id
    said: dict[str, wire.Answer] = {
        "answer.received": samples.answer(1772323200001, 4.0, wire.AlertReceipt(of, 1, "received")),
        "answer.accepted": samples.answer(
            1772323200002, 4.02, wire.AlertReceipt(of, 2, "accepted", by="operator")
        ),
        "answer.acting": samples.answer(
            1772323200003, 4.1, wire.AlertReceipt(of, 3, "acting", by="operator")
        ),
        "answer.closed": samples.answer(
            1772323200004,
            4.6,
            wire.AlertReceipt(
                of, 3, "closed", by="operator", outcome=Outcome.TRUE, service="visited by 119"
            ),
        ),
        "answer.rejected": samples.answer(
            1772323200005, 18.0, wire.AlertReceipt(quiet, 2, "rejected", reason="busy")
        ),
        "answer.records": samples.answer(
            1772323200006, 18.1, wire.RecordsReceipt(samples.JOURNAL, 12)
        ),
        "answer.several": samples.answer(
            1772323200007,
            18.2,
            wire.AlertReceipt(quiet, 1, "received"),
            wire.AlertReceipt(quiet, 2, "received"),
            wire.RecordsReceipt(samples.JOURNAL, 13),
        ),
    }
    states: dict[str, wire.CentreStateData] = {
        f"centre-state.{word}": wire.CentreStateData(
            samples.CENTRE, word, samples.encoder().time(samples.at(0).wall)
        )
        for word in ("online", "offline")
    }
    return {
        **{name: ("ansim-answer", msgspec.json.encode(one)) for name, one in said.items()},
        **{name: ("ansim-centre-state", msgspec.json.encode(one)) for name, one in states.items()},
    }


def sign(payload: bytes, typ: str) -> str:
    """A token made with the example key, step by step as docs/centre.md tells it: on purpose not
    the code of gateway.security, so that the two prove each other in a test."""
    header = f'{{"alg":"EdDSA","kid":"{samples.CENTRE}","typ":"{typ}"}}'.encode()
    signing_input = _base64url(header) + "." + _base64url(payload)
    return signing_input + "." + _base64url(_key().sign(signing_input.encode()))


def files() -> dict[str, bytes]:
    """All of docs/contract that is generated, by path."""
    made: dict[str, bytes] = {"asyncapi.json": _pretty(asyncapi.document())}
    for name in schemas.NAMES:
        made[f"schemas/{name}.json"] = _pretty(schemas.schema(name))
    for name, payload in hub_messages().items():
        made[f"examples/{name}.json"] = _pretty(json.loads(payload))
    for name, (typ, payload) in signed_payloads().items():
        made[f"examples/{name}.json"] = payload
        made[f"examples/{name}.jws"] = sign(payload, typ).encode()
    made["examples/key.jwk.json"] = _pretty(
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": samples.CENTRE,
            "d": samples.KEY_D,
            "x": samples.KEY_X,
        }
    )
    return made


def document(folder: Path) -> dict[str, bytes]:
    """docs/centre.md beside the folder, with its examples and tables filled."""
    path = folder.parent / GUIDE
    if not path.exists():
        return {}
    examples = hub_messages()
    for name, (typ, payload) in signed_payloads().items():
        examples[name] = payload
        examples[f"{name}.jws"] = sign(payload, typ).encode()
    return {f"../{GUIDE}": guide.fill(path.read_text(encoding="utf-8"), examples).encode()}


def differences(folder: Path) -> list[str]:
    """What in the folder is not as it would be made: changed, missing or left over."""
    made = files() | document(folder)
    there = {
        str(path.relative_to(folder))
        for part in (folder, folder / "schemas", folder / "examples")
        for path in part.glob("*.*")
        if path.suffix in (".json", ".jws")
    }
    wrong = [
        name
        for name, data in made.items()
        if not (folder / name).exists() or (folder / name).read_bytes() != data
    ]
    return sorted([*wrong, *(there - made.keys())])


def write(folder: Path) -> None:
    """Make everything, and remove what is no longer made."""
    made = files() | document(folder)
    for name in differences(folder):
        data = made.get(name)
        path = folder / name
        if data is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def main(arguments: list[str]) -> int:
    """1 if ``--check`` finds a difference."""
    check = "--check" in arguments
    rest = [word for word in arguments if word != "--check"]
    folder = Path(rest[0]) if rest else FOLDER
    wrong = differences(folder)
    for name in wrong:
        sys.stdout.write(f"{'differs' if check else 'written'}: {folder / name}\n")
    if not check:
        write(folder)
    return 1 if check and wrong else 0


def _key() -> Ed25519PrivateKey:
    seed = base64.urlsafe_b64decode(samples.KEY_D + "=")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
