"""``ansim-office``: the commands of the office and the centre. Each is imported when it is run."""

from __future__ import annotations

import importlib
import sys

import click

from gateway.domain.errors import AnsimError

COMMANDS: dict[str, str] = {
    "broker": "provisioning.office.ca:broker_command",
    "ca": "provisioning.office.ca:ca",
    "centre": "provisioning.centre.command:centre",
    "demo": "provisioning.demo.command:demo",
}
"""Name of a command -> module:object. A new command is a line here."""

SUMMARIES: dict[str, str] = {
    "broker": "Make the configuration of the town's broker.",
    "ca": "The certificate authority of a town.",
    "centre": "Run the reference centre.",
    "demo": "Show the whole way from a home to the centre and back.",
}
"""What --help says of a command without importing it."""


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(where)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, SUMMARIES.get(name, "")) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=LazyGroup)
def office() -> None:
    """Commands of the office and the monitoring centre."""


def main() -> None:
    """Run; an error that we know is one line, without a traceback, and exit code 3."""
    try:
        office()
    except AnsimError as error:
        click.echo(f"ansim-office: {error}", err=True)
        sys.exit(3)
