"""Test whether the hub's unprivileged user may have the radio helped, by systemd and polkit, and may
have nothing else done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hardware.machine import AS_HUB, Done, Machine
from tests.hardware.test_air import POWERED

SYSTEMD = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
MANAGER = "org.freedesktop.systemd1.Manager"


def ask(machine: Machine, *words: str) -> dict[str, Any]:
    return machine.run(*AS_HUB, *machine.python("helper.py", *words), seconds=90).lines[-1]


def as_hub(machine: Machine, *words: str) -> Done:
    """A call to systemd's manager by the user ansim, with whatever comes of it."""
    call = ("busctl", "call", "--allow-interactive-authorization=no", *SYSTEMD, MANAGER, *words)
    return machine.run(*AS_HUB, *call, may_fail=True)


def test_hub_finds_all_helpers(machine: Machine) -> None:
    assert ask(machine, "available")["answer"] == ["POWER_CYCLE", "REBOOT", "RESTART_DAEMON"]


@pytest.mark.parametrize("adapter", ["hci0", "any"])
def test_hub_has_the_adapter_switched_off_and_on(
    machine: Machine, figures: dict[str, object], adapter: str
) -> None:
    machine.script(POWERED)
    told = ask(machine, "power", adapter)
    assert "sentence" not in told, told
    machine.script(POWERED)
    log = machine.log_of(f"ansim-radio-power@{adapter}.service")
    assert "hci0 was switched off and on" in log
    figures[f"power cycle of {adapter} by the helper"] = f"{told['seconds']} s"


def test_helper_switches_on_what_rfkill_held_off(machine: Machine) -> None:
    machine.script(POWERED)
    machine.script("rfkill block bluetooth; ! bluetoothctl show | grep -q 'Powered: yes'")
    told = ask(machine, "power", "hci0")
    assert "sentence" not in told, told
    machine.script(POWERED)
    assert "yes" not in machine.script("rfkill --noheadings --output SOFT").out


def test_adapter_that_is_not_there_is_told_with_a_remedy(machine: Machine) -> None:
    told = ask(machine, "power", "hci7")
    assert told["reason"] == "helper-failed"
    assert "plug it in" in told["sentence"]


def test_hub_has_bluetoothd_restarted(machine: Machine, figures: dict[str, object]) -> None:
    pid = "systemctl show --property=MainPID --value bluetooth"
    before = machine.script(pid).out
    told = ask(machine, "restart")
    assert "sentence" not in told, told
    assert machine.script(pid).out not in (before, "0\n")
    figures["restart of bluetoothd by the helper"] = f"{told['seconds']} s"
    machine.script(POWERED)


def test_machine_that_is_not_up_for_six_hours_is_not_rebooted(machine: Machine) -> None:
    assert ask(machine, "reboot")["answer"] is False
    assert machine.script("systemctl is-system-running", may_fail=True).out != "stopping\n"


@pytest.mark.parametrize(
    "words",
    [
        ("StartUnit", "ss", "systemd-tmpfiles-clean.service", "replace"),
        ("StartUnit", "ss", "reboot.target", "replace"),
        ("StartUnit", "ss", "bluetooth.service", "replace"),
        ("StartUnit", "ss", "ansim-radio-power@hci0x.service", "replace"),
        ("StopUnit", "ss", "bluetooth.service", "replace"),
        ("StopUnit", "ss", "ansim-bluetooth-restart.service", "replace"),
        ("RestartUnit", "ss", "ansim-bluetooth-restart.service", "replace"),
        ("KillUnit", "ssi", "bluetooth.service", "all", "9"),
        ("MaskUnitFiles", "asbb", "1", "ansim-reboot.service", "true", "false"),
        ("Reload", ""),
        ("Reboot", ""),
    ],
    ids=lambda words: "-".join(words[:3:2]),
)
def test_hub_may_have_nothing_else_done(machine: Machine, words: tuple[str, ...]) -> None:
    done = as_hub(machine, *(word for word in words if word))
    assert done.code != 0
    assert any(why in done.err for why in ("Access denied", "authentication required")), done.err


def test_others_may_not_start_the_helpers(machine: Machine) -> None:
    call = ("busctl", "call", "--allow-interactive-authorization=no", *SYSTEMD, MANAGER)
    unit = ("StartUnit", "ss", "ansim-bluetooth-restart.service", "replace")
    done = machine.run("runuser", "-u", "nobody", "--", *call, *unit, may_fail=True)
    assert done.code != 0


def test_helpers_units_are_sound_and_confined(machine: Machine, figures: dict[str, object]) -> None:
    units = "ansim-radio-power@any ansim-bluetooth-restart ansim-reboot"
    names = [f"{unit}.service" for unit in units.split()]
    machine.run("systemd-analyze", "verify", "--man=no", *names)
    said = machine.run("systemd-analyze", "security", "--no-pager", *names, may_fail=True).out
    levels = [line.split()[-3] for line in said.splitlines() if "exposure level" in line]
    figures["exposure of the helpers' units (systemd-analyze security)"] = ", ".join(levels)
    assert len(levels) == len(names)
    assert all(float(level) < 3.0 for level in levels)
