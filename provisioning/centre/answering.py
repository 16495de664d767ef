"""What people say about an alert: accepted, acting, closed. Stored first, then sent by whichever
centre runs, again and again until a version of the alert shows that it took effect."""

from __future__ import annotations

from msgspec import Struct

from gateway.contract import messages as wire
from gateway.domain.alert import Outcome
from gateway.domain.errors import AnsimError
from provisioning.centre.store import Store

RESEND = (10.0, 20.0, 40.0, 60.0)
"""Seconds between two sendings; the last for ever. Long enough for the effect to be seen before a
repetition: a hub makes a new version of each answer that it takes."""

POINTLESS_AFTER = 3
"""Sendings of an answer about an alert that had ended by itself: the hub no longer knows it, the
answer then only matters here (its outcome is counted)."""

NAME_MOST = 64
"""Characters of a role or a service; it goes to the hub and into its journal."""


class AnswerError(AnsimError):
    """Raised when an answer cannot be given: no such alert, closed already, no outcome."""

    reason = "answer"


class Given(Struct, frozen=True):
    """An answer that is stored and will be sent."""

    id: int
    hub: str
    alert_id: str
    version: int
    state: str


class Pending(Struct, frozen=True):
    """An answer that is to be sent now."""

    id: int
    hub: str
    bootid: str
    receipt: wire.AlertReceipt


def find(store: Store, text: str) -> tuple[str, str]:
    """(hub, alert id) of an alert by its id, or by the end of the id if only one open one has it."""
    wanted = text.strip().upper()
    rows = store.db.execute(
        "SELECT hub, alert_id FROM alerts WHERE alert_id=? LIMIT 2", (wanted,)
    ).fetchall()
    if not rows and len(wanted) >= 4:
        rows = store.db.execute(
            "SELECT hub, alert_id FROM alerts WHERE open AND substr(alert_id, -?)=? LIMIT 2",
            (len(wanted), wanted),
        ).fetchall()
    if not rows:
        raise AnswerError(
            f"{text[:40]}: no such alert; `ansim-office centre alerts` lists them.",
            reason="unknown-alert",
        )
    if len(rows) > 1:
        raise AnswerError(f"{text[:40]}: more than one alert; give more of its id.")
    return str(rows[0][0]), str(rows[0][1])


def give(
    store: Store,
    alert: str,
    state: str,
    *,
    by: str,
    now: float,
    outcome: str | None = None,
    service: str | None = None,
    who: str = "",
    hub: str | None = None,
) -> Given:
    """Store an answer and its entry in the access log in one commit.

    ``by`` is a role ("operator-3"), never a name: it goes to the home. ``who`` acted, for the
    access log; it stays here. ``outcome`` is required to close. With ``hub``, ``alert`` is the
    whole id.
    """
    if not by or len(by) > NAME_MOST or len(service or "") > NAME_MOST:
        raise AnswerError(f"--by and --service want 1 to {NAME_MOST} characters; name a role.")
    if state == "closed" and outcome not in set(Outcome):
        raise AnswerError(f"closing wants an outcome: {', '.join(Outcome)}.", reason="outcome")
    hub, alert_id = find(store, alert) if hub is None else (hub, alert)
    with store.transaction():
        version, shown, closed, accepted = store.db.execute(
            "SELECT version, state, closed, accepted FROM alerts WHERE hub=? AND alert_id=?",
            (hub, alert_id),
        ).fetchone()
        if shown == "closed" or closed is not None:
            raise AnswerError(f"{alert_id}: closed already; nothing to do.", reason="closed")
        if state == "accepted" and accepted is not None:
            raise AnswerError(f"{alert_id}: accepted already; nothing to do.", reason="accepted")
        cursor = store.db.execute(
            "INSERT INTO answers (hub, alert_id, version, state, by, outcome, service, created) "
            "VALUES (?,?,?,?,?,?,?,?)",
            (hub, alert_id, version, state, by, outcome, service, now),
        )
        # who acts or closes has accepted: the time to the first human word is what is measured
        store.db.execute(
            "UPDATE alerts SET accepted=coalesce(accepted, ?), accepted_by=coalesce(accepted_by, ?)"
            " WHERE hub=? AND alert_id=?",
            (now, by, hub, alert_id),
        )
        if state == "closed":
            store.db.execute(
                "UPDATE alerts SET closed=?, closed_by=?, outcome=?, service=? "
                "WHERE hub=? AND alert_id=?",
                (now, by, outcome, service, hub, alert_id),
            )
        detail = " ".join(part for part in (f"by={by}", outcome, service) if part)
        log(store, who or by, state, now, hub=hub, alert_id=alert_id, detail=detail)
    return Given(int(cursor.lastrowid or 0), hub, alert_id, int(version), state)


def claim(store: Store, now: float, most: int) -> list[Pending]:
    """At most ``most`` answers to be sent now, in the order in which they were given. They count
    as sent: of several centres on one store only one sends each.

    A hub that is away gets each once (its broker keeps it) and again when it is back, or has
    booted: an answer is bound to one boot.
    """
    if store.db.execute("SELECT 1 FROM answers WHERE ended IS NULL LIMIT 1").fetchone() is None:
        return []
    with store.transaction():
        found = _due(store, now, most)
        store.db.executemany(
            "UPDATE answers SET first_sent=coalesce(first_sent, ?), last_sent=?, "
            "attempts=attempts+1 WHERE id=?",
            [(now, now, pending.id) for pending in found],
        )
    return found


def _due(store: Store, now: float, most: int) -> list[Pending]:
    rows = store.db.execute(
        "SELECT a.id, a.hub, h.bootid, a.alert_id, a.version, a.state, a.by, a.outcome, a.service, "
        "a.last_sent, a.attempts, h.state, h.online_at, l.open "
        "FROM answers a JOIN hubs h USING (hub) JOIN alerts l USING (hub, alert_id) "
        "WHERE a.ended IS NULL ORDER BY a.id LIMIT 500"
    ).fetchall()
    found: list[Pending] = []
    before: set[tuple[str, str]] = set()
    for row in rows:
        (number, hub, boot, alert_id, version, state, by, outcome, service) = row[:9]
        last_sent, attempts, hub_state, online_at, is_open = row[9:]
        if len(found) >= most:
            break
        if not boot or (hub, alert_id) in before:
            continue  # one after the other: "closed" must not overtake "accepted"
        if attempts >= POINTLESS_AFTER and not is_open:
            store.db.execute(
                "UPDATE answers SET ended=?, result='the alert had ended' WHERE id=?",
                (now, number),
            )
            continue
        before.add((hub, alert_id))
        back = online_at is not None and last_sent is not None and online_at > last_sent
        away = hub_state in ("lost", "offline")
        wait = RESEND[min(max(attempts, 1), len(RESEND)) - 1]
        if attempts and not back and (away or now - last_sent < wait):
            continue
        receipt = wire.AlertReceipt(
            alert_id, version, state, by=by, outcome=outcome, service=service
        )
        found.append(Pending(number, hub, boot, receipt))
    return found


def log(
    store: Store,
    who: str,
    what: str,
    now: float,
    *,
    hub: str | None = None,
    alert_id: str | None = None,
    detail: str | None = None,
) -> None:
    """An entry of the access log: who looked at or acted on what, and when (P4)."""
    store.db.execute(
        "INSERT INTO access (at, who, what, hub, alert_id, detail) VALUES (?,?,?,?,?,?)",
        (now, who, what, hub, alert_id, detail),
    )
