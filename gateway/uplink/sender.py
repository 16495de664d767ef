"""What one session sends and when: R9's order, R4's repetition, the window of the broker."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from gateway.contract.encode import Encoder
from gateway.contract.messages import BirthData
from gateway.domain.alert import Level
from gateway.domain.errors import ContractError
from gateway.domain.household import Household
from gateway.domain.instant import DAY, Clock
from gateway.journal import Journal, OutboxRow
from gateway.uplink.answers import CentreBack, Effect, Received, RecordsReceived, Refused
from gateway.uplink.centres import Centres
from gateway.uplink.delivery import RECORD_WINDOW, AlertLane, RecordLane
from gateway.uplink.heartbeat import Pulse, Vitals
from gateway.uplink.outgoing import Outgoing, Parcel
from gateway.uplink.session import Session
from gateway.uplink.unreceived import Unreceived

log = logging.getLogger(__name__)

SNAPSHOT_DAYS = 7
"""Ended alarms stay in the snapshot for so long (R9)."""

NO_ROOM = 3600.0
"""Seconds to sleep while the broker's window is full: its next PUBACK wakes us, or its silence
ends the session."""

BACK_AGAIN = 30.0
"""Seconds in which only the first return of a centre sends everything again: a centre that crashes
as soon as it speaks would otherwise draw the whole queue each time. Until then R4's rate holds."""


