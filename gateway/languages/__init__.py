"""Every text that a person reads, in Korean and English.

The English sentence in the code is the msgid; Korean comes from the catalogue beside this file::

    from gateway.languages import mark, translator

    _ = translator("ko")                          # "ko" or "en"
    print(_("The centre received your call."))
    print(_("{count} sensors are lost.").format(count=3))

A sentence that is chosen in one place and told in another (a table, a constant) is marked where it
stands, and translated where it is told::

    SENTENCES = {"pressed": mark("The help button was pressed.")}
    _(SENTENCES["pressed"])

Only literal strings inside ``_( )`` or ``mark( )`` are found. Numbers and names go in through
named fields and ``format``, never an f-string: its text could not be looked up.

A new sentence: write it, run ``make messages``, fill in its Korean ``msgstr`` in
``locale/ko/LC_MESSAGES/ansim.po``, run ``make messages`` again; it compiles the catalogue, and a
test fails while a sentence has no Korean.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")
"""The languages a person may choose; the first is the default."""

LOCALE = Path(__file__).parent / "locale"


def mark(sentence: str) -> str:
    """The sentence as it is; only shows it to the extraction (gettext's ``N_``)."""
    return sentence


@cache
def translator(language: str) -> Callable[[str], str]:
    """The function that turns an English msgid into ``language`` ("ko" or "en").

    A sentence without a translation, or an unknown language, stays English: a person is rather
    told in the wrong language than not at all.
    """
    if language == "en":
        return mark
    return gettext.translation("ansim", LOCALE, [language], fallback=True).gettext
