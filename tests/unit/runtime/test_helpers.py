"""Test whether the helpers are asked for over D-Bus, their end is waited for, and a no is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import BusType, Message, MessageType, NameFlag, Variant
from dbus_fast.aio.message_bus import MessageBus

from gateway.runtime import helpers
from gateway.runtime.helpers import NOT_NOW, Helper, HelperError, Helpers
from gateway.sensing import ble, ladder, power_cycle
from tests.support.private_bus import PrivateBus

UNITS = Path(__file__).parents[3] / "packaging" / "radio"
MANAGER = "org.freedesktop.systemd1.Manager"


class FakeSystemd:
    """systemd's manager as far as the helpers meet it.

    ``installed``  units that LoadUnit calls loaded
    ``result``     of every job; None: it never ends
    ``refuse``     name of the error that StartUnit answers with
    """

    def __init__(self) -> None:
        self.installed = {helper.value.format("any") for helper in Helper}
        self.result: str | None = "done"
        self.code = 0
        self.refuse: str | None = None
        self.early = False
        self.started: list[str] = []
        self.asked = asyncio.Event()
        self.asker: str | None = None
        self._bus: MessageBus | None = None

    async def start(self) -> None:
        self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._handle)
        await self._bus.request_name(helpers.SYSTEMD, NameFlag.DO_NOT_QUEUE)

    async def stop(self) -> None:
        assert self._bus is not None
        self._bus.disconnect()
        await asyncio.wait_for(self._bus.wait_for_disconnect(), 5)  # type: ignore[no-untyped-call]

    async def end(self, told: Message) -> None:
        """Tell of a job's end."""
        assert self._bus is not None
        await self._bus.send(told)

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        match message.member:
            case "Subscribe":
                return Message.new_method_return(message)
            case "LoadUnit":
                path = "/unit/" + "".join(f"_{byte:02x}" for byte in message.body[0].encode())
                return Message.new_method_return(message, "o", [path])
            case "Get":
                return Message.new_method_return(message, "v", [self._property(message)])
            case "StartUnit":
                return self._start(message)
            case _:
                return None

    def _property(self, message: Message) -> Variant:
        assert message.path is not None
        unit = bytes.fromhex(message.path.removeprefix("/unit/").replace("_", "")).decode()
        match message.body[1]:
            case "LoadState":
                return Variant("s", "loaded" if unit in self.installed else "not-found")
            case name:
                assert name == "ExecMainStatus"
                return Variant("i", self.code)

    def _start(self, message: Message) -> Message | None:
        if self.refuse is not None:
            return Message.new_error(message, self.refuse, "no")
        unit, mode = message.body
        assert mode == "replace"
        self.started.append(unit)
        self.asker = message.sender
        self.asked.set()
        job = f"/job/{len(self.started)}"
        answer = Message.new_method_return(message, "o", [job])
        if self.result is None:
            return answer
        assert self._bus is not None
        if not self.early:
            self._bus.send(answer)
        self._bus.send(removed("/job/other", "other.service", "failed"))
        self._bus.send(removed(job, unit, self.result))
        if self.early:
            self._bus.send(answer)
        return None


def removed(job: str, unit: str, result: str, to: str | None = None) -> Message:
    return Message(
        message_type=MessageType.SIGNAL,
        destination=to,
        path="/org/freedesktop/systemd1",
        interface=MANAGER,
        member="JobRemoved",
        signature="uoss",
        body=[1, job, unit, result],
    )


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with PrivateBus(tmp_path) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield


@pytest.fixture
async def systemd(bus: None) -> AsyncIterator[FakeSystemd]:
    systemd = FakeSystemd()
    await systemd.start()
    yield systemd
    await systemd.stop()


async def reason(helper: Any) -> str:
    with pytest.raises(HelperError) as caught:
        await helper
    return caught.value.reason


async def test_each_helper_starts_its_own_unit(systemd: FakeSystemd) -> None:
    asked = Helpers()
    await asked.power_cycle("hci0")
    await asked.power_cycle("any")
    await asked.restart_daemon()
    assert await asked.reboot(lambda: True)
    assert systemd.started == [
        "ansim-radio-power@hci0.service",
        "ansim-radio-power@any.service",
        "ansim-bluetooth-restart.service",
        "ansim-reboot.service",
    ]


async def test_end_that_is_told_before_the_jobs_name_is_not_missed(systemd: FakeSystemd) -> None:
    systemd.early = True
    await Helpers(timeout=5.0).restart_daemon()


async def test_reboot_is_not_asked_for_within_a_commit(systemd: FakeSystemd) -> None:
    assert not await Helpers().reboot(lambda: False)
    assert systemd.started == []


async def test_reboot_soon_after_a_reboot_is_a_no(systemd: FakeSystemd) -> None:
    systemd.result, systemd.code = "failed", NOT_NOW
    assert not await Helpers().reboot(lambda: True)


