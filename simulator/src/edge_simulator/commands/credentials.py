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
    """Print the environment that lets a process connect as MODULE: eval "$(edge-simulator credentials MODULE)".

    A module that the simulator runs is stopped, so that the process takes its place, until `edge-simulator fault module
    MODULE restart` takes it back.
    """
    form = ControlClient.connection_string if connection_string else ControlClient.credentials

    async def take(control: ControlClient) -> tuple[dict[str, str], bool]:
        return await form(control, module), await control.hand_over(module)

    environment, stopped = ask(state, take)
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    if stopped:
        back = shlex.join(["edge-simulator", "fault", "module", module, "restart", "--state", str(state)])
        click.echo(f"{module} is stopped for yours to take its place; `{back}` takes it back", err=True)
