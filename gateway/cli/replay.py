"""``ansim replay``"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.domain.household import Household
    from gateway.engine.predictor import Predictor
    from gateway.sensing.recording import Recording
    from gateway.settings import Settings

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("recording", type=FILE)
@click.option(
    "--settings",
    type=FILE,
    default=None,
    help="The home's rules; without it those of the standard risk group.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--no-model", is_flag=True, help="Decide without the inactivity model.")
@click.option(
    "--until", default=None, metavar="TIME", help="Stop at this local time, e.g. 2016-07-15T12:00."
)
@click.option(
    "--explain",
    default=None,
    metavar="TIME",
    help="Explain this moment instead: what is believed, why, and what would come of it.",
)
def replay(
    recording: Path,
    settings: Path | None,
    as_json: bool,
    no_model: bool,
    until: str | None,
    explain: str | None,
) -> None:
    """Show every alert that the hub would have raised in RECORDING (<home>.csv.gz)."""
    from gateway.cli.alert_lines import JsonLines, Lines, TextLines
    from gateway.languages.terminal import language
    from gateway.runtime.replay import Replay
    from gateway.sensing.recording import load, observations

    home = load(recording)
    rules = _settings(settings)
    household = _household(home, rules)
    if until is not None and explain is not None:
        raise click.UsageError("--explain and --until exclude each other")
    option, stop = ("--until", until) if explain is None else ("--explain", explain)
    end = None if stop is None else _wall(stop, household.utc_offset, option)
    predictor = None if no_model else _predictor(rules)
    player = Replay(household, predictor)
    told = player.alerts(observations(home, household.utc_offset), end)
    out = sys.stdout
    if explain is not None:
        from gateway.cli import explain_lines

        for _ in told:
            pass
        if player.end is None:
            raise click.BadParameter(
                f"{explain!r} is before the first row of the recording", param_hint="--explain"
            )
        moment = player.engine.explain(player.end)
        offset = household.utc_offset
        out.write(
            explain_lines.as_json(moment, offset)
            if as_json
            else explain_lines.as_text(moment, offset, language())
        )
        out.flush()
        return
    lines: Lines = JsonLines() if as_json else TextLines(language())
    for alert in told:
        out.write(lines.alert(alert, household.utc_offset))
    out.write(lines.end(player.count, player.engine.ignored))
    out.flush()


def _settings(path: Path | None) -> Settings | None:
    if path is None:
        return None
    from gateway.languages.terminal import language
    from gateway.settings import load

    return load(path, for_run=False, language=language())


def _household(home: Recording, rules: Settings | None) -> Household:
    """The recording's sensors under the settings' rules, or under the defaults."""
    from gateway.runtime.replay import household_of

    if rules is None:
        return household_of(home.sensors)
    return rules.household(home.sensors)


def _predictor(rules: Settings | None) -> Predictor | None:
    if rules is not None and not rules.model.enabled:
        return None
    from gateway import inference

    return inference.load(None if rules is None else rules.model.path)


def _wall(text: str, offset: int, option: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no ISO time; write e.g. 2016-07-15T12:00", param_hint=option
        ) from None
    if moment.tzinfo is not None:
        return moment.timestamp()
    return moment.replace(tzinfo=UTC).timestamp() - offset * 60.0
