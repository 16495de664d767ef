"""``ansim sensor``: what a technician does to single sensors, beside them in the home."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def sensor() -> None:
    """What is done to single sensors, on site."""


@sensor.command()
@click.argument("name", metavar="SENSOR")
@click.option("--settings", type=FILE, default=None, help="Settings file [/etc/ansim/ansim.toml].")
@click.option("--data", type=FOLDER, default=None, help="Data folder, instead of the file's.")
def rearm(name: str, settings: Path | None, data: Path | None) -> None:
    """Trust SENSOR again after its battery was changed.

    Only with the sensor in your hand: its next new frame within ten minutes is its new start.
    """
    from gateway.cli.folder import data_folder
    from gateway.languages import translator
    from gateway.languages.terminal import language
    from gateway.runtime.asking import ControlError, ask

    answer = ask(data or data_folder(settings), {"do": "rearm", "sensor": name})
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error")), reason="refused")
    _ = translator(language())
    click.echo(_("{sensor} is re-armed. Make it speak within ten minutes.").format(sensor=name))
    click.echo(_("What it sends after that first frame counts again."))
