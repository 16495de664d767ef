"""A pool of threads in which nothing goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def crowded() -> Iterator[None]:
    """Every thread of the pool that asyncio shares hangs meanwhile, as in a look-up of a name."""
    free = threading.Event()
    pool = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(pool)
    pool.submit(free.wait)
    try:
        yield
    finally:
        free.set()
