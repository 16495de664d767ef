"""``ansim-office centre``: run the reference centre, and work with its store."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.domain.alert import Outcome
from gateway.domain.errors import AnsimError, SettingsError
from provisioning.centre import answering, reading, retention
from provisioning.centre import settings as centre_settings
from provisioning.centre.settings import BrokerSettings, CentreSettings
from provisioning.centre.store import Store

DATA = Path("centre-data")
SETTINGS = Path("centre.toml")
FAILED = 1
UNUSABLE = 3


class _Group(click.Group):
    """A group whose errors are one line: exit code 3 for settings and files, 1 for what was asked
    of it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AnsimError as error:
            click.echo(f"ansim-office centre: {error}", err=True)
            asked = isinstance(error, answering.AnswerError)
            ctx.exit(FAILED if asked else UNUSABLE)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--settings", type=click.Path(path_type=Path), help="centre.toml"),
        click.option("--broker", metavar="HOST:PORT", help="The broker, without a settings file."),
        click.option("--ca", type=click.Path(path_type=Path)),
        click.option("--cert", type=click.Path(path_type=Path)),
        click.option("--key", type=click.Path(path_type=Path)),
        click.option("--signing-key", type=click.Path(path_type=Path)),
        click.option("--id", "centre_id", help="This centre's id (kid of its signatures)."),
        click.option("--tenant", help="The town's pseudonym in the topics."),
        click.option("--data", type=click.Path(path_type=Path), help="Folder of the store."),
        click.option("--auto-accept", type=float, metavar="SECONDS", help="For demonstrations."),
        click.option("--script", type=click.Path(path_type=Path), help="Rules, for demonstrations"),
        click.option("--board/--no-board", default=None, help="Default: on a terminal."),
        click.option("--by", default="operator", show_default=True, help="Your role; no name."),
        click.option("--language", type=click.Choice(["ko", "en"])),
    ):
        command = option(command)
    return command


