"""Test whether real BlueZ in the guest hears what the virtual radio sends: the ground that tests of the
gateway stand on."""

from __future__ import annotations

from tests.hardware.frames import Device, spread
from tests.hardware.machine import Machine

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")


def test_scan_hears_each_event_among_strangers(
    machine: Machine, figures: dict[str, object]
) -> None:
    """Each event is sent three times, as battery sensors do: bluetoothd begins its scan anew about
    every 10 s, and a frame that falls into the gap of some 40 ms is lost (measured: 1 of 500)."""
    devices = [Device(f"A4:C1:38:00:00:{n:02X}", KEY if n % 2 else None) for n in range(10)]
    frames = spread(devices, 100, 25.0, times=3)
    machine.air.strangers(15.0)
    scan = machine.begin(*machine.python("scan.py", "14.5"))
    scan.until("scanning")
    played = machine.air.play(frames)
    done = scan.end()
    machine.air.strangers(0.0)
    assert done.code == 0, done.err
    seen = {(address, data) for address, data in done.lines[-1]["frames"]}
    wanted = {(address, data) for _, address, data in frames}
    figures["frames 25/s + 15/s of strangers, each event sent 3 times"] = (
        f"{len(seen & wanted)} of {len(wanted)} events seen"
    )
    assert played["late"] < 0.2, "the host was too busy to send in time"
    assert wanted <= seen


def test_scan_works_again_after_bluetoothd_restarts(machine: Machine) -> None:
    device = Device("A4:C1:38:00:01:01")
    machine.script("systemctl restart bluetooth")
    machine.script(POWERED)
    scan = machine.begin(*machine.python("scan.py", "3"))
    scan.until("scanning")
    frames = spread([device], 10, 5.0)
    machine.air.play(frames)
    assert scan.end().lines[-1]["frames"], "nothing was heard"


POWERED = """
for _ in $(seq 100); do
  if bluetoothctl show 2>/dev/null | grep -q 'Powered: yes'; then exit 0; fi
  sleep 0.1
done
exit 1
"""
