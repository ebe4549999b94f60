"""`edge-simulator credentials`."""

import shlex
from pathlib import Path

import click

from edge_simulator.commands.common import ask, state_option
from edge_simulator.control.client import ControlClient


@click.command()
@click.argument("module")
@click.option("--connection-string", is_flag=True, help="Print a connection string and a certificate's path instead.")
@state_option
def credentials(module: str, state: Path, *, connection_string: bool) -> None:
    """Print the environment that lets a process connect as MODULE: eval "$(edge-simulator credentials MODULE)"."""
    form = ControlClient.connection_string if connection_string else ControlClient.credentials
    for name, value in ask(state, lambda control: form(control, module)).items():
        click.echo(f"export {name}={shlex.quote(value)}")
