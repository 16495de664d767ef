"""Who is bluetoothd at this moment: the signal that a restart is over, before any silence is.

bleak neither notices nor says that bluetoothd was restarted; its scanner then hears nothing for
ever (measured, and SignalK/signalk-server #3057). This watch has a connection of its own, with one
match rule: it must outlive what is thrown away and made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.errors import AuthError, DBusError

from gateway.domain.instant import Clock

BLUEZ: Final = "org.bluez"
_BUS: Final = "org.freedesktop.DBus"
_RULE: Final = (
    f"type='signal',sender='{_BUS}',interface='{_BUS}',path='/org/freedesktop/DBus',"
    f"member='NameOwnerChanged',arg0='{BLUEZ}'"
)

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect, to subscribe and to ask who owns the name. All three are answered by the
D-Bus daemon itself, in milliseconds; it takes seconds only while a small machine boots."""

FIRST_RETRY: Final = 1.0
LONGEST_RETRY: Final = 30.0
"""Seconds between two attempts. The D-Bus daemon of a running system does not go away; where it
does, everything else is started anew too, within this time."""

Changed = Callable[[str | None], None]
"""Called with the unique name of the new owner; None: there is none."""


class OwnerWatch:
    """``run`` until cancelled; ``owner`` is what was last heard."""

    def __init__(self, clock: Clock) -> None:
        self.owner: str | None = None
        self.known = False
        """Whether ``owner`` was ever heard: until then None means nothing."""
        self.changes = 0
        self._clock = clock

    async def run(self, changed: Changed) -> None:
        """Watch. A lost D-Bus daemon counts as a lost bluetoothd."""
        wait = FIRST_RETRY
        while True:
            bus: MessageBus | None = None
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
                    await self._subscribe(bus, changed)
                wait = FIRST_RETRY
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's
            except (OSError, EOFError, TimeoutError, DBusError, AuthError):
                pass  # tried again below, for ever: without it there is no radio
            finally:
                if bus is not None:
                    bus.disconnect()
            self._heard(None, changed)
            await self._clock.sleep(wait)
            wait = min(LONGEST_RETRY, 2 * wait)

    async def _subscribe(self, bus: MessageBus, changed: Changed) -> None:
        def handle(message: Message) -> None:
            if (
                message.message_type is MessageType.SIGNAL
                and message.sender == _BUS
                and message.member == "NameOwnerChanged"
                and message.body[0] == BLUEZ
            ):
                self._heard(message.body[2] or None, changed)

        bus.add_message_handler(handle)
        await bus.call(daemon_call("AddMatch", _RULE))
        reply = await bus.call(daemon_call("GetNameOwner", BLUEZ))
        there = reply.message_type is MessageType.METHOD_RETURN
        self._heard(reply.body[0] if there else None, changed)

    def _heard(self, owner: str | None, changed: Changed) -> None:
        if self.known and owner == self.owner:
            return
        if self.known:
            self.changes += 1
        self.owner, self.known = owner, True
        changed(owner)


def daemon_call(member: str, argument: str) -> Message:
    """A question to the D-Bus daemon itself with one word as its argument."""
    return Message(
        destination=_BUS,
        path="/org/freedesktop/DBus",
        interface=_BUS,
        member=member,
        signature="s",
        body=[argument],
    )
