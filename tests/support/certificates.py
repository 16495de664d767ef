"""Certificates of a town's own authority with dates as a test wants them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


def dated_broker(ca: Path, like: Path, out: Path, begins: datetime, ends: datetime) -> Path:
    """``out`` with broker.crt and broker.key as in ``like``, valid from ``begins`` to ``ends``."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate((ca / "ca.crt").read_bytes())
    issuer_key = load_pem_private_key((ca / "ca.key").read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    good = x509.load_pem_x509_certificate((like / "broker.crt").read_bytes())
    builder = (
        x509.CertificateBuilder()
        .subject_name(good.subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    for extension in good.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    out.mkdir()
    certificate = builder.sign(issuer_key, hashes.SHA256())
    (out / "broker.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (out / "broker.key").touch(0o600)
    (out / "broker.key").write_bytes(private)
    (out / "ca.crt").write_bytes((ca / "ca.crt").read_bytes())
    return out
