"""A signing key for tests; everybody knows it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.security.signing import Signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SIGNER = Signer(KEY, "c1")
