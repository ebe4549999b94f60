"""What several commands share."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from edge_simulator.control.client import ControlClient
from edge_simulator.errors import NotRunningError, SimulatorError
from edge_simulator.state import DEFAULT_STATE, State

Answer = TypeVar("Answer")

state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STATE,
    show_default=True,
    help="The simulator's state folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def ask(state: Path, question: Callable[[ControlClient], Awaitable[Answer]]) -> Answer:
    """Put a question to the simulator of a state folder.

    Raises:
        click.ClickException: it does not run, or refuses.
    """

    async def connect_and_ask() -> Answer:
        async with ControlClient.connect(state) as control:
            return await question(control)

    try:
        return asyncio.run(connect_and_ask())
    except NotRunningError as error:
        refuse_several(state)
        raise click.ClickException(str(error)) from error
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error


def refuse_several(state: Path) -> None:
    """Say which folders to choose from, if that of several devices was given.

    Raises:
        click.ClickException: it was.
    """
    if folders := State(state).devices():
        names = ", ".join(str(state / folder.name) for folder in folders)
        raise click.ClickException(f"state folder {state} has several devices: give --state one of {names}")
