"""Turns what msgspec and tomllib complain about into one line: file, key, remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from msgspec import Struct, ValidationError

from gateway.domain.errors import SettingsError
from gateway.languages import mark

Translate = Callable[[str], str]

_AT = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*)`$")
_BOUND = re.compile(r"^Expected `(?:int|float)` (?P<sign><=|>=|<|>) (?P<bound>\S+)$")
_TYPE = re.compile(r"^Expected `(?P<wanted>.*)`, got `(?P<got>.*)`$")
_LENGTH = re.compile(r"^Expected `array` of length (?P<length>\d+)")
_LINE = re.compile(r"\(at line (?P<line>\d+), column \d+\)")

_WORDS = {
    "str": mark('text in quotation marks, like "text"'),
    "int": mark("a whole number, like 300"),
    "float": mark("a number, like 8 or 8.5"),
    "bool": mark("true or false"),
    "array": mark("a list in square brackets, or tables in [[double brackets]]"),
    "object": mark("a table, like [home]"),
}


class Trouble(Exception):  # noqa: N818 - told inside this package only, never raised to a caller
    """Raised inside this package when one key is wrong. ``what`` and ``remedy`` are msgids,
    ``fields`` go into both."""

    def __init__(self, key: str, what: str, remedy: str, **fields: object) -> None:
        super().__init__(what)
        self.key, self.what, self.remedy, self.fields = key, what, remedy, fields


def tell(path: Path, trouble: Trouble, translate: Translate) -> NoReturn:
    """Raises the one line that a person reads."""
    what = translate(trouble.what).format(**trouble.fields)
    remedy = translate(trouble.remedy).format(**trouble.fields)
    parts = [str(path), trouble.key, f"{what}; {remedy}"]
    raise SettingsError(": ".join(_plain(part) for part in parts if part))


def _plain(text: str) -> str:
    """The text on one line, whatever somebody wrote into a key."""
    return "".join(c if c.isprintable() else "?" for c in text)[:600]


def of_toml(error: ValueError) -> Trouble:
    """A file that is no TOML."""
    found = _LINE.search(str(error)) if isinstance(error, tomllib.TOMLDecodeError) else None
    if "(at end of document)" in str(error):
        return Trouble(
            "",
            mark("the file ends too early"),
            mark("complete it, or begin again from docs/example.toml"),
        )
    if found is None:
        return Trouble(
            "",
            mark("this is not valid TOML"),
            mark("correct it, or begin again from docs/example.toml"),
        )
    detail = str(error)[: found.start()].strip().rstrip(":.")
    return Trouble(
        f"line {found['line']}",
        mark("this is not valid TOML ({detail})"),
        mark("correct that line"),
        detail=detail,
    )


def of_validation(error: ValidationError, root: type[Struct]) -> Trouble:
    """A value that does not fit the types of ``root``."""
    text = str(error)
    found = _AT.search(text)
    path = found["path"] if found else ""
    text = text[: found.start()] if found else text
    key = path.replace("[...]", "")
    here = _type_at(root, path)

    if match := _UNKNOWN.match(text):
        return _unknown(key, match["name"], here)
    if match := _MISSING.match(text):
        return Trouble(
            _join(key, match["name"]),
            mark("this key is missing"),
            mark("add it; docs/settings.md says what it means"),
        )
    if text.startswith("Invalid enum value"):
        return Trouble(
            key,
            mark("this value is not known"),
            mark("write one of: {choices}"),
            choices=", ".join(_choices(here)),
        )
    if match := _BOUND.match(text):
        return Trouble(
            key,
            mark("this number is outside its limits"),
            mark("it must be {sign} {bound}"),
            sign=match["sign"],
            bound=match["bound"].removesuffix(".0"),
        )
    if match := _LENGTH.match(text):
        return Trouble(
            key,
            mark("this list has the wrong length"),
            mark("write {length} values"),
            length=match["length"],
        )
    if "matching regex" in text:
        return Trouble(
            key,
            mark("this name has characters that it may not have"),
            mark("use at most 64 letters, digits, - and _, beginning with a letter or digit"),
        )
    if "length >=" in text:
        return Trouble(key, mark("this is empty"), mark("fill it in; see docs/settings.md"))
    if match := _TYPE.match(text):
        wanted = match["wanted"].split(" | ")[0]
        return Trouble(
            key,
            mark("this is of the wrong type"),
            _WORDS.get(wanted, mark("see docs/settings.md")),
        )
    return Trouble(key, mark("this value does not fit"), mark("see docs/settings.md"))


def _unknown(key: str, name: str, here: object) -> Trouble:
    known = here.__struct_fields__ if isinstance(here, type) and issubclass(here, Struct) else ()
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return Trouble(
            _join(key, name),
            mark("unknown key"),
            mark("did you mean {near}? Otherwise remove it"),
            near=near[0],
        )
    return Trouble(
        _join(key, name),
        mark("unknown key"),
        mark("remove it; known here are: {known}"),
        known=", ".join(known),
    )


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def bare(kind: Any) -> Any:
    """A type without Annotated and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, UnionType}:
            kind = next(arg for arg in get_args(kind) if arg is not type(None))
        else:
            return kind


def _type_at(root: type[Struct], path: str) -> Any:
    """The type that stands at a msgspec path like ``home.limits`` or ``sensors[3].kind``."""
    kind: Any = root
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        kind = bare(kind)
        if step.startswith("["):
            kind = get_args(kind)[-1 if get_origin(kind) is dict else 0]
        else:
            kind = get_type_hints(kind, include_extras=True)[step]
    return bare(kind)


def _choices(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return []