class Sender:
    """Decides and hands over; keeps no message. Journal errors pass through to the caller."""

    def __init__(
        self,
        *,
        household: Household,
        encoder: Encoder,
        outgoing: Outgoing,
        pulse: Pulse,
        alerts: AlertLane,
        records: RecordLane,
        journal: Journal,
        clock: Clock,
        centres: Centres,
        unreceived: Unreceived,
        vitals: Callable[[], Vitals],
        counters: Counter[str],
        alerts_only: bool = False,
    ) -> None:
        """``alerts_only``: the second path, which carries alerts and heartbeats (R5). Who we are and
        whether we are there is said over the first alone: two last words of one hub would
        contradict each other."""
        self.stale = True
        """Whether the journal may hold rows that were not read yet."""
        self._household = household
        self._encoder = encoder
        self._out = outgoing
        self._pulse = pulse
        self._alerts = alerts
        self._records = records
        self._journal = journal
        self._clock = clock
        self._centres = centres
        self._unreceived = unreceived
        self._alerts_only = alerts_only
        self._vitals = vitals
        self._counters = counters
        self._hurried = 0
        self._back = -BACK_AGAIN
        self._alarms_told = -1

    def look(self) -> tuple[bool, bool]:
        """Whether an alert waits, and whether one of level 4 came since the last look."""
        rows = self._journal.waiting("alert", self._alerts.wanted())
        self._unreceived.look(rows, self._clock.now())
        urgent = max((r.sequence for r in rows if r.level >= Level.EMERGENCY), default=0)
        new = urgent > self._hurried
        self._hurried = max(urgent, self._hurried)
        return bool(rows), new

    def news(self) -> None:
        """The journal has new rows, or the watch may have changed."""
        self.stale = True
        self._pulse.look_again()

    def set_heartbeat(self, seconds: float) -> None:
        """Change the interval of heartbeats."""
        self._pulse.set_interval(seconds)

    def greet(self, session: Session, *, renewed: bool) -> None:
        """A session began: who we are; then all that waits is due. ``renewed``: only because the
        one before brought no answer."""
        if not self._alerts_only:
            self._post(session, self._out.state("online"), "state")
            self._post(session, self._out.birth(self._birth_data()), "birth")
        self._alerts.restart(renewed=renewed)
        self._records.restart()
        self._pulse.due_now()
        self._alarms_told = -1
        self.stale = True

    def goodbye(self, session: Session) -> None:
        """The hub ends on purpose."""
        if not self._alerts_only:
            self._post(session, self._out.state("offline"), "state")

    def broke(self, now: float) -> None:
        """The broker ended the session: what it had not acknowledged may be the reason."""
        for row in [*self._alerts.broke(now), *self._records.broke(now)]:
            self._set_aside(row, "ends-sessions")

    def send(self, session: Session, now: float) -> float:
        """Alerts, then the snapshot, then the heartbeat, then records (R9), then, if nothing else is
        under way, an alert that is suspected to end sessions; returns the boottime of the next
        thing to do. Raises JournalError."""
        self._alerts.unhurried = not self._centres.there
        if self.stale:
            self._read_alerts()
        self._send_alerts(session, now)
        if self.stale:  # after the alerts: records that cannot be read hold up none
            if not self._alerts_only:
                self._records.refresh(self._journal.waiting("record", RECORD_WINDOW))
            self.stale = False  # only now: whichever read raises, all of it is read again
        if not session.room:
            return now + NO_ROOM
        beats = self._pulse.is_due(now)
        if (beats or self._alarms_told < 0) and not self._alerts_only:
            self._tell_alarms(session)
        if beats:
            self._tell_heartbeat(session)
        dues = [self._pulse.next_due(now), self._alerts.next_due()]
        if self._centres.there or not self._records.awaited():
            rows = self._records.take(now, session.room)
            self._hand_over(session, rows, self._records, now)
            dues.append(self._records.next_due())
        if not session.room:
            return now + NO_ROOM
        if not session.pending and (suspect := self._alerts.take_suspect(now)) is not None:
            self._hand_over(session, [suspect], self._alerts, now)
        suspected = self._alerts.suspects.next_due()
        if suspected is not None and suspected > now:  # until then its PUBACK wakes us, or its end
            dues.append(suspected)
        return min(due for due in dues if due is not None)

    def beat(self, session: Session, now: float) -> float:
        """The heartbeat alone, which also speaks while the journal cannot be read; returns the
        boottime of the next one. Raises JournalError if it never could be."""
        self._pulse.look_again()
        if session.room and self._pulse.is_due(now):
            self._tell_heartbeat(session)
        return self._pulse.next_due(now)

    def landed(self, token: object, taken: bool) -> None:
        """The broker acknowledged: room for the next, and nothing more (R4)."""
        if not taken:
            self._counters["puback-refused"] += 1
        match token:
            case ("alert", int(sequence)):
                self._alerts.landed(sequence)
                if self._alerts.suspects.acquit(sequence):
                    self._unreceived.released(sequence)
            case ("record", int(sequence)):
                self._records.landed(sequence)
                self._records.suspects.acquit(sequence)

    def apply(self, effects: Iterable[Effect], now: float) -> None:
        """What the centre said, taken from what is still to be sent."""
        for effect in effects:
            match effect:
                case Received(alert_id, version):
                    self._alerts.received(alert_id, version)
                    self._unreceived.received(alert_id, version)
                case Refused(alert_id, version, hold):
                    self._alerts.refused(alert_id, version, now, hold=hold)
                    if not hold:
                        self._unreceived.refused(alert_id, version)
                case RecordsReceived(up_to):
                    self._records.received(up_to)
                    self.stale = True
                case CentreBack() if now - self._back >= BACK_AGAIN:
                    self._back = now
                    self._alerts.restart()
                    self._records.restart()

    @property
    def proven_suspects(self) -> int:
        """Messages that have ended a session by themselves, or cannot be sent."""
        return self._alerts.suspects.proven + self._records.suspects.proven

    def unanswered(self) -> int:
        """Alerts and records that were sent in this session and not received yet."""
        return self._alerts.awaited() + self._records.awaited()

    def _send_alerts(self, session: Session, now: float) -> None:
        while session.room:
            rows = self._alerts.take(now, session.room)
            self._hand_over(session, rows, self._alerts, now)
            if not rows:
                if not self._alerts.more:
                    return
                self._read_alerts()
                if not self._alerts.unsent():
                    return

    def _read_alerts(self) -> None:
        rows = self._journal.waiting("alert", self._alerts.wanted())
        self._alerts.refresh(rows)
        self._unreceived.look(rows, self._clock.now())

    def _hand_over(
        self, session: Session, rows: list[OutboxRow], lane: AlertLane | RecordLane, now: float
    ) -> None:
        for row in rows:
            lane.sent(row, now)
            parcel = self._packed(row, bare=lane.suspects.tries(row.sequence) > 0)
            if parcel is None:
                # It stays in the outbox and shows in the heartbeat; nothing waits behind it.
                lane.landed(row.sequence)
                if lane.suspects.unsendable(row.sequence, now):
                    self._set_aside(row, "not-encodable")
            elif self._post(session, parcel, (row.lane, row.sequence)):
                self._counters[f"sent-{row.lane}"] += 1
                self._journal.sent(row.lane, row.sequence, self._clock.now().wall)

    def _packed(self, row: OutboxRow, *, bare: bool) -> Parcel | None:
        """Its bytes: whole, or with the bare facts if that cannot be, or ended sessions before."""
        for less in (False, True) if not bare else (True,):
            try:
                return self._out.row(row, bare=less)
            except ContractError as error:
                self._counters[f"not-encodable-{error.reason}"] += 1
            except Exception:  # a bug about one message must not hold up all others (invariant 2)
                log.exception("a message could not be encoded")
                self._counters["not-encodable-error"] += 1
        return None

    def _set_aside(self, row: OutboxRow, reason: str) -> None:
        log.error("message %s %d is set aside (%s)", row.lane, row.sequence, reason)
        self._counters[f"set-aside-{row.lane}"] += 1
        if row.lane == "alert":
            self._unreceived.set_aside(row.sequence)
        body = msgspec.json.encode(row.message)
        self._journal.quarantine(f"outbox-{row.lane}", body, reason, self._clock.now().wall)

    def _tell_alarms(self, session: Session) -> None:
        """The retained snapshot: once a session, then with a heartbeat if there was news."""
        head = self._journal.stats().alert_head
        if head == self._alarms_told:
            return
        alarms = self._journal.alarms(self._clock.now().wall - SNAPSHOT_DAYS * DAY)
        self._alarms_told = head
        try:
            parcel = self._out.alarms(alarms)
        except ContractError as error:
            self._counters[f"not-encodable-{error.reason}"] += 1
            return
        self._post(session, parcel, "alarms")

    def _tell_heartbeat(self, session: Session) -> None:
        data = self._pulse.beat(self._clock.now(), self._counters)
        try:
            parcel = self._out.heartbeat(data)
        except ContractError as error:
            self._counters[f"not-encodable-{error.reason}"] += 1
            return
        self._post(session, parcel, "hb")

    def _post(self, session: Session, parcel: Parcel, token: object) -> bool:
        return session.publish(
            parcel.topic, parcel.payload, token, retain=parcel.retain, expiry=parcel.expiry
        )

    def _birth_data(self) -> BirthData:
        vitals = self._vitals()
        return self._encoder.birth_data(
            self._household,
            version=vitals.version,
            settings=vitals.settings,
            model=vitals.model,
            heartbeat_s=round(self._pulse.interval),
        )
