"""`edge-simulator connection-string`."""

import shlex
from pathlib import Path

import click

from edge_simulator.commands.common import ask, state_option
from edge_simulator.control.client import ControlClient


@click.command("connection-string")
@state_option
def connection_string(state: Path) -> None:
    """Print the connection string for IoT Hub's tools and SDKs; standard error says how they come to trust it."""
    answer = ask(state, ControlClient.service)
    click.echo(answer["connectionString"])
    certificate = shlex.quote(answer["certificate"])
    click.echo(f"export REQUESTS_CA_BUNDLE={certificate} SSL_CERT_FILE={certificate}", err=True)