async def test_failed_helper_is_told_with_a_remedy_for_its_exit_code(systemd: FakeSystemd) -> None:
    systemd.result, systemd.code = "failed", 4
    with pytest.raises(HelperError, match="switch it on there") as caught:
        await Helpers().power_cycle("hci0")
    assert caught.value.reason == "helper-failed"
    systemd.code = 99
    with pytest.raises(HelperError, match="journalctl -u ansim-bluetooth-restart"):
        await Helpers().restart_daemon()


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", "helper-refused"),
        ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "helper-refused"),
        ("org.freedesktop.systemd1.NoSuchUnit", "helper-missing"),
        ("org.freedesktop.systemd1.UnitMasked", "helper-missing"),
        ("org.freedesktop.DBus.Error.Failed", "helper-failed"),
    ],
)
async def test_refusal_is_told(systemd: FakeSystemd, error: str, wanted: str) -> None:
    systemd.refuse = error
    assert await reason(Helpers().restart_daemon()) == wanted


async def test_helper_that_does_not_end_is_told_in_time(systemd: FakeSystemd) -> None:
    systemd.result = None
    assert await reason(Helpers(timeout=0.3).restart_daemon()) == "helper-late"


async def test_word_of_a_stranger_ends_nothing(systemd: FakeSystemd) -> None:
    systemd.result = None
    stranger = await MessageBus(bus_type=BusType.SYSTEM).connect()
    asked = asyncio.create_task(Helpers(timeout=10.0).restart_daemon())
    try:
        await asyncio.wait_for(systemd.asked.wait(), 5)
        assert systemd.asker is not None
        unit = Helper.RESTART_DAEMON.value
        await stranger.send(removed("/job/1", unit, "done", systemd.asker))
        await stranger.introspect("org.freedesktop.DBus", "/")  # by then the bus has passed it on
        await systemd.end(removed("/job/1", unit, "canceled"))
        assert await reason(asked) == "helper-failed"
    finally:
        stranger.disconnect()


@pytest.mark.parametrize("adapter", ["", "hci", "hci0/x", "hci0.service", "../any", "hci0 hci1"])
async def test_only_an_adapters_name_is_asked_for(systemd: FakeSystemd, adapter: str) -> None:
    assert await reason(Helpers().power_cycle(adapter)) == "helper-refused"
    assert systemd.started == []


async def test_helpers_that_are_not_installed_are_no_rungs(systemd: FakeSystemd) -> None:
    assert await Helpers().available() == frozenset(Helper)
    systemd.installed = {Helper.RESTART_DAEMON.value}
    found = await Helpers().available()
    assert found == {Helper.RESTART_DAEMON}
    actions = Helpers().actions(found, may_reboot=lambda: True)
    assert actions.restart_daemon is not None
    assert (actions.power_cycle, actions.reboot, actions.leave) == (None, None, None)


async def test_without_systemd_no_helper_is_there_and_asking_says_so(bus: None) -> None:
    assert await Helpers().available() == frozenset()
    assert await reason(Helpers().restart_daemon()) == "helper-unreachable"


async def test_without_dbus_no_helper_is_there_and_asking_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert await Helpers().available() == frozenset()
    assert await reason(Helpers().restart_daemon()) == "helper-unreachable"


def test_units_give_up_before_the_hub_does_and_the_hub_before_the_ladder() -> None:
    for unit in UNITS.glob("*.service"):
        seconds = re.search(r"^TimeoutStartSec=(\d+)s$", unit.read_text(), re.MULTILINE)
        assert seconds is not None
        assert int(seconds[1]) < helpers.HELPER_TIMEOUT < ble.ACTION_TIMEOUT
    assert power_cycle.TOTAL < helpers.HELPER_TIMEOUT


def test_units_and_rule_name_what_the_hub_asks_for() -> None:
    files = {path.name for path in UNITS.glob("*.service")}
    assert files == {helper.value.format("") for helper in Helper}
    rule = (UNITS / "49-ansim-radio.rules").read_text()
    pattern = re.search(r"/(\^.*\$)/", rule)
    assert pattern is not None
    allowed = re.compile(pattern[1])
    for helper in Helper:
        for adapter in ("any", "hci0", "hci12"):
            assert allowed.search(helper.value.format(adapter))
    for unit in (
        "bluetooth.service",
        "ansim-radio-power@.service",
        "ansim-radio-power@hci0.service.service",
        "ansim-radio-power@any\\x2f.service",
        "xansim-reboot.service",
        "ansim-reboot.service\n.service",
        "ansim-reboot.target",
        "reboot.target",
    ):
        assert not allowed.search(unit)


def test_reboots_are_as_far_apart_as_the_ladder_says() -> None:
    unit = (UNITS / "ansim-reboot.service").read_text()
    assert f"($$1 < {ladder.REBOOT_UP:.0f}) * {NOT_NOW}" in unit
