"""``ansim-office ca`` and ``ansim-office broker``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)

force_option = click.option("--force", is_flag=True, help="Replace files that are there.")
out_option = click.option(
    "--out", type=FOLDER, required=True, help="Folder for the files; made if missing."
)


@click.group()
def ca() -> None:
    """The certificate authority of a town. DIR is its folder: keep it in the office, back it up."""


@ca.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--name", default="Ansim", show_default=True, help="Name of the town's service.")
@force_option
def init(folder: Path, name: str, *, force: bool) -> None:
    """Make a new authority in DIR."""
    from provisioning.office import authority

    authority.create(folder, name=name, force=force)
    click.echo(f"authority: {folder / 'ca.crt'}; back up {folder / 'ca.key'} offline")


@ca.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("hub_id", metavar="HUBID")
@out_option
@force_option
def hub(folder: Path, hub_id: str, out: Path, *, force: bool) -> None:
    """Make the certificate and key of hub HUBID, with the public keys of all centres."""
    from provisioning.office import authority

    authority.hub(folder, hub_id, out, force=force)
    click.echo(f"hub {hub_id}: {out / 'hub.crt'}, {out / 'hub.key'}, {out / 'ca.crt'}")
    if not authority.centre_keys(folder):
        click.echo("no centre yet: make one, then this hub again with --force", err=True)


@ca.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("centre_id", metavar="CENTREID")
@out_option
@force_option
def centre(folder: Path, centre_id: str, out: Path, *, force: bool) -> None:
    """Make certificate, key and signing key of the centre process CENTREID."""
    from provisioning.office import authority

    authority.centre(folder, centre_id, out, force=force)
    click.echo(f"centre {centre_id}: {out / 'centre.crt'}, {out / 'signing.key'}")
    click.echo(f"every hub needs {out / (centre_id + '.pub')}; hubs made from now on have it")


@ca.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@out_option
@force_option
def broker(folder: Path, hosts: tuple[str, ...], out: Path, *, force: bool) -> None:
    """Make the certificate and key of the broker that is reached as HOST."""
    from provisioning.office import authority

    authority.broker(folder, hosts, out, force=force)
    click.echo(f"broker {', '.join(hosts)}: {out / 'broker.crt'}, {out / 'broker.key'}")


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--tenant", required=True, help="The town's word in every topic.")
@click.option(
    "--centre",
    "centres",
    multiple=True,
    required=True,
    help="Id of a centre process; may be given several times.",
)
@click.option("--certificates", type=FOLDER, required=True, help="Where broker.crt is.")
@click.option("--data", type=FOLDER, default=Path("/var/lib/mosquitto"), show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8883, show_default=True)
@click.option("--address", default="", help="Listen on this address only.")
@click.option("--run-as", default="", help="The broker's user, if not mosquitto.")
def broker_command(
    folder: Path,
    tenant: str,
    centres: tuple[str, ...],
    certificates: Path,
    data: Path,
    port: int,
    address: str,
    run_as: str,
) -> None:
    """Write mosquitto.conf and its access rules to DIR."""
    from provisioning.office.broker import Broker, write

    conf = write(
        Broker(
            tenant=tenant,
            centres=centres,
            certificates=certificates.absolute(),
            data=data.absolute(),
            port=port,
            address=address,
            run_as=run_as,
        ),
        folder,
    )
    click.echo(f"broker: mosquitto -c {conf}")
    user = run_as or "mosquitto"
    click.echo(
        f"started by root it runs as {user}, who must be able to read {folder} and {certificates} "
        f"and to write {data}: chown -R {user} {folder} {certificates} {data}"
    )
