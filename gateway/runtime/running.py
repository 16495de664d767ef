"""A hub from its first observation to its clean end."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway import __version__
from gateway.domain.errors import SensingError
from gateway.domain.health import SensorState
from gateway.domain.instant import Instant, iso
from gateway.domain.observation import SourceChanged
from gateway.runtime import service
from gateway.runtime.asking import Request
from gateway.runtime.care import EVERY, EVERY_VIRTUAL, Care
from gateway.runtime.control import Control, Handler
from gateway.runtime.listening import deaf, listen
from gateway.runtime.lockstep import Lockstep
from gateway.runtime.sources import Source
from gateway.runtime.status import AlertLine, Status
from gateway.runtime.wiring import Options, Parts, build, connect
from gateway.settings import Loaded, Settings
from gateway.settings import fingerprint as settings_fingerprint

if TYPE_CHECKING:  # needs D-Bus, which a home without radio does not
    from gateway.runtime.helpers import Helper

log = logging.getLogger("ansim")


async def run(loaded: Loaded, options: Options) -> None:
    """Run a hub until SIGTERM or SIGINT. Raises what ``build`` raises, and SensingError where the
    end of this process is the next remedy for a deaf radio."""
    parts = build(loaded, options, await _helpers(loaded.settings))
    stop = asyncio.Event()
    parts.senses.end = stop.set
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    notify = service.notifier()
    crew = parts.crew
    care = Care(
        parts.hub,
        parts.journal,
        parts.clock,
        path=options.settings,
        settings=parts.settings,
        link=partial(_link, parts),
        link_fault=partial(_link_fault, parts),
        recorded=options.recording is not None,
        every=EVERY if parts.virtual is None else EVERY_VIRTUAL,
    )
    renewing: set[asyncio.Task[None]] = set()
    parts.hub.on_new_journal = lambda: _hold(renewing, asyncio.create_task(_new_link(parts)))
    control = Control(parts.settings.hub.data, _handlers(parts))
    try:
        await control.open()
        _first_words(parts)
        crew.start("core", parts.hub.run)
        for source in parts.sources:
            crew.start(
                _task(source),
                partial(listen, source, parts.clock, parts.hub.offer),
                failed=partial(deaf, source, parts.hub.offer),
                forever=False,
            )
        if parts.uplink is not None:
            crew.start("uplink", parts.uplink.run)
        crew.start("care", care.run)
        notify("READY=1")
        if (watchdog := service.watchdog_seconds()) is not None:
            crew.start("watchdog", partial(_feed, parts, notify, watchdog))
        await stop.wait()
        notify("STOPPING=1")
    finally:
        await _end(parts, control)
    if parts.senses.left:
        raise SensingError(
            "The radio stays deaf; the hub starts anew. If that goes on, change the adapter.",
            reason="radio-deaf",
        )


def _hold(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _new_link(parts: Parts) -> None:
    """The journal began anew: so does the session, with the new journal's id and numbers."""
    if parts.uplink is None:
        return
    await parts.uplink.stop()
    await parts.crew.stop("uplink")
    parts.crew.start("uplink", partial(_connected_anew, parts))


async def _connected_anew(parts: Parts) -> None:
    """May fail like any task (a key file that is gone by now): the crew tries it again."""
    connect(parts)
    if parts.uplink is not None:
        await parts.uplink.run()


async def _helpers(settings: Settings) -> Collection[Helper]:
    """What is installed to bring a deaf radio back."""
    if all(section.radio() is None for section in settings.sensors):
        return ()
    from gateway.runtime.helpers import Helpers

    return await Helpers().available()


def _first_words(parts: Parts) -> None:
    """That the program started, what is wrong with it, and which sensors nobody listens to."""
    hub = parts.hub
    hub.boot()
    for part, detail in parts.faults.items():
        hub.fault(part, True, detail)
    for name in parts.deaf:
        hub.offer(SourceChanged(name, alive=False, detail="not-running"))


def _task(source: Source) -> str:
    return f"source:{'+'.join(source.names)}"


def _link(parts: Parts) -> str | None:
    uplink = parts.uplink
    if uplink is None or uplink.connected:
        return None
    return uplink.trouble or "connecting"


def _link_fault(parts: Parts) -> str | None:
    return None if parts.uplink is None else parts.uplink.fault


async def _feed(parts: Parts, notify: Any, seconds: float) -> None:
    """Tell the service manager that we live, as long as the core really does."""
    while True:
        if not parts.progress.hung(parts.clock.now().boottime):
            notify("WATCHDOG=1")
        await asyncio.sleep(seconds / 3)


