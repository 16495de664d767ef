"""A connection comes about only between two sides that our authority knows, and never plain (T5)."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.domain.errors import CertificateError
from gateway.security.keys import load_public_key, load_public_keys, load_signing_key
from gateway.security.tls import client_context, server_context
from provisioning.office import authority
from tests.support.certificates import dated_broker

HUB = "h-7q2m9x4kt3"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    authority.create(folder / "ca")
    authority.centre(folder / "ca", "c1", folder / "c1")
    authority.hub(folder / "ca", HUB, folder / "hub")
    authority.broker(folder / "ca", ["localhost", "127.0.0.1"], folder / "broker")
    authority.create(folder / "foreign")
    authority.hub(folder / "foreign", HUB, folder / "foreign-hub")
    authority.broker(folder / "foreign", ["localhost"], folder / "foreign-broker")
    authority.broker(folder / "ca", ["other.example"], folder / "other-broker")
    return folder


def client(folder: Path, role: str = "hub", ca: Path | None = None) -> ssl.SSLContext:
    return client_context(ca or folder / "ca.crt", folder / f"{role}.crt", folder / f"{role}.key")


def server(folder: Path, ca: Path | None = None, role: str = "broker") -> ssl.SSLContext:
    return server_context(ca or folder / "ca.crt", folder / f"{role}.crt", folder / f"{role}.key")


def shake(ours: ssl.SSLContext, theirs: ssl.SSLContext, host: str = "localhost") -> str | None:
    """A whole handshake in memory and one byte each way; the protocol that was agreed."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = ours.wrap_bio(down, up, server_hostname=host)
    far = theirs.wrap_bio(up, down, server_side=True)
    pending = [near, far]
    for _ in range(20):
        for side in list(pending):
            try:
                side.do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert not pending
    near.write(b"a")
    assert far.read(1) == b"a"  # with TLS 1.3 the server judges the client's certificate only here
    far.write(b"b")
    assert near.read(1) == b"b"
    return near.version()


def test_a_hub_and_its_broker_understand_each_other(town: Path) -> None:
    assert shake(client(town / "hub"), server(town / "broker")) == "TLSv1.3"
    assert shake(client(town / "c1", "centre"), server(town / "broker"), "127.0.0.1") == "TLSv1.3"


def test_a_broker_of_another_authority_is_not_believed(town: Path) -> None:
    foreign = server(town / "foreign-broker", town / "hub" / "ca.crt")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client(town / "hub"), foreign)


def test_a_broker_of_another_name_is_not_believed(town: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="ostname mismatch"):
        shake(client(town / "hub"), server(town / "other-broker"))


def test_a_hub_cannot_play_the_broker(town: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client(town / "c1", "centre"), server(town / "hub", role="hub"), HUB)


def test_a_hub_of_another_authority_gets_nowhere(town: Path) -> None:
    stranger = client(town / "foreign-hub", ca=town / "hub" / "ca.crt")
    with pytest.raises(ssl.SSLError):
        shake(stranger, server(town / "broker"))


def test_nobody_without_a_certificate_gets_in(town: Path) -> None:
    bare = ssl.create_default_context(cafile=town / "hub" / "ca.crt")
    with pytest.raises(ssl.SSLError):
        shake(bare, server(town / "broker"))


def test_an_older_protocol_is_refused(town: Path) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():  # Python, too, says that nobody should
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.load_cert_chain(town / "broker" / "broker.crt", town / "broker" / "broker.key")
    with pytest.raises(ssl.SSLError):
        shake(client(town / "hub"), old)


def expired(town: Path, folder: Path) -> Path:
    """A broker's certificate of the right authority that ran out yesterday."""
    now = datetime.now(UTC)
    return dated_broker(
        town / "ca", town / "broker", folder, now - timedelta(days=9), now - timedelta(days=1)
    )


def test_a_certificate_that_ran_out_is_not_believed(town: Path, tmp_path: Path) -> None:
    folder = expired(town, tmp_path / "expired")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake(client(town / "hub"), server(folder, town / "hub" / "ca.crt"))


def test_without_dates_all_else_is_still_checked(town: Path, tmp_path: Path) -> None:
    hub = town / "hub"
    undated = client_context(hub / "ca.crt", hub / "hub.crt", hub / "hub.key", dates=False)
    folder = expired(town, tmp_path / "expired")
    assert shake(undated, server(folder, hub / "ca.crt")) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(undated, server(town / "foreign-broker", hub / "ca.crt"))
    with pytest.raises(ssl.SSLCertVerificationError, match="ostname mismatch"):
        shake(undated, server(town / "other-broker"))


def private_file(path: Path, data: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(data)
    return path


def test_each_fault_of_a_file_is_one_line_with_a_remedy(town: Path, tmp_path: Path) -> None:
    hub = town / "hub"
    ca, cert, key = hub / "ca.crt", hub / "hub.crt", hub / "hub.key"
    nothing = tmp_path / "nothing.pem"
    junk = tmp_path / "junk.pem"
    junk.write_bytes(b"\0\xff" * 100)
    broken = private_file(tmp_path / "broken.pem", cert.read_bytes()[:300])
    private = load_pem_private_key(key.read_bytes(), None)
    locked = private_file(
        tmp_path / "locked.key",
        private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
    )
    public = tmp_path / "open.key"
    public.write_bytes(key.read_bytes())
    public.chmod(0o644)
    cases = [
        ((nothing, cert, key), "is missing"),
        ((ca, nothing, key), "is missing"),
        ((ca, cert, nothing), "is missing"),
        ((junk, cert, key), "not a PEM file"),
        ((broken, cert, key), "damaged"),
        ((ca, broken, key), "damaged"),
        ((ca, cert, locked), "pass phrase"),
        ((ca, cert, town / "c1" / "centre.key"), "does not belong"),
        ((ca, cert, public), "chmod 600"),
        ((ca, tmp_path, key), "cannot be read"),
    ]
    for files, words in cases:
        with pytest.raises(CertificateError) as caught:
            client_context(*files)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_signing_keys_load_and_their_faults_are_named(town: Path, tmp_path: Path) -> None:
    key = load_signing_key(town / "c1" / "signing.key")
    assert list(load_public_keys(town / "hub" / "centres")) == ["c1"]
    assert load_public_key(town / "c1" / "c1.pub") == key.public_key()
    with pytest.raises(CertificateError, match="no centre's public key"):
        load_public_keys(tmp_path)
    with pytest.raises(CertificateError, match="not an Ed25519 key"):
        load_signing_key(town / "hub" / "hub.key")
    wrong = tmp_path / "wrong.pub"
    wrong.write_bytes((town / "hub" / "hub.crt").read_bytes())
    with pytest.raises(CertificateError, match="damaged"):
        load_public_key(wrong)
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    with pytest.raises(CertificateError, match="pass phrase"):
        load_signing_key(private_file(tmp_path / "locked.key", locked))
