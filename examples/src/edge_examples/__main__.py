"""``edge-run``: the main job, or the suite to play with."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import click
from rich.console import Console

from edge_examples.catalogue import EXAMPLES
from edge_examples.job import JobOptions
from edge_examples.job import run as run_job
from edge_examples.loop.story import run as run_loop
from edge_examples.stay import run as run_stay
from edge_examples.suite import Folders, SuiteError
from edge_simulator.agent.engines import EngineName

RUNS: Final = Path(".run")
MODELS: Final = RUNS / "models"

T = TypeVar("T")

example = click.option(
    "--example",
    type=click.Choice(list(EXAMPLES)),
    default=next(iter(EXAMPLES)),
    show_default=True,
    help="What is fed, and to which model.",
)


@click.group()
def main() -> None:
    """Run the suite on the local simulator. Start it in the project's root folder."""


_engine = click.option(
    "--engine",
    type=click.Choice(get_args(EngineName)),
    default="process",
    show_default=True,
    help="What the modules run on; containers take images: make images.",
)


@main.command()
@example
@click.option("--files", type=click.IntRange(min=10), help="Good files to drop, rather than all of the example's.")
@click.option("--timeout", type=float, default=240.0, show_default=True, help="Seconds until giving up.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=RUNS / "job",
    show_default=True,
    help="Working folder; emptied.",
)
@_engine
def job(example: str, files: int | None, timeout: float, folder: Path, engine: EngineName) -> None:
    """Feed the suite, swap its model on the way, and report what became of every file."""
    chosen = EXAMPLES[example]
    if files and files > chosen.files:
        raise click.UsageError(f"the example {example} has {chosen.files} files")
    options = JobOptions(chosen, folder, MODELS, files or chosen.files, timeout, engine)
    clean = _run(run_job(options, Console()))
    sys.exit(not clean)


@main.command()
@example
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=RUNS / "stay",
    show_default=True,
    help="Kept for the next time.",
)
@_engine
def stay(example: str, folder: Path, engine: EngineName) -> None:
    """Start the suite and stay until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        _run(run_stay(EXAMPLES[example], Folders(folder, MODELS), engine, Console()))


@main.command()
@click.option("--timeout", type=float, default=1200.0, show_default=True, help="Seconds until giving up.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=RUNS / "loop",
    show_default=True,
    help="Working folder; emptied.",
)
def loop(timeout: float, folder: Path) -> None:
    """From a device without a model to its second one, and what becomes of a worse one; the last line is JSON."""
    sys.exit(not _run(run_loop(folder, timeout, Console())))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; an error that is expected is one sentence."""
    try:
        return asyncio.run(work)
    except SuiteError as error:
        raise click.ClickException(str(error)) from error
    except ExceptionGroup as group:  # of what runs side by side
        expected, others = group.split(SuiteError)
        if expected is None or others is not None:
            raise
        raise click.ClickException(str(expected.exceptions[0])) from group
    except TimeoutError as error:
        raise click.ClickException("it was not done in time; the modules' logs say why") from error


if __name__ == "__main__":
    main()
