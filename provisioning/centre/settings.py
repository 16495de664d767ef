"""The centre's settings: one TOML file, read once. A mistake is one line with its remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.contract import topics
from gateway.domain.errors import ContractError, SettingsError


class BrokerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The broker. There is no field for a connection without TLS, on purpose (T5)."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    ca: Path
    """Certificate of the authority that the broker's certificate must come from."""
    certificate: Path
    """This centre's certificate; its common name is ``centre-<id>``."""
    key: Path


class Mail(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """E-mail through a server that speaks TLS."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 465
    sender: str
    to: Annotated[list[str], Meta(min_length=1)]
    user: str | None = None
    password_file: Path | None = None
    """A file that only the centre's user can read; never the password itself."""


class Channel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one eup, myeon or dong is told. Either ``command`` or ``mail``."""

    area: str
    """The area's name, or "*" for all that have no channel of their own."""
    command: list[str] | None = None
    """Program and arguments; run without a shell, the notice comes as JSON on its standard
    input. Exit code 0 means taken."""
    mail: Mail | None = None
    timeout: Annotated[float, Meta(gt=0, le=300)] = 20.0
    """Seconds for one attempt."""
    level: Annotated[int, Meta(ge=1, le=4)] = 2
    """The lowest level that is told: 2, because level 1 never calls anybody."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For demonstrations: answer open alerts by themselves. Never for a real city."""

    type: str = "*"
    """Type of the alert; ``*`` at the end stands for anything."""
    level: Annotated[int, Meta(ge=1, le=4)] = 2
    """The alert's level must be at least this."""
    do: Literal["accept", "acting", "close"]
    after: Annotated[float, Meta(ge=0)] = 0.0
    """Seconds (of this machine's clock) after the version that made the rule fit."""
    cleared: bool = False
    """Only once the alert's cause is gone."""
    by: str = "script"
    outcome: str | None = None
    service: str | None = None


class CentreSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings of one centre process."""

    id: str
    """This process's id: the ``kid`` of its signatures."""
    tenant: str
    """Pseudonym of the town in the topics."""
    data: Path
    """Folder of the store; several centre processes of one machine may share it."""
    signing_key: Path
    """Private Ed25519 key that signs everything this centre says."""
    broker: BrokerSettings
    language: Literal["ko", "en"] = "ko"
    areas: dict[str, str] = {}
    """Area (eup, myeon, dong) by hub."""
    channels: list[Channel] = []
    rules: list[Rule] = []


def load(path: Path) -> CentreSettings:
    """Read settings; relative paths are relative to the file. Raises SettingsError."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"{path}: {said}; check the path.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}; correct that line.") from None
    try:
        settings = msgspec.convert(
            raw, CentreSettings, dec_hook=lambda kind, value: kind(value), str_keys=True
        )
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}; correct it or leave it out.") from None
    return check(_rooted(settings, path.parent), str(path))


def load_rules(path: Path) -> list[Rule]:
    """The ``[[rules]]`` of a script for demonstrations. Raises SettingsError."""

    class Script(Struct, forbid_unknown_fields=True):
        rules: list[Rule]

    try:
        script = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Script)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}; a script is a list of [[rules]].") from None
    _check_rules(script.rules, str(path))
    return script.rules


def check(settings: CentreSettings, where: str) -> CentreSettings:
    """What types cannot say. Raises SettingsError naming place, key and remedy."""
    for key, value in (("id", settings.id), ("tenant", settings.tenant)):
        try:
            topics.pseudonym(value)
        except ContractError as error:
            raise SettingsError(f"{where}: {key}: {error}.") from None
    broker = settings.broker
    for key, file in (
        ("broker.ca", broker.ca),
        ("broker.certificate", broker.certificate),
        ("broker.key", broker.key),
        ("signing_key", settings.signing_key),
    ):
        if not file.is_file():
            raise SettingsError(
                f"{where}: {key}: {file} is missing; make it with `ansim-office ca centre`."
            )
    seen: set[str] = set()
    for channel in settings.channels:
        if (channel.command is None) == (channel.mail is None):
            raise SettingsError(
                f"{where}: channels: {channel.area}: give either command or mail, and only one."
            )
        if channel.command is not None and not channel.command:
            raise SettingsError(f"{where}: channels: {channel.area}: command is empty; name one.")
        if channel.area in seen:
            raise SettingsError(f"{where}: channels: {channel.area} is there twice; remove one.")
        seen.add(channel.area)
    _check_rules(settings.rules, where)
    return settings


def _check_rules(rules: list[Rule], where: str) -> None:
    for rule in rules:
        if rule.do == "close" and rule.outcome is None:
            raise SettingsError(f"{where}: rules: close wants an outcome; add one.")


def _rooted(settings: CentreSettings, root: Path) -> CentreSettings:
    broker = settings.broker
    replace = msgspec.structs.replace
    channels = [
        channel
        if channel.mail is None or channel.mail.password_file is None
        else replace(
            channel, mail=replace(channel.mail, password_file=root / channel.mail.password_file)
        )
        for channel in settings.channels
    ]
    return replace(
        settings,
        channels=channels,
        data=root / settings.data,
        signing_key=root / settings.signing_key,
        broker=replace(
            broker,
            ca=root / broker.ca,
            certificate=root / broker.certificate,
            key=root / broker.key,
        ),
    )
