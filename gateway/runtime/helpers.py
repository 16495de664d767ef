"""Asks systemd for what the hub may not do itself: power-cycle the radio, restart bluetoothd, reboot.

The hub runs unprivileged and sandboxed. For each of the three there is a unit (``packaging/radio/``)
and a polkit rule that lets the hub's user start exactly these; the request goes over D-Bus, and the
end of the unit's job is waited for. Nothing here runs a program.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.errors import AuthError, DBusError

from gateway.domain.errors import AnsimError
from gateway.sensing.ble import Actions
from gateway.sensing.owner import daemon_call

SYSTEMD: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"
_MANAGER: Final = "org.freedesktop.systemd1.Manager"
_BUS: Final = "org.freedesktop.DBus"
_REMOVED: Final = (
    f"type='signal',sender='{SYSTEMD}',interface='{_MANAGER}',path='{_PATH}',member='JobRemoved'"
)

ADAPTER: Final = re.compile(r"any|hci(0|[1-9][0-9]{0,3})", re.ASCII)
"""As in 49-ansim-radio.rules and gateway.sensing.power_cycle: what is refused there is not asked."""

HELPER_TIMEOUT: Final = 55.0
"""Seconds for everything. The units give up after 50 s, and then say why; the ladder goes on
climbing after 60 s (ACTION_TIMEOUT of gateway.sensing.ble)."""

ASK_TIMEOUT: Final = 20.0
"""Seconds to learn which helpers there are. systemd answers in milliseconds; while a small machine
boots it has other things to do."""

NOT_NOW: Final = 75
"""Exit code of the reboot's unit while the machine has not been up for 6 h: a no, not a failure."""

EXITS: Final = {
    3: "There is no such Bluetooth adapter; plug it in, or name another one under [radio].",
    4: "A switch of the machine itself holds the radio off; switch it on there.",
    5: "The helper lacks its privileges; install the package anew.",
    6: "The Bluetooth driver hangs; take the adapter or the hub off its supply for a moment.",
    7: "The adapter does not come on; take it or the hub off its supply for a moment.",
}
"""What to do for each exit code of gateway.sensing.power_cycle."""


class Helper(Enum):
    """The units, by what they do."""

    POWER_CYCLE = "ansim-radio-power@{}.service"
    RESTART_DAEMON = "ansim-bluetooth-restart.service"
    REBOOT = "ansim-reboot.service"


class HelperError(AnsimError):
    """Raised when a helper was refused, failed or did not end in time. ``reason`` is one of
    helper-missing, helper-refused, helper-failed, helper-late, helper-unreachable."""

    reason = "helper-failed"


class Helpers:
    """Each call has a connection of its own: it is needed once in months, and what it is needed for
    may have been the fault of the connection before."""

    def __init__(self, *, timeout: float = HELPER_TIMEOUT) -> None:
        """``timeout``: seconds for one helper, from the question to the end of its job."""
        self._timeout = timeout

    async def power_cycle(self, adapter: str) -> None:
        """Switch ``adapter`` ("hci0", or "any") off and on. Raises HelperError."""
        if not ADAPTER.fullmatch(adapter):
            raise HelperError(
                "An adapter is called hci0 or the like; name its address under [radio] instead.",
                reason="helper-refused",
            )
        await self._start(Helper.POWER_CYCLE.value.format(adapter))

    async def restart_daemon(self) -> None:
        """Restart bluetoothd. Raises HelperError."""
        await self._start(Helper.RESTART_DAEMON.value)

    async def reboot(self, may: Callable[[], bool]) -> bool:
        """Reboot, unless ``may`` (asked last: "not within a commit") or the unit says no: then
        False. The machine has 6 h between two reboots, whoever asks. Raises HelperError."""
        return await self._start(Helper.REBOOT.value, may)

    async def available(self) -> frozenset[Helper]:
        """Which helpers are installed: their units are known to systemd. Without D-Bus or systemd
        none is; that is not an error, the ladder has rungs that need nobody."""
        found: set[Helper] = set()
        try:
            async with asyncio.timeout(ASK_TIMEOUT), _manager() as manager:
                for helper in Helper:
                    if await manager.known(helper.value.format("any")):
                        found.add(helper)
        except (HelperError, TimeoutError):
            pass
        return frozenset(found)

    def actions(
        self,
        available: Collection[Helper],
        *,
        leave: Callable[[], None] | None = None,
        may_reboot: Callable[[], bool],
    ) -> Actions:
        """The ladder's actions with those helpers; rungs without one are passed over."""

        async def reboot() -> bool:
            return await self.reboot(may_reboot)

        return Actions(
            power_cycle=self.power_cycle if Helper.POWER_CYCLE in available else None,
            restart_daemon=self.restart_daemon if Helper.RESTART_DAEMON in available else None,
            leave=leave,
            reboot=reboot if Helper.REBOOT in available else None,
        )

    async def _start(self, unit: str, may: Callable[[], bool] | None = None) -> bool:
        try:
            async with asyncio.timeout(self._timeout), _manager() as manager:
                if may is not None and not may():
                    return False
                result = await manager.start(unit)
                if result == "done":
                    return True
                # Of a unit that failed systemd keeps what it knows; of others it forgets it at once.
                code = await manager.exit_code(unit)
        except TimeoutError:
            raise HelperError(
                f"{unit} did not end in {self._timeout:.0f} s; see journalctl -u {unit}.",
                reason="helper-late",
            ) from None
        if may is not None and code == NOT_NOW:
            return False
        remedy = EXITS.get(code, f"see journalctl -u {unit}.")
        raise HelperError(f"{unit} failed ({result}, exit code {code}): {remedy}")