@click.group(cls=_Group, invoke_without_command=True)
@click.pass_context
def centre(ctx: click.Context) -> None:
    """The reference centre: receives, stores, answers, and shows the board."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(run, settings=SETTINGS if SETTINGS.exists() else None)


@centre.command()
@_run_options
def run(
    settings: Path | None = None,
    auto_accept: float | None = None,
    script: Path | None = None,
    board: bool | None = None,
    by: str = "operator",
    **options: Any,
) -> None:
    """Run until Ctrl-C. Without a terminal it prints a line for whatever happens."""
    chosen = _settings(settings, options)
    try:
        from provisioning.centre.scripted import accept_all_after
        from provisioning.centre.service import Centre
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is missing; install ansim-gateway again with all it needs."
        ) from None
    rules = [] if script is None else centre_settings.load_rules(script)
    if auto_accept is not None:
        rules.append(accept_all_after(auto_accept))
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty() if board is None else board
    store = Store.open(chosen.data)
    _log(store, "board" if on_terminal else "run", by)
    told = _silent if on_terminal else _print
    running = Centre(chosen, store, rules=rules, told=told)
    try:
        asyncio.run(_serve(running, on_terminal=on_terminal, by=by, language=chosen.language))
    except* AnsimError as errors:
        raise _first(errors) from None
    finally:
        store.close()


def _first(group: BaseExceptionGroup[AnsimError]) -> AnsimError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _serve(running: Any, *, on_terminal: bool, by: str, language: str) -> None:
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(running.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    if on_terminal:
        from provisioning.centre.board import Board
        from provisioning.centre.screen import show

        board = Board(
            running.store,
            language=language,
            by=by,
            trouble=lambda: str(running.trouble),
            on_answer=running.poke,
        )
        shown = asyncio.ensure_future(show(board))
        await asyncio.wait([work, shown], return_when=asyncio.FIRST_COMPLETED)
        shown.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shown
        work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


def _settings(path: Path | None, options: dict[str, Any]) -> CentreSettings:
    """From the file, with options on top; or from options alone."""
    if path is not None:
        chosen = centre_settings.load(path)
        if options.get("data") is not None:
            chosen = msgspec.structs.replace(chosen, data=options["data"])
        if options.get("language") is not None:
            chosen = msgspec.structs.replace(chosen, language=options["language"])
        return chosen
    wanted = ("broker", "ca", "cert", "key", "signing_key", "centre_id", "tenant")
    missing = [name for name in wanted if options.get(name) is None]
    if missing:
        names = ", ".join(
            "--id" if n == "centre_id" else "--" + n.replace("_", "-") for n in missing
        )
        raise SettingsError(f"no settings: give --settings FILE, or {names}.")
    host, colon, port = str(options["broker"]).rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(
            f"--broker {options['broker']}: not HOST:PORT; write e.g. localhost:8883."
        )
    return centre_settings.check(
        CentreSettings(
            id=options["centre_id"],
            tenant=options["tenant"],
            data=options.get("data") or DATA,
            signing_key=options["signing_key"],
            language=options.get("language") or "ko",
            broker=BrokerSettings(
                host=host.strip("[]"),
                port=int(port),
                ca=options["ca"],
                certificate=options["cert"],
                key=options["key"],
            ),
        ),
        "options",
    )


# -- the store, while a centre runs or not ------------------------------------------------------


def _store_options(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option(
        "--settings", type=click.Path(path_type=Path), help="centre.toml; its folder is used."
    )(command)
    return click.option("--data", type=click.Path(path_type=Path), help="Folder of the store.")(
        command
    )


@contextlib.contextmanager
def _opened(settings: Path | None, data: Path | None) -> Iterator[Store]:
    if data is None and settings is None and SETTINGS.exists():
        settings = SETTINGS
    folder = data
    if folder is None:
        folder = DATA if settings is None else centre_settings.load(settings).data
    store = Store.open(folder, create=False)
    try:
        yield store
    finally:
        store.close()


def _log(store: Store, what: str, by: str = "", detail: str | None = None) -> None:
    who = _user() + (f" as {by}" if by else "")
    answering.log(store, who, what, time.time(), detail=detail)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@centre.command()
@_store_options
@click.option("--by", default="operator", show_default=True)
@click.option("--language", type=click.Choice(["ko", "en"]), default="ko", show_default=True)
def board(settings: Path | None, data: Path | None, by: str, language: str) -> None:
    """Show the board of a centre that runs elsewhere on this machine."""
    from provisioning.centre.board import Board

    with _opened(settings, data) as store:
        _log(store, "board", by)
        shown = Board(store, language=language, by=by)
        if sys.stdin.isatty() and sys.stdout.isatty():
            from provisioning.centre.screen import show

            asyncio.run(show(shown))
        else:
            from rich.console import Console

            console = Console()
            console.print(shown.draw(console))


@centre.command()
@_store_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--all", "everything", is_flag=True, help="Ended ones too.")
def alerts(settings: Path | None, data: Path | None, as_json: bool, everything: bool) -> None:
    """List open alerts, the highest level first."""
    with _opened(settings, data) as store:
        _log(store, "alerts")
        found = reading.alerts(store, only_open=not everything, limit=1_000_000)
    if as_json:
        _lines(found)
        return
    for line in found:
        done = f" {line.outcome}" if line.outcome else ""
        click.echo(
            f"{line.alert_id}  {line.hub}  level {line.level}  {line.type}  {line.state}{done}  "
            f"{line.raised_at}"
        )


@centre.command()
@_store_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def homes(settings: Path | None, data: Path | None, as_json: bool) -> None:
    """List homes, those that need somebody first."""
    with _opened(settings, data) as store:
        _log(store, "homes")
        found = reading.homes(store)
    if as_json:
        _lines(found)
        return
    for home in found:
        watch = "watching" if home.watching else f"NOT watching: {home.why}"
        lost = f"  lost: {', '.join(home.lost)}" if home.lost else ""
        remade = f"  set back, remade versions: {home.remade}" if home.remade else ""
        click.echo(f"{home.hub}  {watch}  open {home.open_alerts}{lost}{remade}")


def _answer(state: str, help_text: str) -> None:
    options = [
        click.argument("alert"),
        click.option("--by", required=True, help="Your role, as the home shall know it; no name."),
        click.option("--service", required=state == "closed", help="What was done."),
    ]
    if state == "closed":
        outcomes = click.Choice([str(outcome) for outcome in Outcome])
        options.append(click.option("--outcome", type=outcomes, required=True))

    def command(
        alert: str,
        by: str,
        settings: Path | None,
        data: Path | None,
        service: str | None = None,
        outcome: str | None = None,
    ) -> None:
        with _opened(settings, data) as store:
            given = answering.give(
                store,
                alert,
                state,
                by=by,
                now=time.time(),
                outcome=outcome,
                service=service,
                who=f"{_user()} as {by}",
            )
        click.echo(f"{given.hub} {given.alert_id}: {given.state}; on its way to the home.")

    command.__doc__ = help_text
    for option in reversed(options):
        command = option(command)
    names = {"accepted": "accept", "acting": "acting", "closed": "close"}
    centre.command(names[state])(_store_options(command))


_answer("accepted", "Say to the home that a person has taken this alert.")
_answer("acting", "Say to the home that somebody is on the way.")
_answer("closed", "Close an alert with its outcome and what was done.")


@centre.command("access-log")
@_store_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--days", type=float, default=31.0, show_default=True, help="For the monthly review.")
def access_log(settings: Path | None, data: Path | None, as_json: bool, days: float) -> None:
    """Who looked at or acted on what, and when (kept for two years)."""
    names = ("at", "who", "what", "hub", "alert_id", "detail")
    with _opened(settings, data) as store:
        _log(store, "access-log")
        rows = store.db.execute(
            "SELECT at, who, what, hub, alert_id, detail FROM access WHERE at > ? ORDER BY id",
            (time.time() - days * 86400.0,),
        ).fetchall()
    for row in rows:
        if as_json:
            click.echo(msgspec.json.encode(dict(zip(names, row, strict=True))).decode())
        else:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row[0]))
            click.echo("  ".join([when, *(str(part) for part in row[1:] if part)]))


@centre.command()
@_store_options
def retain(settings: Path | None, data: Path | None) -> None:
    """Delete what is older than its limit; the running centre does it by itself each day."""
    with _opened(settings, data) as store:
        gone = retention.retain(store, time.time())
        _log(store, "retain", detail=f"{gone} rows")
    click.echo(f"{gone} rows deleted.")


def _lines(found: Iterable[object]) -> None:
    for one in found:
        click.echo(msgspec.json.encode(one).decode())


def _print(line: str) -> None:
    # a reader that has gone (a pipe to head) must not stop a centre
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _silent(_line: str) -> None:
    pass
