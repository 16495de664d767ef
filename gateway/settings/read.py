"""One TOML file -> checked settings, or one line that says what to do."""

from __future__ import annotations

import hashlib
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from gateway.domain.household import CEILINGS
from gateway.domain.instant import HOUR
from gateway.languages import mark, translator
from gateway.settings.enrolled import check_provers, check_radio, check_sensors
from gateway.settings.problems import Trouble, of_toml, of_validation, tell
from gateway.settings.types import CentreSection, Settings

DEFAULT = Path("/etc/ansim/ansim.toml")
"""Where a packaged hub has its settings."""

MAX_BYTES = 256 * 1024
"""A hundred sensors make 15 kB; more than this is not a settings file."""

LARGEST = 10**15
"""No setting is a larger number; beyond it, whole numbers and floats part."""


def load(
    path: Path, *, for_run: bool = True, recorded: bool = False, language: str = "en"
) -> Settings:
    """The settings in ``path``. Relative paths in it count from its folder.

    ``for_run``   also demand what a hub needs to run: a centre, its files, sensors that prove that
                  the home is seen. A replay does without.
    ``recorded``  the command line names a recorded home, which brings its own sensors
    ``language``  of the error's sentence.

    Raises SettingsError: one line with file, key and remedy.
    """
    raw = read(path, language=language)
    return parse(path, raw, for_run=for_run, recorded=recorded, language=language)


def read(path: Path, *, language: str = "en") -> bytes:
    """The bytes of a settings file. Raises SettingsError where there is none to be read."""
    translate = translator(language)
    try:
        # Not blocking: a pipe or a device in place of the file must not hold a hub up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            raw = file.read(MAX_BYTES + 1) if regular else b""
    except FileNotFoundError:
        trouble = Trouble(
            "",
            mark("there is no such file"),
            mark("copy docs/example.toml there, or name another file with --settings"),
        )
        tell(path, trouble, translate)
    except (OSError, ValueError) as error:
        trouble = Trouble(
            "",
            mark("the file cannot be read ({detail})"),
            mark("let the user ansim read it"),
            detail=getattr(error, "strerror", None) or "bad name",
        )
        tell(path, trouble, translate)
    if not regular:
        trouble = Trouble("", mark("this is not a file"), mark("name a TOML file"))
        tell(path, trouble, translate)
    if len(raw) > MAX_BYTES:
        trouble = Trouble(
            "",
            mark("the file is larger than {limit} kB"),
            mark("begin again from docs/example.toml"),
            limit=MAX_BYTES // 1024,
        )
        tell(path, trouble, translate)
    return raw


def parse(
    path: Path, raw: bytes, *, for_run: bool = True, recorded: bool = False, language: str = "en"
) -> Settings:
    """The settings in ``raw``, told and resolved as those of ``path``. Raises SettingsError.

    ``recorded``  the command line names a recorded home, which brings its own sensors
    """
    try:
        settings = _convert(raw, path.absolute().parent)
        _check_home(settings)
        check_sensors(settings.sensors)
        check_radio(settings.radio)
        if for_run:
            _check_run(settings, recorded)
    except Trouble as trouble:
        tell(path, trouble, translator(language))
    return settings


def fingerprint(settings: Settings) -> str:
    """Twelve hexadecimal digits that change when any setting does; goes along in the heartbeat."""
    plain = msgspec.json.encode(settings, enc_hook=str, order="deterministic")
    return hashlib.sha256(plain).hexdigest()[:12]


# ------------------------------------------------------------------------------------- steps


def _convert(raw: bytes, base: Path) -> Settings:
    def resolve(kind: type, value: Any) -> Any:
        if kind is not Path:
            raise NotImplementedError(kind)
        if not isinstance(value, str):
            raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
        if not value or "\x00" in value:
            raise ValueError("Expected `str` of length >= 1")
        return base / value

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Trouble(
            f"line {line}",
            mark("this is not UTF-8 text"),
            mark("save the file as UTF-8"),
        ) from error
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except ValueError as error:
        raise of_toml(error) from error
    except RecursionError as error:
        raise of_toml(ValueError()) from error
    _refuse_odd_numbers(data, "")
    try:
        return msgspec.convert(data, Settings, dec_hook=resolve)
    except msgspec.ValidationError as error:
        raise of_validation(error, Settings) from error


def _refuse_odd_numbers(data: Any, key: str) -> None:
    """TOML knows nan and inf, and whole numbers of any size; no setting does."""
    if isinstance(data, dict):
        for name, value in data.items():
            _refuse_odd_numbers(value, f"{key}.{name}" if key else name)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _refuse_odd_numbers(value, f"{key}[{index}]")
    elif isinstance(data, (int, float)) and not abs(data) < LARGEST:  # nan is not less either
        raise Trouble(
            key,
            mark("this number is outside its limits"),
            mark("write an ordinary number; see docs/settings.md"),
        )


def _check_home(settings: Settings) -> None:
    hours = settings.home.ceilings_hours
    if hours is None:
        return
    group = settings.home.risk_group
    for index, (value, most) in enumerate(zip(hours, CEILINGS[group], strict=True)):
        key = f"home.ceilings_hours[{index}]"
        if value > most / HOUR:
            raise Trouble(
                key,
                mark("above the ceiling of the risk group {group}"),
                mark("write at most {most:g}; a home's own ceilings may only be lower"),
                group=group.value,
                most=most / HOUR,
            )
        if value <= (hours[index - 1] if index else 0):
            raise Trouble(
                key,
                mark("the ceilings do not rise"),
                mark("write three numbers above 0, each larger than the one before"),
            )


def _check_run(settings: Settings, recorded: bool) -> None:
    if settings.centre is None:
        raise Trouble(
            "centre",
            mark("this section is missing, so nobody would be told"),
            mark("add [centre]; docs/example.toml shows it"),
        )
    _check_centre(settings.centre)
    if settings.model.path is not None:
        _check_file("model.path", settings.model.path)
    if settings.recording is not None:
        _check_file("recording.path", settings.recording.path)
    if recorded or settings.recording is not None:
        return
    check_provers(settings.sensors)


def _check_centre(centre: CentreSection) -> None:
    for name, path in (("ca", centre.ca), ("certificate", centre.certificate), ("key", centre.key)):
        _check_file(f"centre.{name}", path)
    if centre.second is not None:
        second = centre.second
        for name, own in (
            ("ca", second.ca),
            ("certificate", second.certificate),
            ("key", second.key),
        ):
            if own is not None:
                _check_file(f"centre.second.{name}", own)
        if (second.certificate is None) is not (second.key is None):
            raise Trouble(
                "centre.second",
                mark("a certificate and its private key belong together"),
                mark("write both or neither"),
            )
    for kid, path in centre.keys.items():
        _check_file(f"centre.keys.{kid}", path)


def _check_file(key: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise Trouble(
            key,
            mark("the file {path} cannot be read ({detail})"),
            mark("put it there, or name the right one"),
            path=path,
            detail=error.strerror or "OSError",
        ) from error
