"""Whether a genuine answer is meant for this hub, this run and this moment."""

from __future__ import annotations

from typing import Protocol

from gateway.domain.errors import SignatureError


class Bound(Protocol):
    """What binds an answer (``contract.messages.Answer`` has it)."""

    @property
    def hub(self) -> str: ...

    @property
    def bootid(self) -> str: ...

    @property
    def centre(self) -> str: ...

    @property
    def counter(self) -> int: ...


def counter_name(centre: str) -> str:
    """Under which name the journal keeps the last counter of a centre."""
    return f"centre:{centre}"


def check_answer(answer: Bound, *, kid: str, hub: str, boot: str, last_counter: int | None) -> None:
    """SignatureError if the answer, whose signature by ``kid`` is genuine, is not for us.

    ``last_counter`` is the highest counter ever taken from this centre; an equal one is refused
    as well as a lower one. The caller stores the new counter in the commit that holds the
    answer's effects. Reasons: wrong-centre, wrong-hub, wrong-boot, repeated.
    """
    if answer.centre != kid:
        raise SignatureError(
            "the centre in the answer did not sign it; look who sent it", reason="wrong-centre"
        )
    if answer.hub != hub:
        raise SignatureError("the answer is for another hub; ignored", reason="wrong-hub")
    if answer.bootid != boot:
        raise SignatureError(
            "the answer is for an earlier run of this hub; answer its newest message",
            reason="wrong-boot",
        )
    if last_counter is not None and answer.counter <= last_counter:
        raise SignatureError(
            "the answer's counter does not rise; count up for every answer", reason="repeated"
        )
