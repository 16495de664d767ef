"""What comes down: verified answers and centre states. Anything else is counted and kept aside.

The only word that ends an alert's sending is a signed answer for this hub and this start of the
program with a counter that was never used: a broker can deliver such an answer or not, but it
cannot make one, change one or say one twice (T6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from msgspec import Struct

from gateway.contract import topics
from gateway.contract.decode import decode_answer, decode_centre_state
from gateway.contract.fields import MAX_BYTES
from gateway.contract.messages import AlertReceipt, RecordsReceipt
from gateway.domain.errors import AnsimError, ContractError, JournalError, SignatureError
from gateway.domain.instant import RELEASED, Clock
from gateway.domain.observation import AnswerState, CentreAnswered
from gateway.journal import AlertReceived, Journal, Receipt
from gateway.journal import RecordsReceived as JournalledRecords
from gateway.security.answers import check_answer, counter_name
from gateway.security.signing import ANSWER, CENTRE_STATE, Verifier
from gateway.security.validity import Passed, told_by_centre
from gateway.uplink.centres import Centres
from gateway.uplink.peer import Incoming

PASSED = "time:passed"
"""Counter of the journal: the time that the centre told, in wall seconds."""

OnAnswer = Callable[[CentreAnswered], Awaitable[None]]
"""Called for what people at the centre say; returns once it is durable."""

Write = Callable[[Callable[[], object]], Awaitable[object]]
"""Writes to the journal beside the event loop, and returns once that is done."""


class Received(Struct, frozen=True):
    """The centre holds this version of an alert."""

    alert_id: str
    version: int


class Refused(Struct, frozen=True):
    """The centre did not take this version. ``hold``: it wants it again soon."""

    alert_id: str
    version: int
    hold: bool


class RecordsReceived(Struct, frozen=True):
    """The centre holds all records up to and including this sequence of this journal."""

    up_to: int
    journal_id: str


class CentreBack(Struct, frozen=True):
    """A centre is there again after none was."""


Effect = Received | Refused | RecordsReceived | CentreBack


class Desk:
    """Works off what comes down, one message at a time; never raises for what it holds."""

    def __init__(
        self,
        *,
        hub: str,
        tenant: str,
        journal: Journal,
        verifier: Verifier,
        clock: Clock,
        counters: Counter[str],
        on_answer: OnAnswer,
        write: Write,
    ) -> None:
        self._hub = hub
        self._tenant = tenant
        self._journal = journal
        self._verifier = verifier
        self._clock = clock
        self._counters = counters
        self._on_answer = on_answer
        self._write = write
        self.passed = Passed(float(journal.counter(PASSED) or RELEASED))
        """The time that has certainly passed: what certificates are judged by (R17)."""

    async def take(self, message: Incoming, centres: Centres) -> list[Effect] | None:
        """What the message changes for delivery; None if it could not be made durable, so that
        the broker must keep it. ``centres``: those of the broker that it came from."""
        try:
            return await self._take(message, centres)
        except JournalError:
            self._counters["answer-not-stored"] += 1
            return None
        except AnsimError as error:
            self._aside(message, error.reason)
        except Exception as error:  # noqa: BLE001 - a message must not end the session
            self._aside(message, f"error:{type(error).__name__}")
        return []

    async def _take(self, message: Incoming, centres: Centres) -> list[Effect]:
        if len(message.payload) > MAX_BYTES:
            raise ContractError("larger than the contract allows; send less", reason="too-long")
        topic = topics.parse(message.topic)
        if isinstance(topic, topics.CentreTopic):
            return self._centre_state(topic, message.payload, centres)
        if (topic.tenant, topic.hub, topic.direction) != (self._tenant, self._hub, "dn"):
            raise ContractError("not for this hub; look at the broker's rules", reason="not-ours")
        if topic.leaf != "ack":
            raise ContractError(
                "this hub obeys no commands; update it first", reason="unknown-topic"
            )
        return await self._answer(message.payload)

    def _centre_state(
        self, topic: topics.CentreTopic, payload: bytes, centres: Centres
    ) -> list[Effect]:
        if topic.tenant != self._tenant:
            raise ContractError("another town's centre; look at the broker", reason="not-ours")
        if not payload:
            centres.forgotten(topic.centre)
            return []
        kid, content = self._verifier.verify(payload, CENTRE_STATE)
        state = decode_centre_state(content)
        if not kid == state.centre == topic.centre:
            raise SignatureError("signed by another centre; look for a forger", reason="forged")
        back = centres.heard(kid, state.state == "online")
        return [CentreBack()] if back else []

    async def _answer(self, payload: bytes) -> list[Effect]:
        kid, content = self._verifier.verify(payload, ANSWER)
        answer = decode_answer(content)
        check_answer(
            answer,
            kid=kid,
            hub=self._hub,
            boot=self._clock.now().boot,
            last_counter=self._journal.counter(counter_name(kid)),
        )
        effects: list[Effect] = []
        for part in answer.answers:
            if isinstance(part, RecordsReceipt):
                effects += self._records(part)
            else:
                effects += await self._alert(part)
        # With the effects, and after what people said: what is done twice after a kill in between
        # has no further effect; what was counted but not done would be lost.
        now = self._clock.now()
        self.passed = told_by_centre(_wall(answer.at), now, self.passed)
        commit = partial(
            self._journal.commit,
            receipts=[r for e in effects if (r := _receipt(e, now.wall, kid)) is not None],
            counters={counter_name(kid): answer.counter, PASSED: int(self.passed.wall)},
            lazy=True,  # a receipt of records alone is not worth a write to the card
        )
        await self._write(commit)
        self._counters["answers"] += 1
        return effects

    def _records(self, receipt: RecordsReceipt) -> list[Effect]:
        if receipt.journalid != self._journal.journal_id:
            self._counters["answer-other-journal"] += 1
            return []
        if receipt.up_to > self._journal.stats().record_head:
            self._counters["answer-nonsense"] += 1
            return []
        return [RecordsReceived(receipt.up_to, receipt.journalid)]

    async def _alert(self, receipt: AlertReceipt) -> list[Effect]:
        known = self._journal.alert(receipt.alert_id)
        if known is None:
            self._counters["answer-unknown-alert"] += 1
            return []
        if receipt.version > known.version:
            self._counters["answer-nonsense"] += 1
            return []
        if receipt.state == "rejected":
            self._counters["rejected"] += 1
            hold = receipt.reason in {"hold", "busy"}
            return [Refused(receipt.alert_id, receipt.version, hold)]
        if receipt.state != "received":
            await self._on_answer(_said(receipt))
        return [Received(receipt.alert_id, receipt.version)]

    def _aside(self, message: Incoming, reason: str) -> None:
        self._counters["downlink-refused"] += 1
        self._counters[f"downlink-{reason}"] += 1
        # The journal bounds what it keeps; counting goes on beyond that.
        wall = self._clock.now().wall
        self._journal.quarantine("downlink", message.payload, reason, wall)


def _wall(at: str) -> float:
    """Wall seconds of a time in an answer; 0 where the centre wrote none that can be read."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return 0.0
    return moment.timestamp() if moment.tzinfo is not None else 0.0


def _receipt(effect: Effect, wall: float, kid: str) -> Receipt | None:
    match effect:
        case Received(alert_id, version):
            return AlertReceived(alert_id, version, wall, kid)
        case RecordsReceived(up_to, journal_id):
            return JournalledRecords(up_to, wall, journal_id)
    return None


def _said(receipt: AlertReceipt) -> CentreAnswered:
    return CentreAnswered(
        alert_id=receipt.alert_id,
        state=AnswerState(receipt.state),
        by=receipt.by,
        outcome=receipt.outcome,
        service=receipt.service,
        reason=receipt.reason,
    )
