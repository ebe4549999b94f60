"""`make deploy`, `make rollback` and `make status`; where to, and the hub's secret, come from the environment."""

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from deploy.errors import DeployError
from deploy.hub import Hub
from deploy.release import Release
from deploy.rollout import Rollout
from deploy.scope import Scope
from deploy.status import states, table
from edge_mlops.errors import HubError
from edge_mlops.iothub import failures

_SECRET: Final = "IOTHUB_CONNECTION_STRING"  # noqa: S105 (the variable's name)


_DEVICE = click.option("--device", envvar="DEVICE", default="", help="One device.")
_CONDITION = click.option("--condition", envvar="CONDITION", default="", help="Target condition of a fleet.")


@contextmanager
def _hub() -> Iterator[Hub]:
    """Give the hub that the environment names, and say in a sentence what goes wrong with it.

    Raises:
        ClickException: Something does.
    """
    secret = os.environ.get(_SECRET)
    if secret is None:
        raise click.ClickException(f"set {_SECRET} to that of a policy that may write to the registry")
    try:
        with failures():
            yield Hub(secret)
    except (DeployError, HubError) as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """Bring the suite to devices, and see how it is there."""


@main.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@_DEVICE
@_CONDITION
def apply(manifest: Path, device: str, condition: str) -> None:
    """Deploy MANIFEST to one device, or to all that meet a target condition."""
    with _hub() as hub:
        for line in Rollout(hub, Scope(device, condition)).deploy(Release.read(manifest)):
            click.echo(line)


@main.command()
@_DEVICE
@_CONDITION
def rollback(device: str, condition: str) -> None:
    """Deploy the release before the one in force."""
    with _hub() as hub:
        for line in Rollout(hub, Scope(device, condition)).roll_back():
            click.echo(line)


@main.command()
@_DEVICE
@_CONDITION
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of modules.")
def status(device: str, condition: str, *, as_json: bool) -> None:
    """Show versions, models and configuration errors of modules, by device."""
    with _hub() as hub:
        found = list(states(hub, Scope(device, condition).devices(hub)))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in found], indent=2))
    else:
        Console().print(table(found))


if __name__ == "__main__":
    main()
