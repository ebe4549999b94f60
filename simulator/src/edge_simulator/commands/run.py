"""`edge-simulator run`."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import click
from dotenv import dotenv_values

from edge_simulator.agent.engines import EngineName
from edge_simulator.agent.restart import BACKOFF_UNIT_S
from edge_simulator.commands.common import state_option
from edge_simulator.errors import SimulatorError
from edge_simulator.manifest import ManifestError, load
from edge_simulator.routing import RouteError
from edge_simulator.simulator import MOST_DEVICES, Options, running

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_file)
@state_option
@click.option("--mount", "mounts", metavar="SOURCE=FOLDER", multiple=True, help="Put a volume or bind on a folder.")
@click.option("--env-file", type=_file, help="Variables for the template, besides .env and the environment.")
@click.option("--address", help="The loopback address to listen on.  [default: the first free one from 127.0.0.2 on]")
@click.option(
    "--restart-backoff",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=BACKOFF_UNIT_S,
    show_default=True,
    help="The first wait before a module starts again; it doubles from there.",
)
@click.option("--service-port", type=click.IntRange(1, 65535), help="The service API's port.  [default: 8443 or up]")
@click.option("--module", "guests", metavar="NAME", multiple=True, help="Add a module that is started by hand.")
@click.option(
    "--devices",
    type=click.IntRange(1, MOST_DEVICES),
    default=1,
    show_default=True,
    help="How many devices run FILE: edge-1, edge-2 …, each with a state folder of that name below --state.",
)
@click.option(
    "--engine",
    type=click.Choice(get_args(EngineName)),
    default="process",
    show_default=True,
    help="What modules run on: processes of this machine, or containers of the images that FILE names.",
)
def run(  # noqa: PLR0913, PLR0917 (an argument for each option)
    file: Path,
    state: Path,
    mounts: tuple[str, ...],
    env_file: Path | None,
    address: str | None,
    restart_backoff: float,
    guests: tuple[str, ...],
    service_port: int | None,
    devices: int,
    engine: EngineName,
) -> None:
    """Run the deployment manifest or template FILE until Ctrl-C."""
    if address and devices > 1:
        raise click.UsageError("--address is that of one device, and does not go with --devices")
    if address and engine == "docker":
        raise click.UsageError("--address does not go with --engine docker: containers reach that of their network")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    try:
        manifest = load(file, _environment(env_file))
        options = Options(
            manifest, state, _folders(mounts), address, restart_backoff, guests, service_port, devices, engine
        )
        asyncio.run(_run(options))
    except (SimulatorError, ManifestError, RouteError) as error:
        raise click.ClickException(str(error)) from error


async def _run(options: Options) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with running(options) as edges:
        for edge in edges:
            click.echo(
                f"ready: device {edge.device.device_id} at {edge.device.gateway_host}, state folder {edge.state}"
            )
        await stop.wait()


def _environment(env_file: Path | None) -> dict[str, str]:
    given = dotenv_values(env_file) if env_file else {}
    return {name: value for name, value in given.items() if value is not None} | dict(os.environ)


def _folders(mounts: Iterable[str]) -> dict[str, Path]:
    folders = {}
    for mount in mounts:
        source, equals, folder = mount.partition("=")
        if not (source and equals and folder):
            raise click.UsageError(f"--mount {mount!r} is not SOURCE=FOLDER")
        folders[source] = Path(folder)
    return folders
