"""``ansim run``"""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--settings", type=FILE, default=None, help="Settings file [/etc/ansim/ansim.toml].")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Data folder, instead of the settings file's.",
)
@click.option(
    "--recording", type=FILE, default=None, help="Play a recorded home; it brings its own sensors."
)
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100_000),
    default=1.0,
    show_default=True,
    help="Readings this much faster; the hub's clock stays real.",
)
@click.option("--lockstep", is_flag=True, help="Time moves only through the control socket.")
@click.option("--no-model", is_flag=True, help="Decide without the inactivity model.")
def run(
    settings: Path | None,
    data: Path | None,
    recording: Path | None,
    speed: float,
    lockstep: bool,
    no_model: bool,
) -> None:
    """Run the hub until SIGTERM or Ctrl-C."""
    import asyncio
    import gc
    import logging
    import sys

    from gateway.languages.terminal import language
    from gateway.runtime.running import run as run_hub
    from gateway.runtime.service import started_by_service
    from gateway.runtime.wiring import Options
    from gateway.settings import DEFAULT, load_for_run

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    options = Options(
        settings=settings or DEFAULT,
        data=data,
        recording=recording,
        lockstep=lockstep,
        speed=speed,
        model=not no_model,
        by_person=not started_by_service(),
        language=language(),
    )
    if lockstep and recording is None:
        raise click.UsageError("--lockstep needs --recording")
    loaded = load_for_run(
        options.settings,
        data,
        by_person=options.by_person,
        recorded=recording is not None,
        language=options.language,
    )
    if loaded.damaged is not None:
        logging.getLogger("ansim").error("%s", loaded.damaged)
    gc.collect()
    gc.freeze()  # what was imported stays: no need to look through it again and again
    asyncio.run(run_hub(loaded, options))
