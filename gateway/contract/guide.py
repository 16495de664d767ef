"""Fills examples and tables into docs/centre.md, so that the document cannot drift from the code.

A place to fill begins with ``<!-- example: NAME -->`` (for reading), ``<!-- bytes: NAME -->`` (as on
the wire) or ``<!-- table: NAME -->`` and ends with ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from gateway.contract.codes import CAP_SEVERITY, CODES, DUE, PRIORITY, WORKING_DAY, due
from gateway.contract.messages import EVENTS
from gateway.contract.schemas import schema
from gateway.contract.sentences import SENTENCES
from gateway.contract.topics import RETAINED
from gateway.domain.alert import AlertType, Level
from gateway.languages import translator

_PLACE = re.compile(r"(<!-- (example|bytes|table): ([\w.-]+) -->\n).*?( *<!-- end -->)", re.DOTALL)

LEVELS: dict[AlertType, str] = {
    AlertType.HELP_BUTTON: "4",
    AlertType.SMOKE: "4",
    AlertType.GAS: "4",
    AlertType.CO: "4",
    AlertType.FLOOD: "3",
    AlertType.INACTIVITY_WATCH: "1",
    AlertType.INACTIVITY_WARNING: "2",
    AlertType.INACTIVITY_ALARM: "3",
    AlertType.WELFARE_UNKNOWN: "3",
    AlertType.AWAY: "0",
    AlertType.AWAY_TOO_LONG: "1-2",
    AlertType.NO_EXIT: "1",
    AlertType.ROUTINE_DRIFT: "1",
    AlertType.DOOR_OPEN_LONG: "2",
    AlertType.TEMP_LOW: "2",
    AlertType.TEMP_HIGH: "2",
    AlertType.BLIND: "2-3",
    AlertType.TECH_MAINS: "1-2",
    AlertType.TECH_TAMPER: "2-3",
    AlertType.PAUSED: "1",
    AlertType.VISIT: "0",
}
"""Levels that a type can have, for the document; other technical alerts age from 1 to 3 (R14)."""


def fill(text: str, examples: Mapping[str, bytes]) -> str:
    """The document with every place filled. KeyError for an example or table that is not there."""

    def place(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        if kind == "table":
            body = TABLES[name]()
        elif kind == "bytes":
            body = f"```text\n{examples[name].decode()}\n```\n"
        else:
            body = _example(examples[name])
        indent = " " * (len(end) - len(end.lstrip()))
        return begin + "".join(indent + line + "\n" for line in body.splitlines()) + end

    return _PLACE.sub(place, text)


def _example(payload: bytes) -> str:
    return f"```json\n{json.dumps(json.loads(payload), ensure_ascii=False, indent=2)}\n```\n"


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _alerts() -> str:
    korean = translator("ko")
    rows = []
    for alert_type in AlertType:
        levels = LEVELS.get(alert_type, "1-3")
        answer = due(alert_type, int(levels[-1]))
        later = "next working day" if DUE[alert_type] is WORKING_DAY else _time(answer.accepted)
        code = CODES[alert_type]
        status = code.status + (f" ({code.cleared})" if code.cleared else "")
        rows.append(
            (
                f"`{alert_type}`",
                levels,
                korean(SENTENCES[alert_type]).format(hours="N"),
                _time(DUE[alert_type].received),
                later,
                f"{code.type} / {status}" if code.type else "-",
            )
        )
    head = ("type", "level", "sentence", "`received` due", "`accepted` due", "SCAIP type / status")
    return _rows(head, rows)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _levels() -> str:
    names = ("note", "watch", "warning", "alarm", "emergency")
    return _rows(
        ("level", "name", "SCAIP `pri`", "CAP severity"),
        [
            (str(int(level)), names[level], str(PRIORITY[level]), CAP_SEVERITY.get(level, "-"))
            for level in Level
        ],
    )


def _topics() -> str:
    owed = {"alert": "`received` for each version", "record": "a receipt for all records so far"}
    rows = []
    for leaf, event in EVENTS.items():
        lane = str(schema(leaf)["properties"]["lane"]["const"])
        kept = "yes" if leaf in RETAINED else "no"
        meaning = (event.__doc__ or "").split(" (")[0].strip()
        rows.append((f"`up/{leaf}`", meaning, lane, kept, owed.get(lane, "nothing")))
    return _rows(("topic", "what", "lane", "retained", "you owe"), rows)


TABLES = {"alerts": _alerts, "levels": _levels, "topics": _topics}
