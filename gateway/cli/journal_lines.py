"""What ``ansim journal`` says: for programs (dicts) and for people (text)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.alert_lines import STATES
from gateway.contract.sentences import sentence
from gateway.domain.instant import iso
from gateway.journal.inspecting import Line, Report
from gateway.journal.quarantine import Quarantined
from gateway.journal.reader import JournalStats
from gateway.languages import translator

OFFSET = 540
"""Minutes east of UTC, as ``ansim status`` says the times of a hub that does not answer."""


def listed(stats: JournalStats, lines: Sequence[Line], waits: Collection[str]) -> dict[str, Any]:
    """``ls --json``."""
    return {
        "schema": "ansim.journal.ls.v1",
        "hub": stats.hub,
        "journal_id": stats.journal_id,
        "waiting_alerts": stats.waiting_alerts,
        "waiting_records": stats.waiting_records,
        "alerts": [{**_version(line), "waits": line.alert_id in waits} for line in lines],
    }


def listing(
    stats: JournalStats, lines: Sequence[Line], waits: Collection[str], language: str
) -> str:
    """``ls`` for people."""
    _ = translator(language)
    told = [f"{stats.hub}  {stats.journal_id}"]
    for line in lines:
        glyph = "…" if line.alert_id in waits else "✓"
        told.append(f"{glyph} {line.alert_id}  {_what(line, language)}")
    told.append(
        _("Waiting for the centre: {alerts} alerts, {records} records").format(
            alerts=stats.waiting_alerts, records=stats.waiting_records
        )
    )
    return "\n".join(told)


def shown(lines: Sequence[Line]) -> dict[str, Any]:
    """``show --json``."""
    return {
        "schema": "ansim.journal.show.v1",
        "alert_id": lines[0].alert_id,
        "versions": [_version(line) for line in lines],
    }


def described(lines: Sequence[Line], language: str) -> str:
    """``show`` for people."""
    _ = translator(language)
    told = [lines[0].alert_id]
    for line in lines:
        told.append(f"{line.version}  {_what(line, language)}")
        if line.alert is not None:
            told.append(f"   {sentence(line.alert, language)}")
        place = _("{lane} {sequence}, entry {place} of the chain").format(
            lane=line.lane, sequence=line.sequence, place=line.place
        )
        told.append(f"   {place}")
        if line.waits:
            told.append("   " + _("The centre has not received it."))
        elif line.received is None:
            told.append("   " + _("Received."))
        else:
            told.append(
                "   "
                + _("Received {at} by {centre}, answer {answer}, entry {place}").format(
                    at=_at(line.received),
                    centre=line.receiver,
                    answer="-" if line.answer is None else line.answer,
                    place=line.receipt_place,
                )
            )
    return "\n".join(told)


def judged(report: Report) -> dict[str, Any]:
    """``verify --json``."""
    chain = report.chain
    broken = None if chain is None else chain.broken
    return {
        "schema": "ansim.journal.verify.v1",
        "whole": report.whole,
        "damage": report.damage,
        "entries": None if chain is None else chain.entries,
        "head": None if chain is None else str(chain.head),
        "missing": None if chain is None else chain.missing,
        "broken": broken
        and {
            "place": broken.place,
            "kind": broken.kind,
            "alert_id": broken.alert_id,
            "version": broken.version,
        },
    }


def verdict(report: Report, language: str) -> str:
    """``verify`` for people."""
    _ = translator(language)
    told = []
    if report.damage is None:
        told.append(_("✓ Every page of the file is sound."))
    else:
        told.append(_("✗ The file is damaged ({what}).").format(what=report.damage))
        advice = _("Restart the hub: it saves what can be read and begins a new journal.")
        told.append(f"  {advice}")
    chain = report.chain
    if chain is None:
        told.append(_("✗ The chain cannot be followed."))
    elif chain.broken is not None:
        told.append(
            _("✗ Entry {place} was altered: {kind} of alert {alert}, version {version}").format(
                place=chain.broken.place,
                kind=chain.broken.kind,
                alert=chain.broken.alert_id or "-",
                version=chain.broken.version,
            )
        )
    elif chain.missing is not None:
        told.append(_("✗ Entry {place} is missing.").format(place=chain.missing))
    else:
        told.append(
            _("✓ The chain of {entries} entries is whole: {head}").format(
                entries=chain.entries, head=chain.head
            )
        )
    return "\n".join(told)


def aside(entries: Sequence[Quarantined], files: Sequence[Path]) -> dict[str, Any]:
    """``quarantine --json``."""
    return {
        "schema": "ansim.journal.quarantine.v1",
        "entries": [
            {
                "at": iso(entry.at, OFFSET),
                "place": entry.place,
                "reason": entry.reason,
                "size": entry.size,
                "hash": entry.hash,
                "head": entry.head,
            }
            for entry in entries
        ],
        "files": [{"name": path.name, "size": path.lstat().st_size} for path in files],
    }


def set_aside(entries: Sequence[Quarantined], files: Sequence[Path], language: str) -> str:
    """``quarantine`` for people."""
    _ = translator(language)
    told = [
        f"{_at(entry.at)}  {entry.place}  {entry.reason}  "
        + _("{size} bytes").format(size=entry.size)
        + f"  {entry.head[:32]}"
        for entry in entries
    ]
    for path in files:
        size = path.lstat().st_size
        told.append(_("Set aside: {file}, {size} bytes").format(file=path.name, size=size))
    return "\n".join(told) if told else _("Nothing is in quarantine.")


def _version(line: Line) -> dict[str, Any]:
    alert = line.alert
    told: dict[str, Any] = {"alert_id": line.alert_id, "version": line.version}
    if alert is not None:
        told |= {
            "type": alert.type,
            "level": int(alert.level),
            "state": alert.state,
            "at": iso(alert.at.wall, OFFSET),
            "raised_at": iso(alert.raised.wall, OFFSET),
            "subject": alert.subject,
            "open": alert.open,
        }
    return told | {
        "lane": line.lane,
        "sequence": line.sequence,
        "stored_at": iso(line.stored, OFFSET),
        "waits": line.waits,
        "received_at": None if line.received is None else iso(line.received, OFFSET),
        "received_by": line.receiver,
        "answer": line.answer,
        "place": line.place,
        "receipt_place": line.receipt_place,
    }


def _what(line: Line, language: str) -> str:
    alert = line.alert
    _ = translator(language)
    if alert is None:
        return _("cannot be read")
    state = _(STATES[alert.state])
    return (
        f"{_at(alert.at.wall)}  {int(alert.level)}  {alert.type}  {state}  {alert.subject}".rstrip()
    )


def _at(wall: float) -> str:
    return iso(wall, OFFSET)[:16].replace("T", " ")
