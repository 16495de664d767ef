"""The board on a terminal, refreshed while a centre runs or alone; keys without Enter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live

from provisioning.centre.board import Board

REFRESH = 0.5
"""Seconds between two drawings: an operator sees a press within a second."""


async def show(board: Board) -> None:
    """Draw until the operator leaves."""
    console = Console()
    left = asyncio.Event()
    changed = asyncio.Event()

    def pressed() -> None:
        text = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
        for key in _keys(text):
            if not board.key(key):
                left.set()
        if not text:
            left.set()
        changed.set()

    with (
        _raw(sys.stdin.fileno()),
        Live(board.draw(console), console=console, screen=True, auto_refresh=False) as live,
        _reader(pressed),
    ):
        while not left.is_set():
            live.update(board.draw(console), refresh=True)
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH):
                    await changed.wait()


def _keys(text: str) -> Iterator[str]:
    """Single keys; an arrow is three characters."""
    while text:
        size = 3 if text.startswith("\x1b[") else 1
        yield text[:size]
        text = text[size:]


@contextlib.contextmanager
def _raw(fileno: int) -> Iterator[None]:
    before = termios.tcgetattr(fileno)
    tty.setcbreak(fileno)
    try:
        yield
    finally:
        termios.tcsetattr(fileno, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _reader(pressed: object) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), pressed)  # type: ignore[arg-type]
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin.fileno())
