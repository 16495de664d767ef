"""The dates of certificates, judged without believing the system's clock (R17, T3).

A hub has no clock chip: it wakes in 1970, may be told a date ten years off, and must still reach
its broker. So OpenSSL checks everything of a chain but its dates (``tls.client_context`` with
``dates=False``), and this module judges those of the whole verified chain by what is known of the
time. Two things are known:

* a time that has certainly passed: the release of the program, the date on our own certificate, and
  the newest time in a signed answer of the centre (kept in the journal). Nobody but the centre can
  move it. What ended before it has expired, whatever any clock says;
* the wall clock, but only if somebody set it and it lies where it can lie: not before that time,
  and not further beyond it than a hub can have been switched off.

Nothing is ever refused because a clock is wrong; what is refused is tried again for ever.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

from cryptography import x509
from msgspec import Struct

from gateway.domain.errors import CertificateError
from gateway.domain.instant import DAY, RELEASED, Instant

TOLERANCE = DAY
"""Seconds by which two clocks that are both right may differ, and by which a certificate may begin
in the future. The office back-dates its certificates by two days for the same reason."""

LONGEST_OFF = 400 * DAY
"""Seconds for which a hub can plausibly have been off: a year in a store room and some weeks. A
wall clock further ahead counts as wrong until the centre's signed answer says the same."""


class Passed(Struct, frozen=True):
    """A time that has certainly passed.

    ``wall``      seconds since 1970-01-01 UTC
    ``boot``      the run of the program in which that became known; empty if it was an earlier one
    ``boottime``  seconds of that run's clock at that moment
    """

    wall: float = RELEASED
    boot: str = ""
    boottime: float = 0.0

    def by(self, now: Instant) -> float:
        """The earliest wall second that ``now`` can be."""
        if self.boot and self.boot == now.boot:
            return self.wall + max(0.0, now.boottime - self.boottime)
        return self.wall


class Dates(Struct, frozen=True):
    """From when to when a certificate is valid, in wall seconds. ``issuer`` tells an authority's
    certificate, for the sentence to a technician."""

    begins: float
    ends: float
    issuer: bool = False


def known_time(now: Instant, passed: Passed) -> float | None:
    """The wall second of ``now`` if it is known; None if the clock was never set or cannot be
    right. Within the run in which ``passed`` became known, a day of difference is a wrong clock."""
    earliest = passed.by(now)
    ahead = TOLERANCE if passed.boot and passed.boot == now.boot else LONGEST_OFF
    if now.synced and earliest - TOLERANCE <= now.wall <= earliest + ahead:
        return now.wall
    return None


def told_by_centre(wall: float, now: Instant, passed: Passed) -> Passed:
    """What has certainly passed once a centre signed ``wall`` in an answer to this very run.

    Where it agrees with a clock that somebody set, two that know nothing of each other say the same:
    that is the time, also if it is earlier than what was held before. Otherwise a centre whose own
    clock is wrong must not make certificates expire: a time that contradicts a known one, or lies
    further ahead than a hub can have been off, changes nothing.
    """
    agreed = now.synced and abs(wall - now.wall) <= TOLERANCE and wall >= RELEASED
    earliest = passed.by(now)
    possible = known_time(now, passed) is None and earliest < wall <= earliest + LONGEST_OFF
    return Passed(wall, now.boot, now.boottime) if agreed or possible else passed


def judge(chain: Iterable[Dates], now: Instant, passed: Passed) -> None:
    """CertificateError "expired" or "not-yet-valid" if one of the chain certainly is.

    A certificate that ended before the earliest possible time is refused, and one that ended or
    has not begun by a time that is known.
    """
    known = known_time(now, passed)
    latest = passed.by(now) if known is None else max(passed.by(now), known)
    for dates in chain:
        whose = "authority's certificate" if dates.issuer else "broker's certificate"
        if dates.ends < latest:
            raise CertificateError(
                f"The {whose} has expired; renew it at the office.", reason="expired"
            )
        if known is not None and dates.begins > known + TOLERANCE:
            raise CertificateError(
                f"The {whose} is not valid yet; look at the broker's and the hub's clock.",
                reason="not-yet-valid",
            )


def verified_chain(connection: ssl.SSLSocket) -> tuple[Dates, ...]:
    """Dates of the chain that OpenSSL has verified, from the broker's to the authority's.

    Raises CertificateError where this Python does not tell: then nothing can be judged.
    """
    chain = _chain(connection)
    if not chain:
        raise CertificateError(
            "This Python does not tell a connection's certificates; use Python 3.11 or newer.",
            reason="no-chain",
        )
    found = [x509.load_der_x509_certificate(der) for der in chain]
    return tuple(_dates(one, issuer=number > 0) for number, one in enumerate(found))


def begun(pem: bytes) -> float:
    """The wall second from which a certificate of our own holds: the office made it then, so that
    time has passed. ``RELEASED`` for what cannot be read (``tls`` tells that better)."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_before_utc.timestamp()
    except ValueError:
        return RELEASED


def _dates(certificate: x509.Certificate, *, issuer: bool) -> Dates:
    return Dates(
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        issuer,
    )


def _chain(connection: ssl.SSLSocket) -> Sequence[bytes]:
    public = getattr(connection, "get_verified_chain", None)
    if public is not None:  # Python 3.13: DER of each
        return list(public())
    # Python 3.10 to 3.12 have the same below the surface, as objects that print themselves.
    inner: Any = getattr(connection, "_sslobj", None)
    hidden = getattr(inner, "get_verified_chain", None)
    if hidden is None:
        return ()
    return [one if isinstance(one, bytes) else one.public_bytes(_DER) for one in hidden() or ()]


_DER = 2
"""``_ssl.ENCODING_DER``: X509_FILETYPE_ASN1 of OpenSSL, which has no public name in Python."""