async def _end(parts: Parts, control: Control) -> None:
    """Everything on disk, the centre told that we went on purpose, then silence."""
    crew = parts.crew
    try:
        await crew.stop(*map(_task, parts.sources), "care", "watchdog")
        await crew.stop("core")
        await parts.hub.close()
        if parts.uplink is not None:
            await parts.uplink.stop()
        await crew.stop()
    finally:
        await control.close()
        parts.hub.writer.close()  # not before the link has ended: until then it stores answers
        parts.journal.close()


def _handlers(parts: Parts) -> dict[str, Handler]:
    async def status(_: Request) -> Mapping[str, Any]:
        return {"status": msgspec.to_builtins(status_of(parts))}

    async def rearm(request: Request) -> Mapping[str, Any]:
        sensor = str(request.get("sensor", ""))
        parts.senses.rearm(sensor, parts.clock.now().boottime)
        log.info("sensor %s: re-armed on site; its next frame is its new start", sensor)
        return {"sensor": sensor}

    handlers: dict[str, Handler] = {"status": status, "rearm": rearm}
    if parts.virtual is not None:
        lockstep = Lockstep(
            parts.virtual,
            parts.hub,
            parts.journal,
            lambda: parts.uplink,
            parts.household.utc_offset,
        )
        handlers |= lockstep.handlers()
    return handlers


def status_of(parts: Parts) -> Status:
    """How the hub is, for the control socket."""
    hub, uplink = parts.hub, parts.uplink
    now = parts.clock.now()
    offset = parts.household.utc_offset
    stats = parts.journal.stats()  # first: whether it can be read is part of the watch
    watch = hub.watch()
    hung = parts.progress.hung(now.boottime)
    by_state: dict[SensorState, list[str]] = {state: [] for state in SensorState}
    for sensor, state in sorted(watch.sensors.items()):
        by_state[state].append(sensor)
    return Status(
        hub=parts.household.hub,
        running=True,
        at=iso(now.wall, offset),
        boot=now.boot,
        version=__version__,
        pid=os.getpid(),
        uptime_s=now.boottime - parts.began.boottime,
        memory_mib=_memory(),
        watching=watch.watching and not hung,
        reasons=(*watch.reasons, *(f"hung:{part}" for part in hung)),
        last_activity_at=_iso(watch.last_activity_wall, offset),
        silence_s=watch.silence,
        away=watch.away,
        paused_until=_iso(watch.paused_until_wall, offset),
        sensors_ok=len(by_state[SensorState.OK]),
        sensors_stale=tuple(by_state[SensorState.STALE]),
        sensors_lost=tuple(by_state[SensorState.LOST]),
        sensors_unproven=tuple(by_state[SensorState.UNPROVEN]),
        alerts=tuple(
            AlertLine(
                alert_id=alert.id,
                version=alert.version,
                type=str(alert.type),
                level=int(alert.level),
                state=str(alert.state),
                raised_at=iso(alert.raised.wall, offset),
                subject=alert.subject,
            )
            for alert in hub.engine.open_alerts()
        ),
        connected=uplink is not None and uplink.connected,
        link_trouble=_link(parts),
        link_fault=_link_fault(parts),
        second_path=uplink is not None and uplink.second_connected,
        centre_there=None if uplink is None else uplink.centre_there,
        waiting_alerts=stats.waiting_alerts,
        waiting_records=stats.waiting_records,
        oldest_unreceived_s=_oldest(parts, stats.oldest_alert, now),
        observations=hub.sequence,
        faults={**hub.faults, **parts.senses.faults()},
        counters=parts.counters(),
        radio=None if parts.senses.ether is None else parts.senses.ether.state,
        scan=None if parts.senses.ether is None else parts.senses.ether.mode,
        sensor_problems=parts.senses.problems(),
        settings=settings_fingerprint(parts.settings),
        model=None if parts.predictor is None else parts.predictor.fingerprint,
    )


def _oldest(parts: Parts, created: float | None, now: Instant) -> float | None:
    """Seconds for which the oldest unreceived alert has waited; by the wall clock only where no link
    counts them."""
    if created is None:
        return None
    age = None if parts.uplink is None else parts.uplink.unreceived_for
    return max(0.0, now.wall - created) if age is None else age


def _memory() -> float:
    """Resident memory in MiB now; its peak where /proc is not there."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _iso(wall: float | None, offset: int) -> str | None:
    return None if wall is None else iso(wall, offset)
