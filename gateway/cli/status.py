"""``ansim status``: one question to the hub, or a look at what a dead one left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.runtime.status import Status

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--settings", type=FILE, default=None, help="Settings file [/etc/ansim/ansim.toml].")
@click.option("--data", type=FOLDER, default=None, help="Data folder, instead of the file's.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def status(settings: Path | None, data: Path | None, as_json: bool) -> int:
    """Say how the hub is. Exit code: 0 well, 1 warning, 2 critical, 3 unknown."""
    import msgspec

    from gateway.cli.folder import data_folder
    from gateway.cli.status_lines import lines
    from gateway.languages.terminal import language
    from gateway.runtime.status import verdict

    found = _status(data or data_folder(settings))
    code, facts = verdict(found)
    if as_json:
        told = {"verdict": code.name.lower(), "facts": facts, **msgspec.to_builtins(found)}
        click.echo(msgspec.json.encode(told))
    else:
        click.echo(lines(found, code, facts, language()))
    return int(code)


def _status(folder: Path) -> Status:
    import msgspec

    from gateway.runtime.asking import ControlError, ask
    from gateway.runtime.status import Status

    try:
        answer = ask(folder, {"do": "status"})
    except ControlError as error:
        if error.reason == "denied":
            raise
        return _left_behind(folder, error.reason)
    return msgspec.convert(answer["status"], Status)


def _left_behind(folder: Path, reason: str) -> Status:
    """What the journal of a hub says that does not answer."""
    import time

    from gateway.domain.errors import SettingsError
    from gateway.domain.instant import iso
    from gateway.journal.reader import JournalReader, JournalStats
    from gateway.runtime.status import AlertLine, Status

    if not folder.is_dir():
        raise SettingsError(
            f"{folder}: there is no such data folder; start the hub once, or name another."
        )
    now = time.time()
    with JournalReader(folder) as reader:
        stats: JournalStats = reader.stats()
        alarms = [alert for alert in reader.alarms(now) if alert.open]
    oldest, last = stats.oldest_alert, stats.last_observation
    return Status(
        hub=stats.hub,
        running=False,
        reasons=(reason,),
        alerts=tuple(
            AlertLine(
                alert_id=alert.id,
                version=alert.version,
                type=str(alert.type),
                level=int(alert.level),
                state=str(alert.state),
                raised_at=iso(alert.raised.wall, 540),
                subject=alert.subject,
            )
            for alert in alarms
        ),
        waiting_alerts=stats.waiting_alerts,
        waiting_records=stats.waiting_records,
        oldest_unreceived_s=None if oldest is None else max(0.0, now - oldest),
        observations=stats.last_sequence,
        last_known_at=None if last is None else iso(last, 540),
    )
