"""The commands ``edge-mlops rollout`` and ``edge-mlops rollback``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console

from edge_inference.cli.common import FILE, errors
from edge_mlops.errors import HubError
from edge_mlops.rollout.events import Event, Report, Tell
from edge_mlops.rollout.plan import Wish, read_plan
from edge_mlops.rollout.rollout import roll_out
from edge_mlops.rollout.standing import Standing
from edge_mlops.rollout.undoing import roll_back

if TYPE_CHECKING:
    from edge_mlops.rollout.hub import HubFleet

_SECRET: Final = "IOTHUB_CONNECTION_STRING"  # noqa: S105 (the variable's name)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print events, and last the report, as JSON.")


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@click.argument("reference")
@click.argument("plan", type=FILE)
@click.option("--id", "name", metavar="ID", help="The rollout's id; made from what devices are told, unless given.")
@_JSON
def rollout(model: str, reference: str, plan: Path, name: str | None, *, as_json: bool) -> None:
    """Bring a model to the devices of a hub in the waves of PLAN; the status is 1 if it was rolled back.

    REFERENCE is where the package lies, as a twin takes it; IOTHUB_CONNECTION_STRING says which hub. The same command
    again goes on where it was interrupted.
    """
    with errors():
        read = read_plan(plan)
        wish = Wish.make(read, *_parted(model), reference, name)
        report = roll_out(fleet_of(read.module), read, wish, _teller(as_json=as_json))
    _print(report, as_json=as_json)
    if not report.ok:
        raise click.ClickException(f"rolled back: {report.reason}")


@click.command()
@click.argument("name", metavar="ID")
@click.option("--module", default="inference", show_default=True, help="The inference module's name.")
@_JSON
def rollback(name: str, module: str, *, as_json: bool) -> None:
    """Have the devices of a rollout return to the models before it; the status is 1 if some have not."""
    with errors():
        report = roll_back(fleet_of(module), name, _teller(as_json=as_json))
    _print(report, as_json=as_json)
    if left := report.total(Standing.STUCK) + report.total(Standing.WAITING):
        raise click.ClickException(f"{left} have not returned")


def _parted(model: str) -> tuple[str, str]:
    name, colon, version = model.rpartition(":")
    if not colon:
        raise click.UsageError(f"{model!r} is no NAME:VERSION")
    return name, version


def fleet_of(module: str) -> "HubFleet":
    """The devices of the hub that the environment names.

    Raises:
        HubError: It names none, or what speaks to it is not installed.
    """
    secret = os.environ.get(_SECRET)
    if secret is None:
        raise HubError(f"set {_SECRET} to that of a policy that may write to the registry")
    try:
        from edge_mlops.rollout.hub import HubFleet  # noqa: PLC0415 - an extra's, and slow to import
    except ModuleNotFoundError as error:
        raise HubError(f"{error.name} is not installed: it comes with edge-mlops[hub]") from error
    return HubFleet(secret, module)


def _teller(*, as_json: bool) -> Tell:
    def tell(event: Event) -> None:
        click.echo(event.json() if as_json else event)

    return tell


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(report.json())
    else:
        Console().print(report.table())
