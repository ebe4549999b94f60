"""`edge-simulator credentials`."""

import shlex
from pathlib import Path

import click

from edge_simulator.commands.common import ask, state_option


@click.command()
@click.argument("module")
@state_option
def credentials(module: str, state: Path) -> None:
    """Print the environment that lets a process connect as MODULE: eval "$(edge-simulator credentials MODULE)"."""
    for name, value in ask(state, lambda control: control.credentials(module)).items():
        click.echo(f"export {name}={shlex.quote(value)}")
