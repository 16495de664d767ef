"""What is kept for how long (P2, P4). The limits are maxima: nothing here keeps data longer."""

from __future__ import annotations

from provisioning.centre.store import Store
from provisioning.centre.tables import ACCESS_KEPT

DAY = 86400.0

KEPT = {
    "session and heartbeat ids": 7 * DAY,
    "heartbeats": 400 * DAY,
    "telemetry": 365 * DAY,
    "journalled ids": 400 * DAY,
    "ended alerts": 731 * DAY,
    "quarantine": 30 * DAY,
    "told notices": 90 * DAY,
    "access log": ACCESS_KEPT,
}
"""Seconds. Heartbeats: availability is counted by the month and compared with a year ago (R8).
Telemetry: twelve months, as in the home (P2). Ended alerts: as long as the log of who saw them."""

OF_ALERTS = ("answers", "receipts", "alert_versions", "alerts")
"""Tables with rows of alerts, in the order in which they are emptied."""

ENDED = (
    "DELETE FROM {table} WHERE (hub, alert_id) IN "
    "(SELECT hub, alert_id FROM alerts WHERE (NOT open AND received < ?) OR closed < ?)"
)
"""Of alerts that ended before a moment. An open one is kept however old it is."""

UNOWNED = "DELETE FROM alert_twins WHERE (hub, alert_id) NOT IN (SELECT hub, alert_id FROM alerts)"


def retain(store: Store, now: float) -> int:
    """Delete what is older than its limit; return how many rows. ``now`` in wall seconds."""
    before = {name: now - seconds for name, seconds in KEPT.items()}
    limit = before["ended alerts"]
    gone = 0
    with store.transaction():
        for sql, values in (
            (
                "DELETE FROM messages WHERE lane IN ('session', 'heartbeat') AND received < ?",
                (before["session and heartbeat ids"],),
            ),
            ("DELETE FROM messages WHERE received < ?", (before["journalled ids"],)),
            ("DELETE FROM heartbeats WHERE received < ?", (before["heartbeats"],)),
            ("DELETE FROM telemetry WHERE received < ?", (before["telemetry"],)),
            ("DELETE FROM others WHERE received < ?", (before["telemetry"],)),
            *((ENDED.format(table=table), (limit, limit)) for table in OF_ALERTS),
            # beside their alerts, whichever program took those away
            (UNOWNED, ()),
            ("DELETE FROM quarantine WHERE at < ?", (before["quarantine"],)),
            (
                "DELETE FROM notices WHERE made < ? AND (delivered IS NOT NULL OR next_try > ?)",
                (before["told notices"], now + DAY),
            ),
            ("DELETE FROM access WHERE at < ?", (before["access log"] - DAY,)),
            (
                "DELETE FROM gaps WHERE lane='heartbeat' AND seen < ?",
                (before["session and heartbeat ids"],),
            ),
            (
                "DELETE FROM lanes WHERE lane='heartbeat' AND seen < ?",
                (before["session and heartbeat ids"],),
            ),
        ):
            gone += store.db.execute(sql, values).rowcount
        store.set_meta("retained", now)
    return gone
