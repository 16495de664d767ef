"""Bytes from the wire into typed messages, or one ContractError that says why not.

Nothing here can hang, grow or stop a program, whatever the bytes are: size is checked before
anything is parsed, types before anything is used.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from gateway.contract.fields import MAX_BYTES
from gateway.contract.messages import (
    EVENTS,
    AlertData,
    AlertReceipt,
    Answer,
    CentreStateData,
    Envelope,
    Event,
    RecordsReceipt,
    UnknownEvent,
)
from gateway.domain.errors import ContractError

SOURCE = "urn:ansim:hub:"

T = TypeVar("T")


class _Probe(msgspec.Struct):
    """Only what is needed to see which type a message has."""

    type: str


class _AboutProbe(msgspec.Struct):
    about: str


class _RawAnswer(msgspec.Struct):
    """An answer whose parts are looked at one by one, so that an unknown kind spoils no other."""

    hub: str
    bootid: str
    centre: str
    counter: int
    at: str
    answers: list[msgspec.Raw]


_PROBE = msgspec.json.Decoder(_Probe)
_ABOUT = msgspec.json.Decoder(_AboutProbe)
_RAW_ANSWER = msgspec.json.Decoder(_RawAnswer)
_ANSWER = msgspec.json.Decoder(Answer)
_CENTRE_STATE = msgspec.json.Decoder(CentreStateData)
_UNKNOWN = msgspec.json.Decoder(UnknownEvent)
_EVENTS: dict[str, msgspec.json.Decoder[Event]] = {
    leaf: msgspec.json.Decoder(message) for leaf, message in EVENTS.items()
}
_TYPES = {f"kr.ansim.{leaf}.v1": leaf for leaf in EVENTS}
_KINDS = frozenset({"alert", "records"})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def decode(leaf: str, payload: bytes, *, hub: str | None = None) -> Event:
    """The message on ``up/{leaf}``; with ``hub``, also checked to come from the topic's hub.

    A type that is not known comes back as ``UnknownEvent``. ContractError's reason is one of
    too-long, bad-format, bad-content, missing-field.
    """
    probe = _parse(_PROBE, payload)
    known = _TYPES.get(probe.type)
    event: Event
    if known is None:
        event = _parse(_UNKNOWN, payload)
    elif known != leaf:
        raise ContractError(
            "the message's type does not belong to its topic; send it where it belongs",
            reason="bad-content",
        )
    else:
        event = _parse(_EVENTS[leaf], payload)
    if hub is not None and event.source != SOURCE + hub:
        raise ContractError(
            "the message's source is not the hub of its topic; look for a false hub",
            reason="bad-content",
        )
    data = event.data
    if isinstance(data, AlertData) and (data.level == 0) != (leaf == "event"):
        raise ContractError(
            "level 0 belongs to up/event, levels 1 to 4 to up/alert", reason="bad-content"
        )
    return event


def sequence_of(event: Envelope) -> int:
    """The sequence as a number."""
    return int(event.sequence)


def hub_of(event: Envelope) -> str:
    """The hub that says it says it."""
    return event.source.removeprefix(SOURCE)


def decode_answer(payload: bytes) -> Answer:
    """The payload of a verified answer. Parts of a kind that is not known are left out; if
    nothing is left the answer has no effect (``answers`` is empty)."""
    raw = _parse(_RAW_ANSWER, payload)
    if len(raw.answers) == 0:
        raise ContractError("an answer without any part; send none", reason="missing-field")
    known = [part for part in raw.answers if _parse(_ABOUT, bytes(part)).about in _KINDS]
    if len(known) == len(raw.answers):
        answer = _parse(_ANSWER, payload)
    else:
        thin = msgspec.structs.replace(raw, answers=known or [_PLACEHOLDER])
        answer = _parse(_ANSWER, msgspec.json.encode(thin))
        if not known:
            answer = msgspec.structs.replace(answer, answers=[])
    for part in answer.answers:
        _check_part(part)
    return answer


_PLACEHOLDER = msgspec.Raw(b'{"about":"records","journalid":"-","up_to":0}')


def decode_centre_state(payload: bytes) -> CentreStateData:
    """The payload of a verified centre's state."""
    return _parse(_CENTRE_STATE, payload)


def _check_part(part: AlertReceipt | RecordsReceipt) -> None:
    if isinstance(part, RecordsReceipt):
        return
    if part.state == "closed" and part.outcome is None:
        raise ContractError("closed needs an outcome; ask the operator", reason="missing-field")
    if part.state == "rejected" and part.reason is None:
        raise ContractError("rejected needs a reason; name one", reason="missing-field")


def _parse(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    if len(payload) > MAX_BYTES:
        raise ContractError(
            f"{len(payload)} bytes are more than {MAX_BYTES}; send less", reason="too-long"
        )
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        sentence = _QUOTED.sub("...", str(error))
        missing = "missing required field" in sentence
        raise ContractError(
            f"not as the schema says: {sentence}; compare with the schema",
            reason="missing-field" if missing else "bad-content",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError(
            "not JSON in UTF-8; compare with the examples", reason="bad-format"
        ) from None
