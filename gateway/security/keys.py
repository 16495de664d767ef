"""Keys and certificates from files, or one line that says which file and what to do."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateway.domain.errors import CertificateError

PUBLIC_SUFFIX = ".pub"
"""A centre's public signing key is a PEM file named after the centre: ``<centre id>.pub``."""

_LARGEST = 65536
"""Bytes; no key or certificate chain of ours comes near."""


def read(path: Path, what: str) -> bytes:
    """A file's bytes; CertificateError if it is missing, unreadable or no PEM."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except FileNotFoundError:
        raise CertificateError(
            f"{what} {path} is missing; get it from the office (ansim-office ca)"
        ) from None
    except OSError as error:
        raise CertificateError(
            f"{what} {path} cannot be read ({error.strerror}); check owner and mode"
        ) from None
    if b"-----BEGIN " not in data:
        raise CertificateError(f"{what} {path} is not a PEM file; get it from the office again")
    return data


def check_private(path: Path, what: str = "private key") -> None:
    """CertificateError if any user of the machine may read the key. A group may: that is how
    systemd hands credentials to a service."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # told by read()
    if stat.S_IMODE(mode) & stat.S_IRWXO:
        raise CertificateError(f"{what} {path} is open to everybody; run: chmod 600 {path}")


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """A centre's private signing key."""
    check_private(path, "signing key")
    data = read(path, "signing key")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        raise CertificateError(
            f"signing key {path} is damaged or has a pass phrase; make a new one "
            "(ansim-office ca centre)"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CertificateError(
            f"signing key {path} is not an Ed25519 key; use the file signing.key"
        )
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """A centre's public signing key."""
    data = read(path, "public key")
    try:
        key = load_pem_public_key(data)
    except ValueError:
        raise CertificateError(
            f"public key {path} is damaged; get it from the office again"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise CertificateError(f"public key {path} is not an Ed25519 key; use <centre id>.pub")
    return key


def load_public_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """All centres' public keys of a folder by key id: for a ``Verifier``. CertificateError if
    there is none: a hub that cannot verify anybody could never learn that it was heard."""
    keys = {
        path.name.removesuffix(PUBLIC_SUFFIX): load_public_key(path)
        for path in sorted(folder.glob(f"*{PUBLIC_SUFFIX}"))
    }
    if not keys:
        raise CertificateError(
            f"no centre's public key in {folder}; put <centre id>{PUBLIC_SUFFIX} from the office "
            "there"
        )
    return keys
