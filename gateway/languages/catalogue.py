"""Collects the sentences for people from the code and compiles their Korean (``make messages``).

Needs babel, which no hub has: only this module imports it.
"""

from __future__ import annotations

import ast
import io
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from gateway.languages import LOCALE

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("gateway", "models", "provisioning")
PO = LOCALE / "ko" / "LC_MESSAGES" / "ansim.po"
MO = PO.with_suffix(".mo")

_HEADER = (
    "Language: ko\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
)
_MARKS = frozenset({"_", "mark"})
_FIELD = re.compile(r"\{(\w*)[^{}]*\}")


def sentences() -> Iterator[str]:
    """Every msgid inside ``_( )`` or ``mark( )`` in the code, each once, in order.

    From the syntax tree: babel's own extraction reads tokens and sees into f-strings on some
    Pythons only.
    """
    found: set[str] = set()
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and node.args and _name(node.func) in _MARKS:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        found.add(first.value)
    return iter(sorted(found - {""}))


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def read() -> Catalog:
    """The Korean catalogue as it stands in the repository."""
    with PO.open("rb") as file:
        return read_po(file, locale="ko", domain="ansim")


def updated() -> Catalog:
    """The Korean catalogue with exactly the sentences of the code; new ones are empty."""
    old = read() if PO.exists() else Catalog(locale="ko", domain="ansim")
    # No dates and no line numbers: they would change with every edit and say nothing.
    new = Catalog(locale="ko", domain="ansim", project="ansim-gateway", fuzzy=False)
    for sentence in sentences():
        known = old.get(sentence)
        new.add(sentence, known.string if known is not None and not known.fuzzy else "")
    return new


def po_bytes(catalog: Catalog) -> bytes:
    """The catalogue as text, always the same for the same sentences."""
    out = io.BytesIO()
    write_po(out, catalog, width=100, no_location=True, omit_header=True, sort_output=True)
    quoted = "".join(f'"{line}\\n"\n' for line in _HEADER.splitlines())
    header = (
        "# 안심 게이트웨이의 한국어 문장. `make messages` brings it up to date.\n"
        f'msgid ""\nmsgstr ""\n{quoted}\n'
    )
    return header.encode() + out.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it, always the same for the same sentences: babel's own
    writer puts its version and the time into the header."""
    pairs = {"": _HEADER} | {
        str(message.id): str(message.string) for message in catalog if message.id and message.string
    }
    rows = [(key.encode(), value.encode()) for key, value in sorted(pairs.items())]
    tables = 28  # seven numbers stand before the two tables of (length, offset)
    offset = tables + 16 * len(rows)
    ends, texts = [], []
    for column in (0, 1):
        for row in rows:
            ends += [len(row[column]), offset]
            texts.append(row[column] + b"\0")
            offset += len(row[column]) + 1
    head = (0x950412DE, 0, len(rows), tables, tables + 8 * len(rows), 0, offset)
    return struct.pack(f"<7I{len(ends)}I", *head, *ends) + b"".join(texts)


def untranslated(catalog: Catalog) -> list[str]:
    """The sentences that have no Korean, or whose Korean has other fields in braces."""
    return [
        str(message.id)
        for message in catalog
        if message.id
        and (
            not message.string
            or sorted(_FIELD.findall(str(message.id)))
            != sorted(_FIELD.findall(str(message.string)))
        )
    ]


def main() -> int:
    """Brings .po and .mo up to date; 1 while a sentence has no Korean."""
    catalog = updated()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(po_bytes(catalog))
    MO.write_bytes(mo_bytes(catalog))
    missing = untranslated(catalog)
    for sentence in missing:
        sys.stdout.write(f"no Korean, or other fields in it: {sentence!r}\n")
    sys.stdout.write(f"{len(catalog)} sentences, {len(missing)} to do: {PO.relative_to(ROOT)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
