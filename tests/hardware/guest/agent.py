"""Runs in the guest: takes jobs out of the shared folder, starts each, and tells what became of it.

``jobs/<n>.json`` holds ``argv``, ``stdin``, ``seconds`` and ``env``. What it prints goes to
``done/<n>.out`` and ``done/<n>.err`` while it runs; ``done/<n>.json`` comes at the end.
A file ``jobs/<n>.end`` ends a job before its time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

POLL = 0.05
"""Seconds between two looks into the folder: a 9p share tells nobody of its changes."""

ENVIRONMENT = {
    "PYTHONPATH": "/opt/ansim/code:/opt/ansim/site",
    "PYTHONUNBUFFERED": "1",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "LG_WD": "/run",  # lgpio makes a FIFO where it stands, and a 9p share refuses that
}


class Jobs:
    """What runs, by number."""

    def __init__(self, share: Path) -> None:
        self._share = share
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def take(self, job: Path) -> None:
        taken = job.rename(job.with_suffix(".taken"))
        threading.Thread(target=self._work, args=(taken,), daemon=True).start()

    def end(self, wish: Path) -> None:
        wish.unlink()
        process = self._running.get(wish.stem)
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)

    def _work(self, job: Path) -> None:
        number = job.stem
        wanted: dict[str, Any] = json.loads(job.read_text())
        done = self._share / "done"
        started = time.monotonic()
        code: int | None
        with (done / f"{number}.out").open("wb") as out, (done / f"{number}.err").open("wb") as err:
            try:
                process = subprocess.Popen(
                    wanted["argv"],
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=err,
                    env={**os.environ, **ENVIRONMENT, **wanted["env"]},
                    cwd="/run",
                    start_new_session=True,
                )
                self._running[number] = process
                code = self._finish(process, wanted)
            except OSError as error:
                err.write(str(error).encode())
                code = 127
        self._running.pop(number, None)
        answer = {"code": code, "seconds": round(time.monotonic() - started, 3)}
        (done / f"{number}.new").write_text(json.dumps(answer))
        (done / f"{number}.new").rename(done / f"{number}.json")

    def _finish(self, process: subprocess.Popen[bytes], wanted: dict[str, Any]) -> int | None:
        try:
            process.communicate(wanted["stdin"].encode(), timeout=wanted["seconds"])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None
        return process.returncode


def main() -> None:
    share = Path(sys.argv[1])
    jobs = Jobs(share)
    uptime = Path("/proc/uptime").read_text().split()[0]
    up = {"uptime": float(uptime), "kernel": os.uname().release}
    (share / "up.new").write_text(json.dumps(up))
    (share / "up.new").rename(share / "up.json")
    while True:
        for job in sorted((share / "jobs").glob("*.json")):
            jobs.take(job)
        for wish in (share / "jobs").glob("*.end"):
            jobs.end(wish)
        time.sleep(POLL)


main()
