"""Only what a known key signed for this purpose is believed."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.errors import SignatureError
from gateway.security.answers import check_answer
from gateway.security.signing import ANSWER, CENTRE_STATE, MAX_TOKEN, Verifier
from tests.support.signing import KEY, SIGNER

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")
VERIFIER = Verifier({"c1": KEY.public_key(), "c2": OTHER.public_key()})
TOKEN = SIGNER.sign(b'{"a":1}', ANSWER)


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header: object, payload: bytes = b"{}", key: Ed25519PrivateKey = KEY) -> str:
    """A token with any header, correctly signed."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{text(head)}.{text(payload)}"
    return f"{signed}.{text(key.sign(signed.encode()))}"


GOOD = {"alg": "EdDSA", "kid": "c1", "typ": ANSWER}


def test_what_was_signed_comes_back() -> None:
    assert VERIFIER.verify(TOKEN, ANSWER) == ("c1", b'{"a":1}')
    assert VERIFIER.verify(TOKEN.encode(), ANSWER) == ("c1", b'{"a":1}')
    assert VERIFIER.verify(token(GOOD), ANSWER) == ("c1", b"{}")
    assert VERIFIER.kids == {"c1", "c2"}


HEAD, BODY, TAIL = TOKEN.split(".")

BAD: list[tuple[str, str | bytes]] = [
    ("bad-format", ""),
    ("bad-format", "."),
    ("bad-format", ".."),
    ("bad-format", "..."),
    ("bad-format", f"{HEAD}.{BODY}"),
    ("bad-format", f"{HEAD}.{BODY}.{TAIL}.{TAIL}"),
    ("bad-format", f"{HEAD}.{BODY}."),
    ("bad-format", f"{HEAD}.{BODY}.{TAIL}\n"),
    ("bad-format", f"{HEAD}.{BODY}.{TAIL}=="),
    ("bad-format", f" {TOKEN}"),
    ("bad-format", f"{HEAD}.{BODY}.{TAIL[:-2]}"),
    ("bad-format", TOKEN.replace("A", "가", 1)),
    ("bad-format", b"\xff" * 100),
    ("too-long", "a" * (MAX_TOKEN + 1)),
    ("too-long", b"\0" * 1_000_000),
    ("bad-format", token({"alg": "none", "kid": "c1", "typ": ANSWER})),
    ("bad-format", token({"alg": "HS256", "kid": "c1", "typ": ANSWER})),
    ("bad-format", token({"alg": "eddsa", "kid": "c1", "typ": ANSWER})),
    ("bad-format", token({"alg": "EdDSA", "kid": "c1"})),
    ("bad-format", token({"alg": "EdDSA", "typ": ANSWER})),
    ("bad-format", token({"alg": "EdDSA", "kid": None, "typ": ANSWER})),
    ("bad-format", token(GOOD | {"jwk": {"kty": "OKP"}})),
    ("bad-format", token(GOOD | {"crit": ["b64"], "b64": False})),
    ("bad-format", token(b"[" * 5000)),
    ("bad-format", token(b"\xff")),
    ("bad-type", token(GOOD | {"typ": CENTRE_STATE})),
    ("bad-type", token(GOOD | {"typ": "JWT"})),
    ("unknown-key", token(GOOD | {"kid": "c9"})),
    ("unknown-key", token(GOOD | {"kid": "../c1"})),
    ("forged", token(GOOD, key=OTHER)),
    ("forged", token(GOOD | {"kid": "c2"})),
    ("forged", f"{HEAD}.{text(b'{}')}.{TAIL}"),
    ("forged", f"{text(json.dumps(GOOD).encode())}.{BODY}.{TAIL}"),
    ("forged", f"{HEAD}.{BODY}.{text(bytes(64))}"),
]


@pytest.mark.parametrize(("reason", "bad"), BAD)
def test_anything_else_is_refused_with_its_reason(reason: str, bad: str | bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        VERIFIER.verify(bad, ANSWER)
    assert caught.value.reason == reason


def test_a_signature_has_one_spelling_only() -> None:
    spellings = []
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        try:
            VERIFIER.verify(TOKEN[:-1] + last, ANSWER)
        except SignatureError:
            continue
        spellings.append(last)
    assert spellings == [TOKEN[-1]]


def test_what_no_hub_would_take_is_not_signed() -> None:
    with pytest.raises(SignatureError):
        SIGNER.sign(b"a" * 6200, ANSWER)
    assert len(SIGNER.sign(b"a" * 6000, ANSWER)) <= MAX_TOKEN


class Answer:
    """What binds an answer."""

    hub = "h-1"
    bootid = "b-1"
    centre = "c1"
    counter = 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kid": "c2"}, "wrong-centre"),
        ({"hub": "h-2"}, "wrong-hub"),
        ({"boot": "b-2"}, "wrong-boot"),
        ({"last_counter": 5}, "repeated"),
        ({"last_counter": 6}, "repeated"),
    ],
)
def test_a_genuine_answer_for_another_time_or_place_is_refused(
    change: dict[str, object], reason: str
) -> None:
    right: dict[str, object] = {"kid": "c1", "hub": "h-1", "boot": "b-1", "last_counter": 4}
    check_answer(Answer(), **right)  # type: ignore[arg-type]
    check_answer(Answer(), **right | {"last_counter": None})  # type: ignore[arg-type]
    with pytest.raises(SignatureError) as caught:
        check_answer(Answer(), **right | change)  # type: ignore[arg-type]
    assert caught.value.reason == reason
