"""Signed messages: JSON Web Signature, compact form (RFC 7515), Ed25519 (RFC 8037), nothing else.

The header is not an invitation to choose: there is one algorithm, the type is the one expected,
the key is one that is already held, and a header with anything more is refused. So none of the
known ways to talk a verifier out of verifying has a place to begin.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from gateway.domain.errors import SignatureError

ANSWER = "ansim-answer"
"""``typ`` of an answer on dn/ack."""

CENTRE_STATE = "ansim-centre-state"
"""``typ`` of a centre's state."""

MAX_TOKEN = 8192
"""Largest token in bytes, that of every message."""

SIGNATURE_BYTES = 64


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    kid: str
    typ: str


_HEADER = msgspec.json.Decoder(_Header)


class Signer:
    """Signs with one Ed25519 key under one key id."""

    def __init__(self, key: Ed25519PrivateKey, kid: str) -> None:
        self.kid = kid
        self._key = key

    def sign(self, payload: bytes, typ: str) -> str:
        """The token; SignatureError if it would be too long to be accepted."""
        header = msgspec.json.encode(_Header(alg="EdDSA", kid=self.kid, typ=typ))
        signed = _encode(header) + b"." + _encode(payload)
        token = signed + b"." + _encode(self._key.sign(signed))
        if len(token) > MAX_TOKEN:
            raise SignatureError(
                f"a token of {len(token)} bytes; say it in several", reason="too-long"
            )
        return token.decode("ascii")


class Verifier:
    """Verifies with the public keys that are held, by key id."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    @property
    def kids(self) -> frozenset[str]:
        """Whose signatures can be verified."""
        return frozenset(self._keys)

    def verify(self, token: str | bytes, typ: str) -> tuple[str, bytes]:
        """Key id and payload of a genuine token of this type.

        SignatureError's reason is one of too-long, bad-format, bad-type, unknown-key, forged.
        Nothing of the payload is looked at before its signature is found genuine.
        """
        raw = _ascii(token)
        signed, dot, tail = raw.rpartition(b".")
        head, middle, body = signed.partition(b".")
        if not dot or not middle or b"." in body:
            raise SignatureError("not three parts; not a signed message", reason="bad-format")
        try:
            header = _HEADER.decode(_decode(head))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SignatureError(
                "not the header that is agreed; sign with EdDSA, kid and typ only",
                reason="bad-format",
            ) from None
        if header.typ != typ:
            raise SignatureError("signed for another purpose; look who sent it", reason="bad-type")
        key = self._keys.get(header.kid)
        if key is None:
            raise SignatureError(
                "signed with a key that is not held; give the hub this centre's public key",
                reason="unknown-key",
            )
        payload = _decode(body)
        signature = _decode(tail)
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureError("not an Ed25519 signature; look who sent it", reason="bad-format")
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            raise SignatureError("the signature is false; look who sent it", reason="forged") from (
                None
            )
        return header.kid, payload


def _ascii(token: str | bytes) -> bytes:
    if len(token) > MAX_TOKEN:
        raise SignatureError(
            f"{len(token)} bytes are more than {MAX_TOKEN}; say it in several", reason="too-long"
        )
    if isinstance(token, bytes):
        return token
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise SignatureError("not base64url; not a signed message", reason="bad-format") from None


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """Strict base64url without padding: one text only for any bytes."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or _encode(data) != text:
        raise SignatureError("not base64url; not a signed message", reason="bad-format")
    return data
