"""Which language a person at this terminal reads."""

from __future__ import annotations

import os


def language() -> str:
    """The code of the language (ko or en), from the environment as every command line tool takes it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
