"""What the centre's own database says at the end. Nothing else counts."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from provisioning.demo import home
from provisioning.demo.scenes import CUT, CUT_PRESS, REPAIRED, climbs, lost_since
from provisioning.demo.stage import HUB, Stage

Translate = Callable[[str], str]


class Totals(Struct, frozen=True):
    """What went over the wire in the week."""

    messages: int
    heartbeats: int
    alerts: int
    versions: int
    copies: int
    gaps: int


def judge(stage: Stage, _: Translate) -> dict[str, str | None]:
    """For each scene what is wrong with it; None where nothing is."""
    return {
        "a": _help(stage, _),
        "b": _climb(stage, _),
        "c": _cut(stage, _),
        "d": _dead(stage, _),
    }


def totals(stage: Stage) -> Totals:
    """Counted in the database."""

    def count(sql: str) -> int:
        rows = stage.query(sql)
        return int(rows[0][0] or 0) if rows else 0

    return Totals(
        messages=count("SELECT count(*) FROM messages"),
        heartbeats=count("SELECT count(*) FROM heartbeats"),
        alerts=count("SELECT count(*) FROM alerts WHERE level >= 1"),
        versions=count("SELECT count(*) FROM alert_versions WHERE level >= 1"),
        copies=count("SELECT sum(copies - 1) FROM messages"),
        gaps=count("SELECT count(*) FROM gaps WHERE settled IS NULL"),
    )


def _help(stage: Stage, _: Translate) -> str | None:
    """Received (the receipt was written in the commit that stored it), accepted, and the home's
    own word that it knows."""
    row = stage.query(
        "SELECT alert_id, accepted IS NOT NULL, outcome FROM alerts WHERE hub = ? AND "
        "type = 'help.button' ORDER BY raised_at LIMIT 1",
        HUB,
    )
    if not row:
        return _("no help call is in the centre's database")
    alert, accepted, outcome = row[0]
    receipts = stage.query(
        "SELECT 1 FROM receipts WHERE alert_id = ? AND version = 1 AND state = 'received'", alert
    )
    if not receipts:
        return _("the call was not answered with received")
    told = stage.query(
        "SELECT 1 FROM alert_versions WHERE alert_id = ? AND state = 'accepted'", alert
    )
    if not accepted or not told:
        return _("the call was not accepted, or the home does not know it")
    return None if outcome == "test" else _("the call was not closed with its outcome")


def _climb(stage: Stage, _: Translate) -> str | None:
    """One alert through all three levels, closed with an outcome, and no second one for the same
    silence but that of a day later, because nobody has moved since (decision 0021)."""
    full = [(alert, steps) for alert, steps in climbs(stage) if [s[0] for s in steps] == [1, 2, 3]]
    if not full:
        return _("no inactivity alert climbed levels 1, 2 and 3")
    alert, steps = full[-1]
    later = [told for other, told in climbs(stage) if other != alert and told[0][1] > steps[0][1]]
    if len(later) > 1 or any(told[0][0] != 3 for told in later):
        return _("the same silence made more than one alert")
    if not later:
        return _("nobody was told that the silence goes on for another day")
    row = stage.query("SELECT outcome, service, open FROM alerts WHERE alert_id = ?", alert)
    if not row or row[0][0] != "true" or not row[0][1]:
        return _("the alert was not closed with its outcome")
    return None


def _cut(stage: Stage, _: Translate) -> str | None:
    """What happened while the link was cut is all there, each once, and marked as old."""
    rows = stage.query(
        "SELECT v.type, v.level, v.at, v.alert_id, v.version FROM alert_versions v "
        "WHERE v.hub = ? AND v.level >= 1 AND v.at BETWEEN ? AND ? ORDER BY v.at",
        HUB,
        CUT,
        REPAIRED,
    )
    presses = [r for r in rows if r[0] == "help.button" and str(r[2]).startswith(CUT_PRESS)]
    if len(presses) != 1:
        return _("the call made while the link was cut is not there exactly once")
    mains = {int(r[1]) for r in rows if r[0] == "tech.mains"}
    if mains != {1, 2}:
        return _("the mains failure while the link was cut did not arrive")
    missing = stage.query(
        "SELECT count(*), max(version) FROM alert_versions WHERE hub = ? GROUP BY alert_id "
        "HAVING count(*) <> max(version)",
        HUB,
    )
    gaps = stage.query(
        "SELECT low, high FROM gaps WHERE hub = ? AND lane IN ('alert', 'record') "
        "AND settled IS NULL",
        HUB,
    )
    if missing or gaps:
        return _("versions or sequences are missing")
    twice = stage.query(
        "SELECT sequence FROM messages WHERE hub = ? AND lane = 'alert' AND copies > 1", HUB
    )
    return _("{count} alerts arrived more than once").format(count=len(twice)) if twice else None


def _dead(stage: Stage, _: Translate) -> str | None:
    """A heartbeat names the sensor, none did while it lived, and the alert is about it."""
    if lost_since(stage, home.DEAD) is None:
        return _("no heartbeat names the dead sensor {sensor}").format(sensor=home.DEAD)
    alert = stage.query(
        "SELECT 1 FROM alerts WHERE hub = ? AND type = 'tech.sensor_lost' AND "
        "json_extract(body, '$.subject') = ?",
        HUB,
        home.DEAD,
    )
    return (
        None if alert else _("no alert is about the dead sensor {sensor}").format(sensor=home.DEAD)
    )
