"""`edge-simulator logs`."""

import time
from pathlib import Path
from typing import BinaryIO, Final

import click

from edge_simulator.commands.common import refuse_several, state_option
from edge_simulator.state import State

_PAUSE_S: Final = 0.1


@click.command()
@click.argument("module")
@click.option("-f", "--follow", is_flag=True, help="Go on with what the module prints, until Ctrl-C.")
@state_option
def logs(module: str, state: Path, *, follow: bool) -> None:
    """Print what MODULE has printed, in all of its runs."""
    try:
        log = State(state).log(module).open("rb")
    except FileNotFoundError as error:
        refuse_several(state)
        raise click.ClickException(f"{error.filename}: {module} has never run on this state folder") from error
    with log:
        _copy(log)
        while follow:
            time.sleep(_PAUSE_S)
            _copy(log)


def _copy(log: BinaryIO) -> None:
    while chunk := log.read(1 << 16):
        click.echo(chunk, nl=False)
