"""A test guest in QEMU, and the virtual radio on its serial line.

The guest runs Debian 12 with systemd, bluetoothd, gpio-sim and mosquitto (``vm/root.sh``); its processor
is emulated, so times in it are upper bounds and no figures of a Raspberry Pi. Jobs go in and out
through a 9p folder (``guest/agent.py``), the gateway comes on a disk made from the working tree.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

BOOT_SECONDS = 100.0
"""Until the agent answers. Measured 7 to 10 s for either guest on a quiet machine with two cores,
32 s on one with two other guests."""

SHARE = "/mnt/share"
"""The shared folder, in the guest."""

AS_HUB = ("runuser", "-u", "ansim", "--")
"""Words before a job that run it as the hub's user, without privileges."""

FULL = os.environ.get("ANSIM_FULL") == "1"
"""Whether tests last as long as the issue's words, some of them minutes."""

POLL = 0.02

PARTS = ("gateway", "models", "provisioning")


class GuestError(Exception):
    """Raised when the guest does not come up or a job in it does not end."""


@dataclass(frozen=True)
class Tier:
    """How one architecture is emulated."""

    name: str
    program: str
    machine: tuple[str, ...]
    console: str
    radio: str
    radio_device: tuple[str, ...]


TIERS = {
    "T2": Tier(
        "amd64",
        "qemu-system-x86_64",
        ("-M", "q35", "-cpu", "max"),
        "ttyS0",
        "ttyS1",
        ("-serial", "chardev:radio"),
    ),
    "T3": Tier(
        "arm64",
        "qemu-system-aarch64",
        ("-M", "virt", "-cpu", "cortex-a72"),
        "ttyAMA0",
        "ttyS0",
        ("-device", "pci-serial,chardev=radio"),
    ),
}


@dataclass(frozen=True)
class Done:
    """What became of a job. ``code`` is None if it was ended for taking too long."""

    code: int | None
    out: str
    err: str
    seconds: float

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


class Job:
    """Something that runs in the guest."""

    def __init__(self, done: Path, number: str, seconds: float, words: str) -> None:
        self._done = done
        self._number = number
        self._end = time.monotonic() + seconds + 10.0
        self._words = words

    @property
    def out(self) -> str:
        """What it printed so far."""
        path = self._done / f"{self._number}.out"
        return path.read_text(errors="replace") if path.is_file() else ""

    def until(self, said: str, seconds: float = 30.0) -> None:
        """Wait until it has printed that."""
        wait_for(lambda: said in self.out, f"{self._words} says {said!r}", seconds)

    def stop(self) -> Done:
        """End it now."""
        (self._done.parent / "jobs" / f"{self._number}.end").touch()
        return self.end()

    def end(self) -> Done:
        """Wait for its end. Raises GuestError if there is none."""
        told = self._done / f"{self._number}.json"
        wait_for(told.is_file, f"the end of {self._words}", self._end - time.monotonic())
        answer = json.loads(told.read_text())
        err = (self._done / f"{self._number}.err").read_text(errors="replace")
        return Done(answer["code"], self.out, err, answer["seconds"])


