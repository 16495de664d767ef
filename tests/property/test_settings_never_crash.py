"""Whatever stands in a settings file: settings, or one line. Never anything else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import SettingsError
from gateway.domain.household import CEILINGS
from gateway.settings.read import parse

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "docs" / "example.toml").read_bytes()
PATH = ROOT / "docs" / "example.toml"


def outcome(raw: bytes) -> None:
    try:
        parsed = parse(PATH, raw, for_run=False)
    except SettingsError as error:
        line = str(error)
        assert line.startswith(str(PATH))
        assert line.isprintable()
        assert "; " in line
    else:
        household = parsed.household()
        most = CEILINGS[household.risk_group]
        assert all(0 < a <= b for a, b in zip(household.ceilings, most, strict=True))
        assert len({s.id for s in household.sensors}) == len(household.sensors)


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    outcome(raw)


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 60), st.binary(max_size=12))
@settings(max_examples=300)
def test_the_example_with_a_piece_replaced(at: int, length: int, piece: bytes) -> None:
    outcome(EXAMPLE[:at] + piece + EXAMPLE[at + length :])


KEYS = st.sampled_from(["ceilings_hours", "risk_group", "limits", "utc_offset_minutes", "x y"])
VALUES = st.sampled_from(
    ["nan", "-inf", "1e400", "9" * 400, "[]", "[1,2,3]", "[-1,0,1]", "{}", '"low-intrusion"', "true",
     "1979-05-27T07:32:00Z", "[[1]]", "{away_too_long_hours=-1}", "{no_exit_hours=1e-320}", "07:32"]
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=3))
@settings(max_examples=200)
def test_any_values_for_a_home(values: dict[str, str]) -> None:
    lines = "\n".join(f'"{key}" = {value}' for key, value in values.items())
    outcome(b'[hub]\nid = "h"\ntenant = "t"\n[home]\n' + lines.encode())
