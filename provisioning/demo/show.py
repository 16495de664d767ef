"""Plays the scenes within their budgets, prints what happens, and leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from gateway.languages import mark, translator
from gateway.languages.terminal import columns
from provisioning.demo import home
from provisioning.demo.failure import SceneError
from provisioning.demo.scenes import SCENES, Notes, Scene, figures
from provisioning.demo.stage import Stage
from provisioning.demo.verdict import judge, totals

SETTING_UP = mark("Broker, centre and hub are up and linked")
SETTING_UP_BUDGET = 20.0
"""Real seconds."""

WHOLE = 240.0
"""Real seconds after which it ends whatever happens; a slow machine with other work takes 90."""

WATCH = 0.25
"""Real seconds between two looks at the programs."""

FROZEN = 3.0
"""Real seconds that a program may be stopped before its scene has failed: somebody may only have
pressed Ctrl-Z."""

SILENT = 8.0
"""Real seconds that time may stand still for messages that the centre does not answer."""

DIAGNOSIS = 1.0
"""Real seconds to find out why a scene did not end."""

SHM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""In memory, where there is such a place: a week has ten thousand commits, and the demonstration
shall not wear out anybody's card."""

WIDTH = 80


class Show:
    """One performance."""

    def __init__(
        self,
        folder: Path | None,
        language: str,
        mosquitto: str | None,
        only: tuple[str, ...] = (),
    ) -> None:
        """``only``: keys of the scenes to play; none for all."""
        self._keep = folder is not None
        if folder is None:
            place = SHM if os.access(SHM, os.W_OK) else None
            folder = Path(tempfile.mkdtemp(prefix="ansim-demo-", dir=place))
        folder.mkdir(parents=True, exist_ok=True)
        self._ = translator(language)
        self._days = _DAYS[language]
        self.stage = Stage(folder.absolute(), self._, mosquitto)
        self._notes = Notes()
        self._failed: dict[str, str] = {}
        self._wanted = [scene for scene in SCENES if not only or scene.key in only]
        self._played: set[str] = set()
        self._stuck = False

    def prepare(self) -> None:
        """Certificates and home only."""
        self.stage.prepare()
        click.echo(self.stage.folder)

    async def play(self) -> int:
        """The exit code: 0, 1, or 128 + signal."""
        performance = asyncio.ensure_future(self._play())
        caught: list[int] = []

        def catch(number: int) -> None:
            caught.append(number)
            performance.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, catch, number)
        try:
            return await performance
        except asyncio.CancelledError:
            click.echo()
            return 128 + caught[0] if caught else 1
        finally:
            await self.stage.close()
            if not self._keep:
                shutil.rmtree(self.stage.folder, ignore_errors=True)

    async def _play(self) -> int:
        _ = self._
        began = time.monotonic()
        click.echo(_("Ansim: a week in one home, from its sensors to the centre and back."))
        click.echo(_("Folder {folder}").format(folder=self.stage.folder))
        if await self._set_up():
            for scene in self._wanted:
                left = WHOLE - (time.monotonic() - began)
                if not await self._scene(scene, min(scene.budget, left)):
                    break  # the rest cannot be played
        observations = await self._observations()
        return self._report(began, observations)

    async def _set_up(self) -> bool:
        why = await self._within(SETTING_UP_BUDGET, self._raise_curtain)
        if why is not None:
            self._failed["0"] = why
        return why is None

    async def _raise_curtain(self) -> None:
        self.stage.prepare()
        await self.stage.start_all()
        pids = ", ".join(f"{child.name} {child.pid}" for child in self.stage.children)
        click.echo(self._("Programs {pids}").format(pids=pids))
        await self.stage.raise_curtain()

    async def _scene(self, scene: Scene, budget: float) -> bool:
        why = await self._within(
            budget, lambda: scene.play(self.stage, self._say, self._notes, self._)
        )
        self._played.add(scene.key)
        if why is not None:
            self._failed[scene.key] = why
        return why is None or (not self._stuck and self.stage.trouble() is None)

    async def _within(self, budget: float, work: Callable[[], Awaitable[None]]) -> str | None:
        """Why it failed; None if it did not."""
        playing = asyncio.ensure_future(work())
        watching = asyncio.ensure_future(self._watch())
        both: set[asyncio.Future[Any]] = {playing, watching}
        try:
            await asyncio.wait(both, timeout=budget, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                return watching.result()
            if not playing.done():
                self._stuck = True
                return await self._diagnosis(budget)
            playing.result()
        except SceneError as error:
            await asyncio.sleep(WATCH)  # a program that just died is known to be dead only then
            return self.stage.trouble() or str(error)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        return None

    async def _watch(self) -> str:
        """Returns what is wrong with a program once it is clear that it stays so."""
        since: float | None = None
        stood: tuple[object, ...] = ()
        stands = time.monotonic()
        while True:
            await asyncio.sleep(WATCH)
            trouble = self.stage.trouble()
            if trouble is None:
                since = None
            elif since is None:
                since = time.monotonic()
            elif time.monotonic() - since >= FROZEN:
                return trouble
            figures = await self._figures()
            if figures != stood:
                stood, stands = figures, time.monotonic()
            elif figures and time.monotonic() - stands >= SILENT:
                return self._silent(int(str(figures[0])))

    async def _figures(self) -> tuple[object, ...]:
        """What waits for the centre and when it is; empty if nothing waits, or without a link."""
        missing = self.stage.missing
        try:
            async with asyncio.timeout(WATCH):
                status = await self.stage.status()
        except (TimeoutError, SceneError):
            return ()
        finally:
            self.stage.missing = missing
        waiting = int(status["waiting_alerts"]) + int(status["waiting_records"])
        return (waiting, status["at"]) if waiting and status["connected"] else ()

    def _silent(self, waiting: int) -> str:
        return self._("The centre does not answer: {count} messages wait.").format(count=waiting)

    async def _diagnosis(self, budget: float) -> str:
        """Why a scene did not end in time: a program that is not well, or whom one waits for."""
        _ = self._
        missing = self.stage.missing
        trouble = self.stage.trouble()
        if trouble is None:
            try:
                async with asyncio.timeout(DIAGNOSIS):
                    status = await self.stage.status()
                waiting = int(status["waiting_alerts"]) + int(status["waiting_records"])
                if not status["connected"]:
                    trouble = _("The hub gets no link to the broker ({why}).").format(
                        why=status["link_trouble"]
                    )
                elif waiting:
                    trouble = self._silent(waiting)
            except (TimeoutError, SceneError):
                trouble = None
        parts = [_("no end within {seconds} s").format(seconds=round(budget)), trouble or missing]
        return ": ".join(part for part in parts if part)

    async def _observations(self) -> int | None:
        try:
            async with asyncio.timeout(DIAGNOSIS):
                return int((await self.stage.status())["observations"])
        except (TimeoutError, SceneError):
            return None

    # -- what is printed ---------------------------------------------------------------------

    def _say(self, at: str, sentence: str) -> None:
        day = self._days[(int(at[8:10]) - int(home.START[8:10])) % 7]
        click.echo(f"  {day} {at[11:16]}  {sentence}")

    def _report(self, began: float, observations: int | None) -> int:
        _ = self._
        if "0" in self._failed:
            verdicts: dict[str, str | None] = {}
        else:
            verdicts = judge(self.stage, _)
        click.echo()
        click.echo(_("The verdict, read from the centre's database:"))
        well = self._line("0", SETTING_UP, self._failed.get("0"), played=True)
        for scene in sorted(SCENES, key=lambda one: one.key):
            played = scene.key in self._played
            why = self._failed.get(scene.key) or (verdicts.get(scene.key) if played else None)
            good = self._line(scene.key, scene.title, why, played=played)
            well = well and (good or scene not in self._wanted)
        seconds = time.monotonic() - began
        if not verdicts:
            click.echo(_("Failed after {seconds} s.").format(seconds=round(seconds)))
            return 1
        sums = totals(self.stage)
        click.echo(
            _("{observations} observations, {messages} messages ({heartbeats} heartbeats),").format(
                observations=observations or "?",
                messages=sums.messages,
                heartbeats=sums.heartbeats,
            )
        )
        click.echo(
            _("{alerts} alerts in {versions} versions, {copies} copies, {gaps} gaps.").format(
                alerts=sums.alerts, versions=sums.versions, copies=sums.copies, gaps=sums.gaps
            )
        )
        sentence = mark("All scenes went well; a week took {seconds} s.")
        if not well:
            sentence = mark("Failed after {seconds} s.")
        click.echo(_(sentence).format(seconds=round(seconds)))
        return 0 if well else 1

    def _line(self, key: str, title: str, why: str | None, *, played: bool) -> bool:
        _ = self._
        well = played and why is None
        word = _("ok") if well else _("FAILED") if played else _("not played")
        left = f"  {key}  {_(title)}"
        click.echo(left + " " * max(1, WIDTH - columns(left) - columns(word)) + word)
        facts = [self._notes.facts.get(key, ""), figures(self._notes, key)]
        told = why if why is not None else "; ".join(fact for fact in facts if fact)
        if told:
            click.echo(f"     {told}")
        return well


_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ko": ("월", "화", "수", "목", "금", "토", "일"),
}
