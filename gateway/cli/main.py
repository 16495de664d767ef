"""``ansim`` and its commands. A command's module is imported only when that command is called: a
Pi Zero starts six to eight times slower than a PC."""

from __future__ import annotations

import importlib
import os
import sys

import click

from gateway import __version__
from gateway.cli.exits import Exit, exit_code
from gateway.domain.errors import AnsimError

COMMANDS: dict[str, tuple[str, str]] = {
    "journal": ("gateway.cli.journal:journal", "Look into the hub's journal: ls, show, verify."),
    "replay": ("gateway.cli.replay:replay", "Show what the hub would have done on a recording."),
    "run": ("gateway.cli.run:run", "Run the hub."),
    "sensor": ("gateway.cli.sensor:sensor", "Do something to a single sensor: rearm."),
    "status": ("gateway.cli.status:status", "Say how the hub is."),
}
"""Name of a command -> (module:object, what ``--help`` says of it)."""

GROUP = "ansim.commands"
"""Entry points of this group add commands: the installed ``ansim setup`` of provisioning/hub does."""


class LazyGroup(click.Group):
    """Knows its commands by name, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted({*COMMANDS, *_added()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        where = COMMANDS[cmd_name][0] if cmd_name in COMMANDS else _added().get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{where} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, COMMANDS[name][1] if name in COMMANDS else "")
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _added() -> dict[str, str]:
    """Commands of other packages. Looked up only where a name is not our own, or for --help."""
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=GROUP)}


@click.command(cls=LazyGroup)
@click.version_option(__version__, prog_name="ansim", message="%(prog)s %(version)s")
def ansim() -> None:
    """Ansim Gateway: notices when somebody who lives alone has gone quiet."""


def main() -> None:
    """Run a command. Known errors are one line and an exit code, never a traceback."""
    sys.exit(call())


def call(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit code (docs/commands.md)."""
    try:
        # not ansim.main(): it answers a closed pipe with exit code 1 before we see it
        given = sys.argv[1:] if arguments is None else arguments
        with ansim.make_context("ansim", given) as context:
            result = ansim.invoke(context)
        sys.stdout.flush()
        return result if isinstance(result, int) else Exit.OK
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Who read us has enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE
    except AnsimError as error:
        click.echo(f"ansim: {error}", err=True)
        return exit_code(error)


if __name__ == "__main__":
    main()
