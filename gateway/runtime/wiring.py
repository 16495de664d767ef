"""What a hub consists of: everything made once and handed to each other, nothing decided."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct

from gateway import __version__
from gateway.domain.errors import JournalError, ModelError
from gateway.domain.household import Household
from gateway.domain.instant import Clock, Instant
from gateway.engine.predictor import Predictor
from gateway.journal import Journal
from gateway.runtime.clocks import SystemClock, VirtualClock
from gateway.runtime.crew import Crew
from gateway.runtime.hub import Hub
from gateway.runtime.lockstep import virtual_start
from gateway.runtime.pending import LONGEST_WAIT
from gateway.runtime.restore import Restored, restore
from gateway.runtime.senses import DEADLINE, Sense, Senses
from gateway.runtime.senses import senses as make_senses
from gateway.runtime.service import started_by_service
from gateway.runtime.sources import RecordingSource, Source
from gateway.security.keys import load_public_key
from gateway.security.signing import Verifier
from gateway.security.tls import client_context
from gateway.sensing import recording as homes
from gateway.settings import Loaded, Settings
from gateway.settings import fingerprint as settings_fingerprint
from gateway.settings.types import CentreSection
from gateway.uplink.carrier import GROUP, Maker
from gateway.uplink.config import Endpoint, UplinkConfig
from gateway.uplink.heartbeat import Progress, Vitals
from gateway.uplink.uplink import Uplink

if TYPE_CHECKING:  # both need D-Bus, which a home without radio does not
    from gateway.runtime.helpers import Helper
    from gateway.sensing.ble import Actions

log = logging.getLogger("ansim")

CORE = "engine"
"""The core's name among the parts whose progress the heartbeat tells."""

CORE_DEADLINE = 2.5 * LONGEST_WAIT
"""Seconds without a step of the core that count as hung; it wakes at least each minute. R2 asks for
11 minutes at most."""


class Options(Struct, frozen=True, kw_only=True):
    """``settings``   the file
    ``data``       the data folder, if not the file's
    ``recording``  a recorded home to play instead of sensors
    ``lockstep``   time moves only through the control socket
    ``speed``      recorded seconds in one real second
    ``model``      whether the network may be used
    ``by_person``  whether somebody waits for an error message
    ``language``   of that message"""

    settings: Path
    data: Path | None = None
    recording: Path | None = None
    lockstep: bool = False
    speed: float = 1.0
    model: bool = True
    by_person: bool = False
    language: str = "en"


class Parts(Struct, kw_only=True):
    """The parts of one hub, ready to run. Only ``uplink`` is ever exchanged."""

    settings: Settings
    household: Household
    clock: Clock
    virtual: VirtualClock | None
    journal: Journal
    hub: Hub
    uplink: Uplink | None
    sources: tuple[Source, ...]
    senses: Senses
    """The radio and the wires, which are among ``sources``."""
    deaf: tuple[str, ...]
    """Sources that sensors count on and that do not run: those sensors see nothing (R15)."""
    crew: Crew
    progress: Progress
    predictor: Predictor | None
    began: Instant
    faults: dict[str, str]
    """Parts that were wrong from the start, to be told."""

    def vitals(self) -> Vitals:
        """What the heartbeat says about the hub itself."""
        faults = {**self.hub.faults, **self.senses.faults()}
        if self.uplink is not None and (fault := self.uplink.fault) is not None:
            faults[f"link-{fault}"] = fault
        return Vitals(
            uptime=max(0.0, self.clock.now().boottime - self.began.boottime),
            version=__version__,
            settings=settings_fingerprint(self.settings),
            model=None if self.predictor is None else self.predictor.fingerprint,
            faults=tuple(sorted(faults)),
            counters=self.senses.counters,
        )

    def counters(self) -> dict[str, int]:
        """Everything that was counted since the start."""
        return {**self.crew.counters, **self.hub.counters, **self.senses.counters}


