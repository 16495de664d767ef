"""The programs of the demonstration: started, watched, and surely gone at its end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import gateway
from gateway.languages import mark

PATIENCE = 3.0
"""Seconds between asking a program to end and ending it."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """One program and its log."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returned(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.returncode

    def trouble(self) -> tuple[str, str] | None:
        """What is wrong with it now: a sentence (msgid) and a detail, or None."""
        code = self._process.returncode
        if code is not None and code < 0:
            return mark("{name} was killed ({detail})"), signal.Signals(-code).name
        if code is not None:
            return mark("{name} ended by itself ({detail})"), self.last_words() or f"exit {code}"
        if _state(self.pid) in "Tt":
            return mark("{name} is frozen ({detail})"), "SIGSTOP"
        return None

    async def ended(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    def last_words(self) -> str:
        """The last line of its log."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1][:160] if lines else ""
        return ""

    async def stop(self) -> None:
        """End it: first by asking, a frozen one or a stubborn one by force."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if _state(self.pid) in "Tt":
                self._process.kill()
            else:
                self._process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
                return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def start(name: str, command: list[str], log: Path) -> Child:
    """Start a program whose words go to ``log``. It ends with us, however we end."""
    root = str(Path(gateway.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is ours: we end them in our order
            preexec_fn=_die_with_parent,
        )
    return Child(name, process, log)


def ansim(*arguments: str) -> list[str]:
    """The command line of ``ansim``, run by this Python."""
    return _python("gateway.cli.main", *arguments)


def office(*arguments: str) -> list[str]:
    """The command line of ``ansim-office``, run by this Python."""
    return _python("provisioning.office.main", *arguments)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", f"from {module} import main; main()", *arguments]


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _state(pid: int) -> str:
    """The letter of proc(5): R, S, T (stopped), Z, ...; "" if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "-"
    return stat.rpartition(")")[2].split()[0]
