"""The hardware's edge: what is wrong with a pin or a chip is said with a remedy."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gpiozero.exc import GPIOPinInUse, PinFixedPull, PinInvalidPin
from gpiozero.pins.mock import MockFactory

from gateway.domain.errors import SensingError
from gateway.sensing import pins
from gateway.sensing.pins import Tap, pin_error

OPEN_TWICE = """
import os, sys
from pathlib import Path
from gateway.domain.errors import SensingError
from gateway.sensing.pins import open_factory
before = Path.cwd(), os.environ.get("LG_WD")
for chip in (99, None):
    try:
        open_factory(chip)
    except SensingError as error:
        print(error.reason)
assert (Path.cwd(), os.environ.get("LG_WD")) == before
"""


def opened(root: Path, folder: Path, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_TWICE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(Path("/proc/device-tree/system").exists(), reason="this is a Raspberry Pi")
def test_the_library_is_loaded_where_nothing_can_be_written_and_leaves_no_trace(
    root: Path, tmp_path: Path
) -> None:
    told = opened(root, Path("/proc"), TMPDIR=str(tmp_path))
    if importlib.util.find_spec("lgpio") is None:
        assert told == ["gpio-library", "gpio-library"]
    else:
        assert told == ["gpio-missing", "gpio-board"]
    assert list(tmp_path.iterdir()) == []


def test_a_chip_that_may_not_be_opened_is_told_apart_from_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = RuntimeError("can not open gpiochip")
    assert pins.no_chip(error, 0, devices=tmp_path).reason == "gpio-missing"
    (tmp_path / "gpiochip0").touch()
    assert pins.no_chip(error, 0, devices=tmp_path).reason == "gpio-chip"
    monkeypatch.setattr(os, "access", lambda *_: False)
    told = pins.no_chip(error, 0, devices=tmp_path)
    assert told.reason == "gpio-permission"
    assert "group gpio" in str(told)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GPIOPinInUse("pin GPIO5 is already in use"), "pin-twice"),
        (RuntimeError("'GPIO busy'"), "pin-busy"),
        (PinFixedPull("GPIO2 has a fixed pull resistor"), "pin-pull"),
        (PinInvalidPin("99 is not a valid pin name"), "pin-unknown"),
        (OSError("bad GPIO read"), "pin-failed"),
    ],
)
def test_every_reason_has_a_sentence_that_ends_with_a_remedy(error: Exception, reason: str) -> None:
    told = pin_error(error, 5)
    assert told.reason == reason
    assert "GPIO 5" in str(told)
    assert ";" in str(told)


def test_a_pin_without_a_pull_is_read_as_it_is() -> None:
    factory = MockFactory()
    rung: list[float] = []
    tap = Tap(factory, 5, None, lambda: 1.5, lambda: rung.append(1.5))
    assert tap.read() is False
    factory.pin(5).drive_high()
    assert tap.read() is True
    assert tap.edges() == [(1.5, True)]
    assert tap.edges() == []
    assert rung == [1.5]
    tap.close()
    tap.close()


def test_a_pin_is_given_back_if_it_cannot_be_used() -> None:
    factory = MockFactory()
    with pytest.raises(SensingError, match="resistor"):
        Tap(factory, 2, "down", lambda: 0.0, lambda: None)
    Tap(factory, 2, "up", lambda: 0.0, lambda: None).close()