def build(loaded: Loaded, options: Options, helpers: Collection[Helper] = ()) -> Parts:
    """Everything of a hub, restored from its journal and not yet started. ``helpers``: what is
    installed to bring a deaf radio back.

    Raises SettingsError, RecordingError, JournalError or CertificateError: what a person who
    starts a hub must hear at once.
    """
    settings = loaded.settings
    path = options.recording or (settings.recording.path if settings.recording else None)
    recording = None if path is None else homes.load(path)
    played = () if recording is None else recording.sensors
    recorded = {sensor.id for sensor in played}
    # Time of a lock-step hub is not the radio's: there a recording comes alone.
    live = recording is None or not options.lockstep
    household = settings.household(None if recording is None else played, live=live)
    faults: dict[str, str] = {}
    if loaded.damaged is not None:
        faults["config"] = "settings"
    predictor = _predictor(settings, options, faults)
    if settings.centre is not None:  # fails here, with a sentence, and not in a loop later
        centre = settings.centre
        client_context(centre.ca, centre.certificate, centre.key)
        if (second := _second(centre)) is not None:
            client_context(second.ca, second.certificate, second.key)
    clock: Clock = SystemClock()
    journal = Journal.open(settings.hub.data, settings.hub.id, clock_wall=lambda: clock.now().wall)
    try:
        restored = _restored(journal, household, predictor)
        virtual: VirtualClock | None = None
        source: Source | None = None
        if recording is not None:
            offset = household.utc_offset
            rows = homes.observations(recording, offset)
            names = tuple(sorted({s.source for s in household.sensors if s.id in recorded}))
            if options.lockstep:
                first = next(homes.observations(recording, offset)).at.wall
                run = os.urandom(3).hex()
                clock = virtual = VirtualClock(virtual_start(first, restored.last, run))
                source = RecordingSource(
                    names, rows, clock, shift=0.0, after=_played(restored.last)
                )
            else:
                source = RecordingSource(names, rows, clock, speed=options.speed)
        hub = Hub(restored, journal, clock, version=__version__, beside=virtual is None)
        progress = Progress()
        began = clock.now()
        progress.register(CORE, CORE_DEADLINE, began.boottime)
        hub.on_progress = lambda: progress.note(CORE, clock.now().boottime)
        senses = make_senses(
            settings,
            clock,
            played=recorded if live else {section.id for section in settings.sensors},
            counter=journal.counter,
            last=restored.last,
            offer=hub.offer,
            hurry=hub.hurry,
            actions=partial(_actions, helpers, hub),
        )
        hub.along = senses.ether
        for sense in senses.sources:
            _watch_progress(sense, progress, clock)
        sources = (*senses.sources, *(() if source is None else (source,)))
        running = {name for one in sources for name in one.names}
        parts = Parts(
            settings=settings,
            household=household,
            clock=clock,
            virtual=virtual,
            journal=journal,
            hub=hub,
            uplink=None,
            sources=sources,
            senses=senses,
            deaf=tuple(sorted({s.source for s in household.sensors} - running)),
            crew=Crew(clock),
            progress=progress,
            predictor=predictor,
            began=began,
            faults=faults,
        )
        connect(parts)
        hub.listeners.append(lambda _alerts: None if parts.uplink is None else parts.uplink.wake())
        return parts
    except BaseException:
        journal.close()
        raise


def connect(parts: Parts) -> None:
    """Give the parts their way to the centre; a new one where the journal has begun anew, because
    everything that the old one has in hand is numbered by the old journal."""
    centre = parts.settings.centre
    if centre is None:
        return
    hub = parts.settings.hub
    uplink = Uplink(
        UplinkConfig(
            tenant=hub.tenant,
            first=Endpoint(centre.host, centre.port, centre.ca, centre.certificate, centre.key),
            second=_second(centre),
            heartbeat=float(centre.heartbeat_s),
        ),
        journal=parts.journal,
        clock=parts.clock,
        random=Random(time.time_ns()),
        household=parts.household,
        verifier=Verifier({kid: load_public_key(path) for kid, path in centre.keys.items()}),
        watch=parts.hub.watch,
        vitals=parts.vitals,
        on_answer=parts.hub.accept,
        write=parts.hub.writer.carefully,
        progress=parts.progress,
        carrier=_carrier(centre.carrier, parts.faults),
    )
    # One set of counters, so that the heartbeat tells all of them.
    uplink.counters.update(parts.hub.counters)
    parts.hub.counters = parts.crew.counters = uplink.counters
    parts.uplink = uplink


def _restored(journal: Journal, household: Household, predictor: Predictor | None) -> Restored:
    """The engine as it was. Damage among old readings shows only now: then the journal begins anew
    with what can be read, and the engine with it."""
    try:
        return restore(journal, household, predictor)
    except JournalError as error:
        if error.reason != "damaged":
            raise
        log.error("%s", error)
    journal.heal()
    return restore(journal, household, predictor)


def _second(centre: CentreSection) -> Endpoint | None:
    """The second broker; what is not said of it is as with the first."""
    second = centre.second
    if second is None:
        return None
    return Endpoint(
        second.host,
        second.port,
        second.ca or centre.ca,
        second.certificate or centre.certificate,
        second.key or centre.key,
    )


def _carrier(name: str | None, faults: dict[str, str]) -> Maker | None:
    """The extension that the settings name; without it the hub runs all the same, and says so."""
    if name is None:
        return None
    found = entry_points(group=GROUP, name=name)
    try:
        maker: Maker = next(iter(found)).load()
    except StopIteration:
        log.error("no extension offers the carrier %s; install it or take it out of the file", name)
    except Exception as error:  # foreign code: whatever it is, the hub runs
        log.error("the carrier %s cannot be loaded", name, exc_info=error)
    else:
        return maker
    faults["config"] = "carrier"
    return None


def _predictor(settings: Settings, options: Options, faults: dict[str, str]) -> Predictor | None:
    """The network, or None: without it the ceilings and the home's own habits decide (R18)."""
    if not (options.model and settings.model.enabled):
        return None
    from gateway import inference

    try:
        return inference.load(settings.model.path)
    except ModelError as error:
        log.error("%s", error)
        faults["model"] = error.reason
        return None


def _played(last: Instant | None) -> float | None:
    """Up to which wall second of the recording a lock-step hub has played before."""
    return None if last is None else last.wall


def _actions(helpers: Collection[Helper], hub: Hub, senses: Senses) -> Actions:
    """What the radio's recovery may do beyond its scanner. To end this process helps only where
    somebody starts it again, and no reboot cuts a commit short ("Settled")."""
    from gateway.runtime.helpers import Helpers

    return Helpers().actions(
        helpers,
        leave=senses.leave if started_by_service() else None,
        may_reboot=lambda: not hub.committing,
    )


def _watch_progress(sense: Sense, progress: Progress, clock: Clock) -> None:
    """A radio or a reading of pins that hangs is told, and the watchdog no longer fed (R2)."""
    name = "+".join(sense.names)
    progress.register(name, DEADLINE, clock.now().boottime)
    sense.on_progress = lambda: progress.note(name, clock.now().boottime)
