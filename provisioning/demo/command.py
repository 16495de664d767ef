"""``ansim-office demo``"""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--folder", type=FOLDER, default=None, help="Work here, and leave everything there.")
@click.option("--prepare", is_flag=True, help="Only make certificates and the home in --folder.")
@click.option(
    "--scene", "scenes", multiple=True, type=click.Choice(["a", "b", "c", "d"]), help="Only these."
)
@click.option("--mosquitto", default=None, metavar="PROGRAM", help="Another mosquitto.")
@click.option("--language", type=click.Choice(["ko", "en"]), default=None)
@click.pass_context
def demo(
    context: click.Context,
    folder: Path | None,
    scenes: tuple[str, ...],
    mosquitto: str | None,
    language: str | None,
    *,
    prepare: bool,
) -> None:
    """Show a simulated week from a home to the centre and back, in under a minute.

    Exit code 0 if all scenes went well by the centre's own database, else 1.
    """
    import asyncio

    from gateway.languages import terminal
    from provisioning.demo.show import Show

    if prepare and folder is None:
        raise click.UsageError("--prepare needs --folder")
    show = Show(folder, language or terminal.language(), mosquitto, scenes)
    if prepare:
        show.prepare()
        return
    context.exit(asyncio.run(show.play()))
