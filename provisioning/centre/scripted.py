"""Answers without a person, for demonstrations and tests: rules over the store."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from provisioning.centre import answering
from provisioning.centre.settings import Rule
from provisioning.centre.store import Store

STATES = {"accept": "accepted", "acting": "acting", "close": "closed"}


def accept_all_after(seconds: float) -> Rule:
    """The rule behind ``--auto-accept``."""
    return Rule(do="accept", after=seconds, by="auto")


def apply(store: Store, rules: Sequence[Rule], now: float) -> int:
    """Give every answer that a rule wants now; return how many. ``now`` in wall seconds."""
    if not rules:
        return 0
    given = 0
    rows = store.db.execute(
        "SELECT hub, alert_id, type, accepted FROM alerts "
        "WHERE open AND closed IS NULL AND level >= ?",
        (min(rule.level for rule in rules),),
    ).fetchall()
    for hub, alert_id, kind, accepted in rows:
        for rule in rules:
            if not fnmatchcase(kind, rule.type):
                continue
            if rule.do == "accept" and accepted is not None:
                continue
            if rule.do == "acting" and _said(store, hub, alert_id, "acting"):
                continue
            since = _fits_since(store, hub, alert_id, rule)
            if since is None or now - since < rule.after:
                continue
            answering.give(
                store,
                alert_id,
                STATES[rule.do],
                by=rule.by,
                now=now,
                outcome=rule.outcome,
                service=rule.service,
                who="script",
                hub=hub,
            )
            given += 1
            break  # the next rule looks at the store as it now is
    return given


def _said(store: Store, hub: str, alert_id: str, state: str) -> bool:
    return (
        store.db.execute(
            "SELECT 1 FROM answers WHERE hub=? AND alert_id=? AND state=?", (hub, alert_id, state)
        ).fetchone()
        is not None
    )


def _fits_since(store: Store, hub: str, alert_id: str, rule: Rule) -> float | None:
    row = store.db.execute(
        "SELECT min(received) FROM every_version WHERE hub=? AND alert_id=? AND level>=? "
        "AND (NOT ? OR NOT json_extract(body, '$.cause'))",
        (hub, alert_id, rule.level, rule.cleared),
    ).fetchone()
    return None if row[0] is None else float(row[0])
