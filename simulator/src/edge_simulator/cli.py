"""`edge-simulator`."""

import click

from edge_simulator.commands.connection_string import connection_string
from edge_simulator.commands.credentials import credentials
from edge_simulator.commands.fault import fault
from edge_simulator.commands.logs import logs
from edge_simulator.commands.method import method
from edge_simulator.commands.monitor import monitor
from edge_simulator.commands.run import run
from edge_simulator.commands.send import send
from edge_simulator.commands.status import status
from edge_simulator.commands.twin import twin
from edge_simulator.manifest.cli import manifest
from edge_simulator.routing.cli import routes


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edge-simulator")
def main() -> None:
    """Run an IoT Edge deployment on this machine: no cloud, no device, no Docker."""


for command in (
    connection_string,
    credentials,
    fault,
    logs,
    manifest,
    method,
    monitor,
    routes,
    run,
    send,
    status,
    twin,
):
    main.add_command(command)
