"""Which data folder a command means."""

from __future__ import annotations

from pathlib import Path


def data_folder(settings: Path | None) -> Path:
    """That of the settings file. Raises SettingsError."""
    from gateway.languages.terminal import language
    from gateway.settings import DEFAULT, load

    return load(settings or DEFAULT, for_run=False, language=language()).hub.data
