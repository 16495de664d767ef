"""A D-Bus daemon of our own, so that tests meet the real one and never the machine's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

SYSTEM = "DBUS_SYSTEM_BUS_ADDRESS"

DAEMON = shutil.which("dbus-daemon")

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow send_type="signal"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class PrivateBus:
    """``with PrivateBus(folder) as bus``: a daemon at ``bus.address`` until the end."""

    def __init__(self, folder: Path) -> None:
        # A socket's path has at most 107 bytes; pytest's folders may be longer.
        self._link = Path(f"/tmp/ansim-bus-{os.getpid()}-{id(self):x}")
        self._folder = folder
        self.address = f"unix:path={self._link}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if DAEMON is None:
            pytest.skip("dbus-daemon is not installed")
        config = self._folder / "bus.conf"
        config.write_text(CONFIG.format(path=self._link))
        self._process = subprocess.Popen(
            [DAEMON, f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "dbus-daemon did not start"  # it listens now
        return self

    @contextmanager
    def as_system(self) -> Iterator[None]:
        """Within it, what this process connects to as the system's bus is this one."""
        before = os.environ.get(SYSTEM)
        os.environ[SYSTEM] = self.address
        try:
            yield
        finally:
            if before is None:
                del os.environ[SYSTEM]
            else:
                os.environ[SYSTEM] = before

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(5)
        self._process.stdout.close()
        self._link.unlink(missing_ok=True)
