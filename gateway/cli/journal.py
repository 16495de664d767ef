"""``ansim journal``: looks into the journal, while the hub runs and when it is dead. Never writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.exits import Exit

if TYPE_CHECKING:
    from gateway.journal.chain import Head
    from gateway.journal.reader import JournalReader

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

RECENT_DAYS = 7
"""Ended alerts are listed for so long, as in the centre's snapshot (R9)."""


@click.group()
def journal() -> None:
    """Look into the hub's journal. Reads only; the hub may run."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object."),
        click.option("--data", type=FOLDER, default=None, help="Data folder, not the file's."),
        click.option("--settings", type=FILE, default=None, help="[/etc/ansim/ansim.toml]"),
    ):
        command = option(command)
    return command


@journal.command("ls")
@click.option("--all", "everything", is_flag=True, help="Also alerts that ended long ago.")
@click.option("--waiting", is_flag=True, help="Only what the centre has not received.")
@_options
def ls(
    settings: Path | None, data: Path | None, as_json: bool, everything: bool, waiting: bool
) -> None:
    """List alerts: the newest version of each, and whether the centre has it."""
    import time

    from gateway.cli.journal_lines import listed, listing
    from gateway.domain.instant import DAY
    from gateway.languages.terminal import language

    with _reader(settings, data) as reader:
        stats, lines = reader.stats(), reader.lines()
    newest = {line.alert_id: line for line in lines}
    waits = {line.alert_id for line in lines if line.waits}
    since = time.time() - RECENT_DAYS * DAY
    shown = [
        line
        for line in newest.values()
        if (not waiting or line.alert_id in waits)
        and (
            everything
            or line.alert_id in waits
            or line.alert is None
            or line.alert.open
            or line.alert.at.wall >= since
        )
    ]
    if as_json:
        _say_json(listed(stats, shown, waits))
    else:
        click.echo(listing(stats, shown, waits, language()))


@journal.command()
@click.argument("alert_id", metavar="ALERT")
@_options
def show(alert_id: str, settings: Path | None, data: Path | None, as_json: bool) -> int:
    """Show every version of ALERT (an id, or how it begins) with its receipts."""
    from gateway.cli.journal_lines import described, shown
    from gateway.languages import translator
    from gateway.languages.terminal import language

    with _reader(settings, data) as reader:
        lines = reader.lines(alert_id.upper())
    ids = sorted({line.alert_id for line in lines})
    if len(ids) != 1:
        _ = translator(language())
        if ids:
            click.echo(_("Several alerts begin so: {ids}").format(ids=", ".join(ids)), err=True)
        else:
            click.echo(_("There is no such alert in the journal."), err=True)
        return Exit.FAILED
    if as_json:
        _say_json(shown(lines))
    else:
        click.echo(described(lines, language()))
    return Exit.OK


@journal.command()
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="ENTRIES:LINK",
    help="A link that the centre remembers from a heartbeat; may be repeated.",
)
@_options
def verify(settings: Path | None, data: Path | None, as_json: bool, heads: tuple[str, ...]) -> int:
    """Check every page and the hash chain over alert states. Exit code 1 if something is wrong."""
    from gateway.cli.journal_lines import judged, verdict
    from gateway.languages.terminal import language

    known = [_head(text) for text in heads]
    with _reader(settings, data) as reader:
        report = reader.report(known)
    if as_json:
        _say_json(judged(report))
    else:
        click.echo(verdict(report, language()))
    return Exit.OK if report.whole else Exit.FAILED


@journal.command()
@_options
def quarantine(settings: Path | None, data: Path | None, as_json: bool) -> None:
    """List what could not be understood, and damaged files that were set aside."""
    from gateway.cli.journal_lines import aside, set_aside
    from gateway.journal.aside import files_aside
    from gateway.languages.terminal import language

    folder = _folder(settings, data)
    with _reader(settings, folder) as reader:
        entries = reader.quarantined()
    files = files_aside(folder)
    if as_json:
        _say_json(aside(entries, files))
    else:
        click.echo(set_aside(entries, files, language()))


def _folder(settings: Path | None, data: Path | None) -> Path:
    from gateway.cli.folder import data_folder

    return data or data_folder(settings)


def _reader(settings: Path | None, data: Path | None) -> JournalReader:
    from gateway.journal.reader import JournalReader

    return JournalReader(_folder(settings, data))


def _head(text: str) -> Head:
    from gateway.journal.chain import Head

    entries, _, link = text.partition(":")
    try:
        return Head(int(entries), bytes.fromhex(link))
    except ValueError:
        raise click.UsageError(f"{text!r} is not ENTRIES:LINK, e.g. 12:8d1f0c...") from None


def _say_json(told: dict[str, Any]) -> None:
    import msgspec

    click.echo(msgspec.json.encode(told))
