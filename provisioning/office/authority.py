"""The town's certificate authority: one folder, kept in the office and backed up, never on a hub.

    folder/ca.crt         the authority's certificate; goes to every hub, centre and broker
    folder/ca.key         its private key (0600); whoever has it can be any hub
    folder/centres/*.pub  public signing keys of the centres; a copy goes to every hub
    folder/issued.jsonl   every certificate ever made: for the inventory and for revocation

Names (CN): a hub is its pseudonym, a centre ``centre-<id>``, a broker ``broker``. The broker
takes the name for the user name, so a name is a right.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.contract.topics import hub_id, pseudonym
from gateway.domain.errors import CertificateError
from gateway.security.keys import PUBLIC_SUFFIX, check_private, read

AUTHORITY_DAYS = 20 * 365
"""The authority outlives every hub it certifies."""

DEVICE_DAYS = 10 * 365
"""A hub or centre: longer than a hub's life, because a hub whose certificate has run out is
silent; it is taken out of service by revocation, not by waiting."""

BROKER_DAYS = 5 * 365

BACKDATED = timedelta(days=2)
"""A hub without a clock chip may wake up with yesterday's time and must still be believed."""

CENTRE_PREFIX = "centre-"
"""Begins the CN of a centre; no hub may be named so."""

_KEY_MODE = 0o600
_PUBLIC_MODE = 0o644
_FOLDER_MODE = 0o700


class Issued(msgspec.Struct, frozen=True):
    """One line of issued.jsonl."""

    at: str
    role: str
    name: str
    serial: str
    until: str


def create(folder: Path, *, name: str = "Ansim", force: bool = False) -> None:
    """A new authority. CertificateError if there is one already: replacing it makes every hub
    of the town unknown."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA"),
        ]
    )
    builder = _builder(subject, subject, key, AUTHORITY_DAYS)
    cert = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    _write_all(
        folder,
        {"ca.key": _private_pem(key), "ca.crt": cert.public_bytes(Encoding.PEM)},
        force=force,
    )


def hub(folder: Path, name: str, out: Path, *, force: bool = False) -> None:
    """``hub.crt``, ``hub.key``, ``ca.crt`` and ``centres/`` for one hub (CN: its pseudonym).

    Make the centres first: the hub gets the public keys of those that are there.
    """
    _refuse_to_replace(out, ("hub.key", "hub.crt", "ca.crt"), force=force)
    cert, key = _issue(folder, "hub", hub_id(name), [], DEVICE_DAYS)
    _write_all(out, {"hub.key": key, "hub.crt": cert, "ca.crt": _authority(folder)}, force=force)
    public = {path.name: path.read_bytes() for path in centre_keys(folder)}
    if public:
        _write_all(out / "centres", public, force=True)


def centre(folder: Path, name: str, out: Path, *, force: bool = False) -> None:
    """``centre.crt``, ``centre.key``, ``ca.crt``, ``signing.key`` and ``<name>.pub`` for one
    centre process (CN: ``centre-<name>``; the name is also the kid of its signatures)."""
    kid = pseudonym(name)
    _refuse_to_replace(
        out,
        ("centre.key", "signing.key", "centre.crt", "ca.crt", kid + PUBLIC_SUFFIX),
        force=force,
    )
    cert, key = _issue(folder, "centre", CENTRE_PREFIX + kid, [], DEVICE_DAYS)
    signing = Ed25519PrivateKey.generate()
    public = signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = {
        "centre.key": key,
        "signing.key": _private_pem(signing),
        "centre.crt": cert,
        "ca.crt": _authority(folder),
        kid + PUBLIC_SUFFIX: public,
    }
    _write_all(out, files, force=force)
    _write_all(folder / "centres", {kid + PUBLIC_SUFFIX: public}, force=True)


def broker(folder: Path, hosts: Sequence[str], out: Path, *, force: bool = False) -> None:
    """``broker.crt``, ``broker.key`` and ``ca.crt`` for a broker that is reached under these
    names or addresses; nothing else will be believed to be it."""
    if not hosts:
        raise CertificateError("a broker needs a name; give the one that hubs connect to")
    _refuse_to_replace(out, ("broker.key", "broker.crt", "ca.crt"), force=force)
    cert, key = _issue(folder, "broker", "broker", [_san(host) for host in hosts], BROKER_DAYS)
    _write_all(
        out, {"broker.key": key, "broker.crt": cert, "ca.crt": _authority(folder)}, force=force
    )


def centre_keys(folder: Path) -> list[Path]:
    """Public signing keys of all centres of this authority."""
    return sorted((folder / "centres").glob(f"*{PUBLIC_SUFFIX}"))


def issued(folder: Path) -> list[Issued]:
    """Every certificate made so far, oldest first."""
    path = folder / "issued.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Issued) for line in lines]


def _issue(
    folder: Path, role: str, name: str, hosts: list[x509.GeneralName], days: int
) -> tuple[bytes, bytes]:
    authority_key, authority_cert = _load(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    purpose = (
        ExtendedKeyUsageOID.SERVER_AUTH if role == "broker" else ExtendedKeyUsageOID.CLIENT_AUTH
    )
    builder = (
        _builder(subject, authority_cert.subject, key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    cert = builder.sign(authority_key, hashes.SHA256())
    _record(folder, role, name, cert)
    return cert.public_bytes(Encoding.PEM), _private_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _san(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise CertificateError(
            f"{host} is no host name; give it in ASCII (punycode) or as an address"
        ) from None


def _load(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    public = _authority(folder)
    key_path = folder / "ca.key"
    check_private(key_path, "authority's key")
    try:
        key = load_pem_private_key(read(key_path, "authority's key"), password=None)
        cert = x509.load_pem_x509_certificate(public)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(
            f"the authority in {folder} is damaged; bring ca.key and ca.crt back from the backup"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != cert.public_key():
        raise CertificateError(
            f"ca.key and ca.crt in {folder} do not belong together; bring both back from the backup"
        )
    return key, cert


def _authority(folder: Path) -> bytes:
    path = folder / "ca.crt"
    if not path.exists():
        raise CertificateError(f"no authority in {folder}; run: ansim-office ca init {folder}")
    return read(path, "authority's certificate")


def _private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _record(folder: Path, role: str, name: str, cert: x509.Certificate) -> None:
    line = Issued(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        role=role,
        name=name,
        serial=f"{cert.serial_number:x}",
        until=cert.not_valid_after_utc.isoformat(timespec="seconds"),
    )
    with (folder / "issued.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")


def _refuse_to_replace(folder: Path, names: Iterable[str], *, force: bool) -> None:
    """Asked before anything is made, so that no certificate is issued and then thrown away."""
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise CertificateError(
            f"{folder} already has {', '.join(there)}; choose another folder, or --force"
        )


def _write_all(folder: Path, files: dict[str, bytes], *, force: bool) -> None:
    """Keys are never readable by others, not even for a moment."""
    _refuse_to_replace(folder, files, force=force)
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for name, data in files.items():
            mode = _KEY_MODE if name.endswith(".key") else _PUBLIC_MODE
            fresh = folder / f".{name}.new"
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(folder / name)
    except OSError as error:
        raise CertificateError(
            f"cannot write to {folder} ({error.strerror}); check its owner and the disk"
        ) from None
