"""Test whether the adapter is switched off and on in the right order, and whatever goes wrong is told."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.sensing import power_cycle
from gateway.sensing.power_cycle import Code, Cycle, Kernel, PowerError


class FakeKernel(Kernel):
    """Adapters and their rfkill switches, as one list of what was done."""

    def __init__(self, *adapters: str, switches: bool = True) -> None:
        super().__init__()
        self.here = list(adapters)
        self.hidden: list[str] = []
        """Come when all switches are unblocked."""
        self.on: set[str] = set()
        self.hard: set[str] = set()
        self.errors: dict[str, int] = {}
        """Errors by what was tried, e.g. "up hci0"."""
        self.hangs: set[str] = set()
        self.never = threading.Event()
        self.done: list[str] = []
        self._switches = switches

    def adapters(self) -> list[str]:
        return list(self.here)

    def switch(self, adapter: str) -> int | None:
        return power_cycle.number(adapter) + 10 if self._switches else None

    def hard_blocked(self, adapter: str) -> bool:
        return adapter in self.hard

    def block(self, switch: int, *, blocked: bool) -> None:
        self._do(f"{'block' if blocked else 'unblock'} {switch}")

    def unblock_all(self) -> None:
        self._do("unblock all")
        self.here += self.hidden

    def up(self, adapter: str) -> None:
        self._do(f"up {adapter}")
        self.on.add(adapter)

    def down(self, adapter: str) -> None:
        self._do(f"down {adapter}")
        self.on.discard(adapter)

    def is_up(self, adapter: str) -> bool:
        return adapter in self.on

    def _do(self, what: str) -> None:
        if what in self.hangs:
            self.never.wait(10)
        if what in self.errors:
            raise OSError(self.errors[what], os.strerror(self.errors[what]))
        self.done.append(what)


def cycle(kernel: Kernel, which: str) -> list[str]:
    said: list[str] = []
    Cycle(kernel, said.append, step=0.2, total=2.0, off=0.0, come=0.0).run(which)
    return said


def code(kernel: Kernel, which: str) -> Code:
    with pytest.raises(PowerError) as caught:
        cycle(kernel, which)
    return caught.value.code


def test_adapter_goes_off_its_switch_is_moved_and_it_comes_on() -> None:
    kernel = FakeKernel("hci0", "hci1")
    assert cycle(kernel, "hci1") == ["hci1 was switched off and on"]
    assert kernel.done == ["down hci1", "block 11", "unblock 11", "up hci1"]


def test_adapter_without_switch_only_goes_off_and_on() -> None:
    kernel = FakeKernel("hci0", switches=False)
    cycle(kernel, "hci0")
    assert kernel.done == ["down hci0", "up hci0"]


def test_any_tries_every_adapter_and_one_that_comes_on_is_enough() -> None:
    kernel = FakeKernel("hci0", "hci1")
    kernel.errors["up hci0"] = errno.EIO
    said = cycle(kernel, "any")
    assert kernel.on == {"hci1"}
    assert said == ["hci0: on: Input/output error", "hci1 was switched off and on"]


def test_adapter_whose_supply_a_switch_had_cut_is_found_after_unblocking() -> None:
    kernel = FakeKernel()
    kernel.hidden = ["hci0"]
    cycle(kernel, "any")
    assert kernel.done[0] == "unblock all"
    assert kernel.on == {"hci0"}


def test_adapter_that_cannot_be_switched_off_is_still_switched_on() -> None:
    kernel = FakeKernel("hci0")
    kernel.errors["down hci0"] = errno.EIO
    cycle(kernel, "hci0")
    assert kernel.on == {"hci0"}


@pytest.mark.parametrize(
    ("step", "error", "wanted"),
    [
        ("down hci0", errno.EPERM, Code.NOT_PERMITTED),
        ("block 10", errno.EACCES, Code.NOT_PERMITTED),
        ("up hci0", errno.ERFKILL, Code.REFUSED),
        ("up hci0", errno.ETIMEDOUT, Code.LATE),
        ("up hci0", errno.ENODEV, Code.NO_ADAPTER),
    ],
)
def test_each_refusal_has_its_exit_code(step: str, error: int, wanted: Code) -> None:
    kernel = FakeKernel("hci0")
    kernel.errors[step] = error
    assert code(kernel, "hci0") is wanted


def test_no_adapter_is_told() -> None:
    assert code(FakeKernel(), "any") is Code.NO_ADAPTER
    assert code(FakeKernel("hci0"), "hci1") is Code.NO_ADAPTER


def test_hard_switch_is_told() -> None:
    kernel = FakeKernel("hci0")
    kernel.hard.add("hci0")
    assert code(kernel, "hci0") is Code.HARD_BLOCKED


def test_driver_that_never_answers_ends_the_step_in_time() -> None:
    kernel = FakeKernel("hci0")
    kernel.hangs.add("down hci0")
    try:
        assert code(kernel, "hci0") is Code.LATE
    finally:
        kernel.never.set()


def test_adapter_that_does_not_come_on_is_told() -> None:
    class Dead(FakeKernel):
        def is_up(self, adapter: str) -> bool:
            return False

    assert code(Dead("hci0"), "hci0") is Code.REFUSED


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["hci0", "hci1"],
        [""],
        ["hci"],
        ["hci00"],
        ["hci-1"],
        ["hci0\n"],
        ["hci٣"],
        ["../hci0"],
        ["hci0:1"],
        ["ANY"],
        ["hci99999"],
        ["--help"],
    ],
)
def test_only_an_adapters_name_or_any_is_accepted(words: list[str]) -> None:
    kernel = FakeKernel("hci0")
    assert power_cycle.main(words, kernel) == Code.USAGE
    assert kernel.done == []


def test_names_are_read_from_the_kernels_folder_in_the_order_of_their_numbers(
    tmp_path: Path,
) -> None:
    for name in ("hci10", "hci2", "hci0", "hci0:64", "other"):
        (tmp_path / name).mkdir()
    switch = tmp_path / "hci2" / "rfkill7"
    switch.mkdir()
    (switch / "index").write_text("7\n")
    (switch / "hard").write_text("1\n")
    kernel = Kernel(classes=tmp_path)
    assert kernel.adapters() == ["hci0", "hci2", "hci10"]
    assert kernel.switch("hci2") == 7
    assert kernel.switch("hci0") is None
    assert kernel.hard_blocked("hci2")
    assert not kernel.hard_blocked("hci0")
    assert Kernel(classes=tmp_path / "none").adapters() == []


def test_switch_is_moved_by_one_event_of_eight_bytes(tmp_path: Path) -> None:
    device = tmp_path / "rfkill"
    kernel = Kernel(rfkill=device)
    moves: tuple[tuple[Callable[[], None], tuple[int, ...]], ...] = (
        (lambda: kernel.block(7, blocked=True), (7, 2, 2, 1, 0)),
        (lambda: kernel.block(7, blocked=False), (7, 2, 2, 0, 0)),
        (kernel.unblock_all, (0, 2, 3, 0, 0)),
    )
    for move, wanted in moves:
        device.write_bytes(b"")
        move()
        assert struct.unpack("=IBBBB", device.read_bytes()) == wanted


def test_program_needs_nothing_but_the_standard_library() -> None:
    ask = "import sys, gateway.sensing.power_cycle\nprint(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    ours = [name for name in done.stdout.split() if name.partition(".")[0] == "gateway"]
    assert ours == ["gateway", "gateway.sensing", "gateway.sensing.power_cycle"]
    foreign = {"bleak", "dbus_fast", "msgspec", "click"}
    assert not foreign & {name.partition(".")[0] for name in done.stdout.split()}
