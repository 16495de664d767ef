"""docs/wiring.md says of every wiring what the hub really makes of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.enrolment import Wire
from gateway.domain.observation import What
from gateway.domain.sensor import Kind, Sensor
from gateway.domain.wires import longest_debounce_ms, shows_a_cut, usual_debounce_ms
from gateway.sensing import gpio, pins
from gateway.sensing.lines import line_of

PAGE = (Path(__file__).parents[3] / "docs" / "wiring.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def wire_of(block: str) -> Wire:
    told: dict[str, Any] = tomllib.loads(block)
    kind = Kind(told.pop("kind"))
    debounce = told.pop("debounce_ms", usual_debounce_ms(kind))
    return Wire(Sensor(str(kind), kind, source="gpio"), debounce_ms=debounce, **told)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: " ".join(block.split()[4:8]))
def test_a_cut_wire_shows_where_the_page_says_so(block: str) -> None:
    wire = wire_of(block)
    says = block.splitlines()[0]
    assert says in {"# a cut shows", "# a cut is silent"}
    assert shows_a_cut(wire) is (says == "# a cut shows")
    assert wire.debounce_ms <= longest_debounce_ms(wire.sensor.kind)


@pytest.mark.parametrize(
    "wire", [wire_of(block) for block in BLOCKS], ids=lambda wire: f"{wire.sensor.id}-{wire.pin}"
)
def test_a_cut_on_a_wire_that_shows_it_is_told_within_a_day(wire: Wire) -> None:
    """All its pins fall open and take the level of their pull."""
    pull = wire.pull == "up"
    rest = (wire.active == "high") is (wire.sensor.kind is Kind.MAINS)
    line = line_of(wire)
    line.read(0.0, (rest,) if wire.second_pin is None else (rest, not rest))
    line.settle(5.0)
    told: list[What] = []
    for half, before in enumerate((rest, not rest)[: 1 if wire.second_pin is None else 2]):
        if before is not pull:
            told += line.edge(10.0, half, pull)
    while (due := line.due()) is not None and due < 86400.0:
        told += line.settle(due)
    assert bool(told) is shows_a_cut(wire)


def test_every_reason_that_the_source_can_give_has_a_line() -> None:
    sources = (Path(pins.__file__), Path(gpio.__file__))
    reasons = {
        reason
        for path in sources
        for reason in re.findall(r'reason="([a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    told = set(re.findall(r"^\| `((?:gpio|pin)-[a-z]+)` \|", PAGE, re.MULTILINE))
    assert told == reasons


def test_every_kind_that_can_be_wired_is_drawn() -> None:
    drawn = {wire_of(block).sensor.kind for block in BLOCKS}
    assert {Kind.MOTION, Kind.ENTRANCE, Kind.HELP, Kind.TAMPER, Kind.MAINS} <= drawn
    assert {Kind.SMOKE, Kind.GAS, Kind.METER} <= drawn
