"""TLS as we mean it: 1.2 or newer, both sides prove who they are, the name is checked, and only
our own authority is believed. No setting turns any of it off; who asks for a context without dates
has to judge them (``validity``)."""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.domain.errors import CertificateError
from gateway.security.keys import check_private, read

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL (x509_vfy.h); Python's ssl has no name for it."""


def client_context(ca: Path, cert: Path, key: Path, *, dates: bool = True) -> ssl.SSLContext:
    """For a hub or centre that connects. CertificateError names the file and the remedy.

    ``dates=False``: all is checked but the dates, which the caller judges right after the handshake
    and before it says a word (``validity``): for a hub, which cannot believe its system's clock.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # brings CERT_REQUIRED and the name check
    context.check_hostname = True
    _fill(context, ca, cert, key)
    if not dates:
        context.verify_flags |= NO_CHECK_TIME
    return context


def server_context(ca: Path, cert: Path, key: Path) -> ssl.SSLContext:
    """For a server that asks each client for its certificate (tests; a broker has its own)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _fill(context, ca, cert, key)
    return context


def _fill(context: ssl.SSLContext, ca: Path, cert: Path, key: Path) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    check_private(key)
    authority = read(ca, "authority's certificate")
    read(cert, "certificate")
    read(key, "private key")
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError):
        raise CertificateError(
            f"authority's certificate {ca} is damaged; get ca.crt from the office again"
        ) from None
    try:
        # without a password function OpenSSL would ask the terminal, and a service would hang
        context.load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error):
            raise CertificateError(
                f"private key {key} does not belong to certificate {cert}; "
                "take both from one run of ansim-office ca"
            ) from None
        raise CertificateError(
            f"certificate {cert} or private key {key} is damaged or has a pass phrase; "
            "get both from the office again"
        ) from None
