"""The command ``edge-mlops watch``."""

import asyncio
import logging
import sys
from pathlib import Path

import click

from edge_common.clock import SystemClock
from edge_inference.cli.common import FILE, errors
from edge_mlops.rollout.commands import fleet_of
from edge_mlops.rollout.events import Event


@click.command()
@click.argument("plan", type=FILE)
@click.option("--once", is_flag=True, help="Look once, and end; for schedulers and CI.")
def watch(plan: Path, *, once: bool) -> None:
    """Take all steps of PLAN, a JSON file, whenever data, devices or code give reason to; see docs/mlops.md.

    What each look has led to is printed as one line of JSON. With --once the status is 0 if there was nothing to do, or
    a new model is out; 1 if a step could not be done, 3 if the gate refused the model, 4 if devices gave it back.
    """
    from edge_mlops.watching import watch as watching  # noqa: PLC0415 - the steps' libraries take a second to import
    from edge_mlops.watching.fleet import Waves  # noqa: PLC0415
    from edge_mlops.watching.plan import read_plan  # noqa: PLC0415

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    with errors():
        what = read_plan(plan)
        fleet = Waves(fleet_of(what.rollout.module), what.name, what.rollout, _tell) if what.rollout else None
        if not once:
            asyncio.run(watching.forever(what, fleet, SystemClock(), click.echo))
        outcome = asyncio.run(watching.once(what, fleet, SystemClock()))
    click.echo(watching.told(outcome))
    sys.exit(watching.STATUS.get(outcome.result, 0))


def _tell(event: Event) -> None:
    """What happens in a rollout goes beside what is printed."""
    click.echo(event, err=True)
