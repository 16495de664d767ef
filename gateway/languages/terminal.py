"""What a terminal needs to know of languages: which one a person reads, how wide a text is."""

from __future__ import annotations

import os
import unicodedata


def language() -> str:
    """The code of the language (ko or en), from the environment as every command line tool takes it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def columns(text: str) -> int:
    """How wide a text is on a terminal: Korean takes two columns a letter."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, width: int) -> str:
    """A text filled up to so many columns, to the right if ``width`` is negative; never cut."""
    space = " " * max(0, abs(width) - columns(text))
    return text + space if width > 0 else space + text
