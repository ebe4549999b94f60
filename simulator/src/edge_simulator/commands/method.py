"""`edge-simulator method`."""

import json
from pathlib import Path

import click

from edge_simulator.commands.common import ask, state_option
from edge_simulator.hub.methods import DEFAULT_RESPONSE_TIMEOUT_S


@click.command()
@click.argument("module")
@click.argument("name")
@click.option("--payload", metavar="JSON", default="null", show_default=True, help="What the method is given.")
@click.option("--timeout", metavar="SECONDS", type=click.IntRange(5, 300), default=DEFAULT_RESPONSE_TIMEOUT_S)
@state_option
def method(module: str, name: str, payload: str, timeout: int, state: Path) -> None:
    """Call the direct method NAME of MODULE, and print status and payload of its answer as JSON."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise click.UsageError(f"--payload is no JSON: {error}") from error
    click.echo(json.dumps(ask(state, lambda control: control.call(module, name, value, timeout))))
