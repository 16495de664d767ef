"""What ``ansim status`` makes of what it hears."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.runtime.status import AlertLine, Status, Verdict, verdict

WELL: dict[str, Any] = {
    "hub": "hub-test",
    "running": True,
    "watching": True,
    "connected": True,
    "centre_there": True,
}


def line(level: int) -> AlertLine:
    return AlertLine("id", 1, "type", level, "raised", "2026-03-02T00:00:00.000+09:00")


@pytest.mark.parametrize(
    ("change", "expected", "fact"),
    [
        ({}, Verdict.OK, None),
        ({"running": False}, Verdict.CRITICAL, "not-running"),
        ({"watching": False, "reasons": ("blind",)}, Verdict.CRITICAL, "not-watching"),
        ({"watching": False, "reasons": ("paused",)}, Verdict.WARNING, "paused"),
        ({"connected": False}, Verdict.WARNING, "no-link"),
        ({"centre_there": False}, Verdict.WARNING, "no-centre"),
        ({"oldest_unreceived_s": 181.0}, Verdict.CRITICAL, "unreceived"),
        ({"alerts": (line(1),)}, Verdict.WARNING, "alert"),
        ({"alerts": (line(3),)}, Verdict.CRITICAL, "alarm"),
        ({"sensors_lost": ("pir",)}, Verdict.WARNING, "sensors"),
        ({"faults": {"config": "damaged"}}, Verdict.WARNING, "fault:config"),
    ],
)
def test_the_worst_fact_decides(
    change: dict[str, Any], expected: Verdict, fact: str | None
) -> None:
    code, facts = verdict(Status(**{**WELL, **change}))
    assert code is expected
    assert fact is None or fact in facts
