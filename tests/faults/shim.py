"""Builds the library that watches and breaks a folder, where there is a C compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


def build(folder: Path) -> Path | None:
    """The library, or None where nothing can build or load it."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "shim.so"
    subprocess.run(
        [
            *(compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"),
            *("-o", str(library), str(SOURCE), "-ldl", "-lpthread"),
        ],
        check=True,
    )
    return library