class Machine:
    """``with Machine("T2", image, kernel, folder) as machine``: up, with the radio on its line."""

    def __init__(self, tier: str, image: Path, kernel: Path, radio: Path, folder: Path) -> None:
        """``image`` is only read. ``radio`` is a Python that has bumble."""
        self.tier = TIERS[tier]
        self.share = folder / "share"
        self._image = image
        self._kernel = kernel
        self._radio_python = radio
        self._folder = folder
        self._number = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._air: Air | None = None
        self.boot_seconds = 0.0

    @property
    def air(self) -> Air:
        """The virtual radio."""
        assert self._air is not None
        return self._air

    @property
    def console(self) -> str:
        """What the guest's console shows."""
        path = self._folder / "console.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def __enter__(self) -> Self:
        started = time.monotonic()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        self.boot_seconds = time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        for name in ("jobs", "done"):
            (self.share / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree(HERE / "guest", self.share / "guest", dirs_exist_ok=True)
        code = code_disk(self._folder)
        socket = (
            Path("/tmp") / f"ansim-radio-{os.getpid()}-{self.tier.name}.sock"
        )  # 108 bytes at most
        socket.unlink(missing_ok=True)
        accel = os.environ.get("ANSIM_VM_ACCEL", "tcg,thread=multi")
        words = [
            *("nice", "-n", "5", self.tier.program, *self.tier.machine, "-accel", accel),
            *("-smp", "2", "-m", "1024", "-display", "none", "-no-reboot", "-nodefaults"),
            *("-snapshot", "-kernel", str(self._kernel), "-append", self._command_line()),
            *("-serial", f"file:{self._folder / 'console.log'}"),
            *("-chardev", f"socket,id=radio,path={socket},server=on,wait=off"),
            *self.tier.radio_device,
            *("-drive", f"file={self._image},if=none,id=root,format=raw,cache=unsafe"),
            *("-device", "virtio-blk-pci,drive=root"),
            *("-drive", f"file={code},if=none,id=code,format=raw,readonly=on"),
            *("-device", "virtio-blk-pci,drive=code"),
            *("-device", "virtio-rng-pci"),
            *("-virtfs", f"local,path={self.share},mount_tag=share,security_model=none"),
        ]
        with (self._folder / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._await(socket.is_socket, 10.0, "its radio socket")
        self._air = Air(self._radio_python, socket, self._folder / "radio.log")
        self._await((self.share / "up.json").is_file, BOOT_SECONDS, "the guest's agent")

    def _command_line(self) -> str:
        return (
            f"root=/dev/vda rw console={self.tier.console} panic=1 random.trust_cpu=on quiet "
            f"ansim.radio={self.tier.radio}"
        )

    def _await(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        assert self._process is not None
        process = self._process

        def there() -> bool:
            if process.poll() is not None:
                log = (self._folder / "qemu.log").read_text(errors="replace")
                raise GuestError(f"QEMU ended with {process.returncode}: {log}")
            return condition()

        try:
            wait_for(there, what, seconds)
        except GuestError as error:
            raise GuestError(f"{error}\n{self.console[-3000:]}") from error

    # -- jobs ----------------------------------------------------------------------------------

    def begin(
        self,
        *argv: str,
        stdin: str = "",
        seconds: float = 60.0,
        env: Mapping[str, str] | None = None,
    ) -> Job:
        """Start a job in the guest."""
        self._number += 1
        number = f"{self._number:05d}"
        wanted = {"argv": argv, "stdin": stdin, "seconds": seconds, "env": dict(env or {})}
        new = self.share / "jobs" / f"{number}.new"
        new.write_text(json.dumps(wanted))
        new.rename(new.with_suffix(".json"))
        return Job(self.share / "done", number, seconds, " ".join(argv)[:120])

    def run(
        self,
        *argv: str,
        stdin: str = "",
        seconds: float = 60.0,
        env: Mapping[str, str] | None = None,
        may_fail: bool = False,
    ) -> Done:
        """Run a job to its end. Raises GuestError if its exit code is not 0."""
        done = self.begin(*argv, stdin=stdin, seconds=seconds, env=env).end()
        if done.code != 0 and not may_fail:
            raise GuestError(f"{' '.join(argv)[:200]}: {done.code}\n{done.out}\n{done.err}")
        return done

    def script(self, text: str, *, seconds: float = 60.0, may_fail: bool = False) -> Done:
        """Run lines of shell in the guest; the first that fails ends them."""
        return self.run("bash", "-euo", "pipefail", "-c", text, seconds=seconds, may_fail=may_fail)

    def python(self, name: str, *words: str) -> list[str]:
        """The words that start ``guest/<name>`` in the guest."""
        return ["python3", f"{SHARE}/guest/{name}", *words]

    def service(self, name: str, *argv: str, before: Sequence[str] = ()) -> None:
        """Run a program as a transient unit of the guest's systemd. ``before``: options of
        systemd-run."""
        self.run("systemctl", "reset-failed", f"{name}.service", may_fail=True)
        environment = ("--setenv=PYTHONPATH=/opt/ansim/code:/opt/ansim/site", "--setenv=LG_WD=/run")
        self.run(
            *("systemd-run", "--quiet", f"--unit={name}", *environment, *before, *argv),
        )

    def stop(self, name: str) -> None:
        """End such a unit, if it runs."""
        self.run("systemctl", "stop", f"{name}.service", may_fail=True)

    def log_of(self, name: str) -> str:
        """What such a unit said."""
        return self.run("journalctl", "-u", name, "--no-pager", "-o", "cat", may_fail=True).out

    def close(self) -> None:
        """The guest's disks are snapshots: it needs no orderly end."""
        if self._air is not None:
            self._air.close()
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None


class Air:
    """The process of the virtual radio (``radio.py``)."""

    def __init__(self, python: Path, socket: Path, log: Path) -> None:
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [str(python), str(HERE / "radio.py"), str(socket)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        told = self._hear()
        if "up" not in told:
            raise GuestError(f"the virtual radio said {told}")
        self.address: str = told["up"]

    def begin(self, frames: Sequence[tuple[float, str, str]]) -> None:
        """Play frames (second from now, address, service data in hex) without waiting."""
        self._say({"do": "play", "frames": list(frames)})

    def played(self) -> dict[str, Any]:
        """Wait until what was begun is through: ``played``, ``seconds``, ``late``."""
        return self._hear()

    def play(self, frames: Sequence[tuple[float, str, str]]) -> dict[str, Any]:
        """Play frames to their end."""
        self.begin(frames)
        return self.played()

    def quiet(self) -> None:
        """End what is being played; frames that were not sent yet never are."""
        self._say({"do": "quiet"})
        while "sent" not in self._hear():
            pass

    def strangers(self, rate: float, *, pool: int = 50) -> None:
        """So many frames a second of devices nobody enrolled, from now on."""
        self._say({"do": "strangers", "rate": rate, "pool": pool})
        self._hear()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _say(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise GuestError("the virtual radio has ended; see radio.log")
        told: dict[str, Any] = json.loads(line)
        return told


def code_disk(folder: Path) -> Path:
    """The gateway from the working tree as an ext4 image, compiled if this Python is the guest's:
    an emulated processor would need seconds for that."""
    tree = folder / "code"
    for part in PARTS:
        ignore = shutil.ignore_patterns("__pycache__", "*.po", "*.egg-info")
        shutil.copytree(ROOT / part, tree / part, ignore=ignore)
    if sys.version_info[:2] == (3, 11):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "compileall",
                "-q",
                "-s",
                str(tree),
                "-p",
                "/opt/ansim/code",
                tree,
            ],
            check=True,
        )
    image = folder / "code.ext4"
    subprocess.run(
        ["mkfs.ext4", "-q", "-F", "-d", str(tree), str(image), "64M"],
        check=True,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        stdout=subprocess.DEVNULL,
    )
    return image


def wait_for(condition: Callable[[], object], what: str, seconds: float) -> None:
    """Raises GuestError if it does not come about."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise GuestError(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL)