class _Manager:
    """systemd's manager on one connection."""

    def __init__(self, bus: MessageBus, owner: str) -> None:
        self._bus = bus
        self._owner = owner
        self._results: dict[str, str] = {}
        self._news = asyncio.Event()
        bus.add_message_handler(self._handle)

    async def start(self, unit: str) -> str:
        """Start it; returns the result of its job (done, failed, timeout, ...)."""
        await self._call(_PATH, _MANAGER, "Subscribe", "", [])
        job = await self._call(_PATH, _MANAGER, "StartUnit", "ss", [unit, "replace"])
        while job not in self._results:  # it may have ended before we learnt its name
            self._news.clear()
            await self._news.wait()
        return self._results[job]

    async def known(self, unit: str) -> bool:
        """Whether there is such a unit."""
        return bool(await self._of(unit, "Unit", "LoadState") == "loaded")

    async def exit_code(self, unit: str) -> int:
        """How its program ended."""
        return int(await self._of(unit, "Service", "ExecMainStatus"))

    async def _of(self, unit: str, interface: str, name: str) -> Any:
        path = await self._call(_PATH, _MANAGER, "LoadUnit", "s", [unit])
        words = [f"{SYSTEMD}.{interface}", name]
        value = await self._call(path, f"{_BUS}.Properties", "Get", "ss", words)
        return value.value if isinstance(value, Variant) else value

    async def _call(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> Any:
        """The first value of the answer. Raises HelperError."""
        reply = await self._bus.call(
            Message(
                destination=self._owner,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=body,
            )
        )
        if reply.message_type is not MessageType.METHOD_RETURN:
            raise _refused(member, body, reply.error_name or "")
        return reply.body[0] if reply.body else None

    def _handle(self, message: Message) -> None:
        # By its sender: any program on the bus may send us a signal of this name.
        if (
            message.message_type is MessageType.SIGNAL
            and message.sender == self._owner
            and message.member == "JobRemoved"
            and message.signature == "uoss"
        ):
            self._results[message.body[1]] = message.body[3]
            self._news.set()


@asynccontextmanager
async def _manager() -> AsyncIterator[_Manager]:
    """A connection to the system's bus, for one question. Raises HelperError."""
    bus: MessageBus | None = None
    try:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        for member, argument in (("AddMatch", _REMOVED), ("GetNameOwner", SYSTEMD)):
            reply = await bus.call(daemon_call(member, argument))
        if reply.message_type is not MessageType.METHOD_RETURN:
            raise HelperError(
                "No systemd answers on D-Bus; the radio's helpers need a hub that systemd runs.",
                reason="helper-unreachable",
            )
        yield _Manager(bus, reply.body[0])
    except (OSError, EOFError, AuthError, DBusError) as error:
        raise HelperError(
            f"The system's D-Bus is not to be reached ({type(error).__name__}); "
            "see systemctl status dbus.",
            reason="helper-unreachable",
        ) from error
    finally:
        if bus is not None:
            bus.disconnect()


def _refused(member: str, body: list[Any], name: str) -> HelperError:
    what = f"{member} {' '.join(map(str, body))}".strip()
    word = name.rpartition(".")[2] or "no answer"
    match word:
        case "AccessDenied" | "InteractiveAuthorizationRequired":
            return HelperError(
                f"systemd does not let this user do {what}; "
                "is polkit installed, with 49-ansim-radio.rules, and is the user ansim?",
                reason="helper-refused",
            )
        case "NoSuchUnit" | "LoadFailed" | "UnitMasked" | "BadUnitSetting":
            return HelperError(
                f"{what}: {word}; install the package ansim-gateway anew.", reason="helper-missing"
            )
        case _:
            return HelperError(f"{what} was answered with {word}; see journalctl -b.")
