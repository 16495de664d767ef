"""When a version is another one under a number that is taken.

A hub counts the versions of an alert in its journal. If that was set back to an earlier copy (a
card restored, its last writes lost), the next press gets a number that this centre already has.
Both are kept, and the second is news like any other: for its hub it is received and over.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from gateway.contract import messages as wire

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATA = msgspec.json.Decoder(wire.AlertData)


def facts(data: wire.AlertData) -> str:
    """A digest of what a version tells people: two with the same facts are one version.

    Left out is what may differ when the same version is sent again: the envelope with its ids, its
    sequence and its clock flag, ``old``, sentences and codes (made anew by each program from the
    same facts), and fields that this program does not know. Also left out is what only describes
    the moment (``quiet``, ``away``, suspects, the explanation): ``at`` names that moment.
    """
    told = (
        _instant(data.raised_at),
        _instant(data.at),
        data.type,
        data.level,
        data.state,
        data.subject,
        data.because,
        data.open,
        data.cause,
        data.presses,
        data.days_left,
        data.outcome,
        data.service,
        data.by,
    )
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=16).hexdigest()


def facts_of(body: str) -> str:
    """The same of a version as it is stored; of a row that has rotted nothing: then what comes is
    news."""
    try:
        return facts(_DATA.decode(body))
    except msgspec.MsgspecError:
        return ""


def _instant(text: str) -> float | str:
    """The same moment is the same in whatever offset; what is no date stays text."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH).total_seconds()
    except (ValueError, OverflowError):
        return text
