"""Prints docs/settings.md from the types: ``python -m gateway.settings.document [ko]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from gateway.languages import mark, translator
from gateway.settings.problems import bare
from gateway.settings.read import DEFAULT
from gateway.settings.types import Settings

_INTRODUCTION = (
    mark("One TOML file holds all settings of a hub; a packaged hub reads {default}."),
    mark("Relative paths count from the folder of the file. Units stand in the names of the keys."),
    mark(
        "An unknown key, a wrong type, a sensor that is there twice or a missing certificate is "
        "one line that names the file, the key and the remedy; the exit code is then 3."
    ),
    mark(
        "A hub that runs already goes on with the last good copy of the file, in its data folder, "
        "and raises tech.config until the file is right again."
    ),
    mark("An example: {example}."),
)

_TYPES = {
    str: mark("text"),
    int: mark("whole number"),
    float: mark("number"),
    bool: mark("true or false"),
    Path: mark("path"),
    dict: mark("table"),
    tuple: mark("list"),
}
_SIGNS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def page(language: str = "en") -> str:
    """The whole page as markdown."""
    return "\n".join(_lines(translator(language))) + "\n"


def _lines(_: Callable[[str], str]) -> Iterator[str]:
    yield "<!-- Written by `make docs` from gateway/settings/types.py: do not edit. -->"
    yield ""
    yield f"# {_(mark('Settings'))}"
    for sentence in _INTRODUCTION:
        yield ""
        yield _(sentence).format(default=f"`{DEFAULT}`", example="[example.toml](example.toml)")
    for name, kind, meta, field in _fields(Settings):
        yield from _section(name, kind, meta, field, _)


def _section(
    name: str, kind: Any, meta: Meta, field: msgspec.structs.FieldInfo, _: Callable[[str], str]
) -> Iterator[str]:
    many = get_origin(bare(kind)) is tuple
    struct = get_args(bare(kind))[0] if many else bare(kind)
    yield ""
    yield f"## `[[{name}]]`" if many else f"## `[{name}]`"
    yield ""
    needed = _(mark("Required.")) if field.required else _(mark("May be left out."))
    yield f"{_text(meta, _)} {needed}"
    yield ""
    yield f"| {_(mark('key'))} | {_(mark('type'))} | {_(mark('default'))} | {_(mark('meaning'))} |"
    yield "|---|---|---|---|"
    inner: list[tuple[str, Any, Meta, msgspec.structs.FieldInfo]] = []
    for key, sort, about, info in _fields(struct):
        if isinstance(bare(sort), type) and issubclass(bare(sort), Struct):
            inner.append((f"{name}.{key}", sort, about, info))
            continue
        meaning = _text(about, _)
        yield f"| `{key}` | {_type(sort, _)} | {_default(info, _)} | {meaning} |"
    for entry in inner:
        yield from _section(*entry, _)


def _fields(struct: type[Struct]) -> Iterator[tuple[str, Any, Meta, msgspec.structs.FieldInfo]]:
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        metas = [m for m in get_args(hint)[1:] if isinstance(m, Meta)] if _annotated(hint) else []
        yield field.name, hint, next((m for m in metas if m.description), Meta()), field


def _text(meta: Meta, _: Callable[[str], str]) -> str:
    # gettext answers an empty sentence with the catalogue's header.
    return _(meta.description) if meta.description else ""


def _annotated(hint: Any) -> bool:
    return get_origin(hint) is Annotated


def _metas(hint: Any) -> Iterator[Meta]:
    """All that is said about a type, also inside of what may be left out."""
    yield from (part for part in get_args(hint) if isinstance(part, Meta))
    for part in get_args(hint):
        if not isinstance(part, Meta):
            yield from _metas(part)


def _type(hint: Any, _: Callable[[str], str]) -> str:
    kind = bare(hint)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    word = _(_TYPES[get_origin(kind) or kind])
    if get_origin(kind) is tuple:
        word = _(mark("list of {count} numbers")).format(count=len(get_args(kind)))
    if get_origin(kind) is dict:
        word = _(mark("table of paths"))
    bounds = [
        f"{sign} {getattr(meta, name):g}"
        for meta in _metas(hint)
        for name, sign in _SIGNS
        if getattr(meta, name) is not None
    ]
    return ", ".join([word, *bounds])


def _default(field: msgspec.structs.FieldInfo, _: Callable[[str], str]) -> str:
    if field.required:
        return _(mark("required"))
    value = field.default
    if value is None:
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"`{value:g}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


if __name__ == "__main__":
    sys.stdout.write(page(*sys.argv[1:2]))
