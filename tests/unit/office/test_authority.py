"""The town's authority and the broker's files, as commands and as functions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.domain.errors import CertificateError, ContractError
from provisioning.office import authority
from provisioning.office.broker import Broker, access_rules, configuration, write
from provisioning.office.main import COMMANDS, SUMMARIES, main, office

HUB = "h-7q2m9x4kt3"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    authority.create(tmp_path / "ca")
    return tmp_path / "ca"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(office, [str(word) for word in arguments], catch_exceptions=False)


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def name(cert: x509.Certificate) -> str | bytes:
    return cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_four_commands_make_a_town(tmp_path: Path) -> None:
    ca, out = tmp_path / "ca", tmp_path
    assert run("ca", "init", ca, "--name", "Yeoju").exit_code == 0
    assert run("ca", "centre", ca, "c1", "--out", out / "c1").exit_code == 0
    assert run("ca", "hub", ca, HUB, "--out", out / "hub").exit_code == 0
    made = run("ca", "broker", ca, "broker.example", "10.0.0.7", "--out", out / "broker")
    assert made.exit_code == 0
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        *("ca/ca.crt", "ca/ca.key", "ca/issued.jsonl", "ca/centres/c1.pub"),
        *("c1/ca.crt", "c1/centre.crt", "c1/centre.key", "c1/signing.key", "c1/c1.pub"),
        *("hub/ca.crt", "hub/hub.crt", "hub/hub.key", "hub/centres/c1.pub"),
        *("broker/ca.crt", "broker/broker.crt", "broker/broker.key"),
    }
    assert {mode(path) for path in tmp_path.rglob("*.key")} == {"0o600"}
    assert mode(ca) == "0o700"
    roles = [(one.role, one.name) for one in authority.issued(ca)]
    assert roles == [("centre", "centre-c1"), ("hub", HUB), ("broker", "broker")]
    words = ("--tenant", "yeoju", "--centre", "c1", "--certificates", out / "broker")
    assert run("broker", out / "conf", *words).exit_code == 0
    assert (out / "conf" / "mosquitto.conf").is_file()
    assert (out / "conf" / "acl").is_file()


def test_certificates_say_who_and_for_what(ca: Path, tmp_path: Path) -> None:
    authority.hub(ca, HUB, tmp_path / "hub")
    authority.centre(ca, "c1", tmp_path / "c1")
    authority.broker(ca, ["broker.example", "10.0.0.7"], tmp_path / "broker")
    hub = certificate(tmp_path / "hub" / "hub.crt")
    centre = certificate(tmp_path / "c1" / "centre.crt")
    broker = certificate(tmp_path / "broker" / "broker.crt")
    assert [name(cert) for cert in (hub, centre, broker)] == [HUB, "centre-c1", "broker"]
    for cert, purpose in (
        (hub, ExtendedKeyUsageOID.CLIENT_AUTH),
        (centre, ExtendedKeyUsageOID.CLIENT_AUTH),
        (broker, ExtendedKeyUsageOID.SERVER_AUTH),
    ):
        cert.verify_directly_issued_by(certificate(ca / "ca.crt"))
        key = cert.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
        extensions = cert.extensions
        assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    san = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert [str(ip) for ip in san.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]


def test_nothing_is_replaced_unless_it_is_asked_for(ca: Path, tmp_path: Path) -> None:
    before = (ca / "ca.key").read_bytes()
    with pytest.raises(CertificateError, match="--force"):
        authority.create(ca)
    authority.hub(ca, HUB, tmp_path / "hub")
    first = (tmp_path / "hub" / "hub.key").read_bytes()
    with pytest.raises(CertificateError, match="already has"):
        authority.hub(ca, HUB, tmp_path / "hub")
    assert (tmp_path / "hub" / "hub.key").read_bytes() == first
    assert (ca / "ca.key").read_bytes() == before
    assert len(authority.issued(ca)) == 1
    authority.hub(ca, HUB, tmp_path / "hub", force=True)
    assert (tmp_path / "hub" / "hub.key").read_bytes() != first
    assert not list(tmp_path.rglob(".*.new"))


def test_a_name_that_would_be_a_right_is_refused(ca: Path, tmp_path: Path) -> None:
    for bad in ("centre-c1", "broker", "centre", "Hub", "h/../x", "김영희"):
        with pytest.raises(ContractError):
            authority.hub(ca, bad, tmp_path / "hub")
    with pytest.raises(ContractError):
        authority.centre(ca, "c/1", tmp_path / "c")
    with pytest.raises(CertificateError):
        authority.broker(ca, ["브로커"], tmp_path / "b")
    with pytest.raises(CertificateError):
        authority.broker(ca, [], tmp_path / "b")
    assert not list(tmp_path.rglob("*.crt")) or list(tmp_path.rglob("*.crt")) == [ca / "ca.crt"]


def test_a_missing_or_damaged_authority_is_one_line(ca: Path, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="ansim-office ca init"):
        authority.hub(tmp_path / "none", HUB, tmp_path / "hub")
    authority.create(tmp_path / "other")
    (ca / "ca.crt").write_bytes((tmp_path / "other" / "ca.crt").read_bytes())
    with pytest.raises(CertificateError, match="do not belong together"):
        authority.hub(ca, HUB, tmp_path / "hub")
    (ca / "ca.key").write_text("-----BEGIN NONSENSE-----\n")
    with pytest.raises(CertificateError, match="backup"):
        authority.hub(ca, HUB, tmp_path / "hub")


def test_an_error_of_the_command_is_one_line_and_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ansim-office", "ca", "hub", str(tmp_path / "none"), HUB, "--out", str(tmp_path / "h")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 3
    told = capsys.readouterr().err
    assert told.startswith("ansim-office: no authority in")
    assert told.count("\n") == 1


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    assert set(COMMANDS) == set(SUMMARIES)
    code = (
        "import sys; from provisioning.office.main import office\n"
        "try: office(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'cryptography', 'paho', 'rich', 'provisioning.centre'} & set(sys.modules)\n"
        "sys.exit(1 if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for command in COMMANDS:
        assert f"  {command}" in done.stdout


def test_an_unknown_command_is_said_to_be_unknown() -> None:
    assert CliRunner().invoke(office, ["nonsense"]).exit_code == 2


BROKER = Broker(
    tenant="yeoju", centres=("c1", "c2"), certificates=Path("/etc/c"), data=Path("/var/d")
)


def test_the_broker_has_no_way_in_without_a_certificate() -> None:
    lines = configuration(BROKER, Path("/etc/acl")).splitlines()
    assert [line for line in lines if line.startswith(("listener", "port"))] == ["listener 8883"]
    for line in (
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "allow_anonymous false",
        "tls_version tlsv1.2",
        "acl_file /etc/acl",
        "persistence true",
        "max_packet_size 9216",
    ):
        assert line in lines


def test_each_centre_has_its_own_rules_and_a_hub_only_its_own_topics() -> None:
    rules = access_rules(BROKER)
    assert "user centre-c1\ntopic read ansim/v1/yeoju/+/up/#\n" in rules
    assert rules.count("topic write ansim/v1/yeoju/centre/state/c1\n") == 1
    assert "pattern write ansim/v1/yeoju/%u/up/#" in rules
    assert "pattern read ansim/v1/yeoju/%u/dn/#" in rules
    assert "readwrite" not in rules


def test_a_configuration_cannot_be_injected(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        access_rules(Broker("yeoju\ntopic readwrite #", ("c1",), tmp_path, tmp_path))
    with pytest.raises(ContractError):
        access_rules(Broker("yeoju", ("c1\nuser x",), tmp_path, tmp_path))
    with pytest.raises(CertificateError):
        write(Broker("yeoju", ("c1",), tmp_path / "a\nb", tmp_path), tmp_path / "conf")
