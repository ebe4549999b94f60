"""The command ``edge-verify``."""

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

import click

from edge_upload.sinks import Sink, SinkError
from edge_upload.sinks.share import ShareSink
from edge_upload.verify import differences, loading, report, scratch
from edge_upload.verify import trace as tracing


@dataclass(frozen=True)
class Options:
    """What can be chosen of each command."""

    sink: Sink
    device: str | None
    json: bool


@click.group(invoke_without_command=True)
@click.option(
    "--store",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    envvar="EDGE_STORE",
    help="The cloud share, as it is mounted here.",
)
@click.option("--device", help="Look at this device alone; otherwise at all that share the store.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, the summary last.")
@click.option("--deep", is_flag=True, help="Read and hash every file, and count the rows of results.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=3600.0,
    show_default=True,
    help="Seconds after which a file must be in the ledger, which comes later than results do.",
)
@click.pass_context
def main(context: click.Context, *, store: Path, device: str | None, as_json: bool, deep: bool, grace: float) -> None:
    """Compare what the ledger says with what the store holds.

    The status is 0 if the store holds what the ledger says, 1 if anything differs, and 2 if it cannot be told.
    """
    context.obj = Options(ShareSink(store), device, as_json)
    if context.invoked_subcommand is None:
        _check(context.obj, deep=deep, grace=grace)


@main.command()
@click.argument("what", metavar="PATH|ID")
@click.pass_obj
def trace(options: Options, what: str) -> None:
    """Tell one file's whole way; PATH is that on the device's share."""
    with scratch.opened() as db:
        _load(db, options, deep=False)
        items = tracing.trace(db, what)
        _print(tracing.as_json(items) if options.json else tracing.as_text(items))
    if not items:
        click.echo(f"the ledger in this store does not know {what!r}", err=True)
        sys.exit(1)


def _check(options: Options, *, deep: bool, grace: float) -> None:
    with scratch.opened() as db:
        _load(db, options, deep=deep)
        differences.find(db, datetime.now(UTC).timestamp() - grace)
        _print(report.as_json(db) if options.json else report.as_text(db))
        clean = report.clean(db)
    sys.exit(0 if clean else 1)


def _load(db: Connection, options: Options, *, deep: bool) -> None:
    try:
        asyncio.run(_read(db, options, deep=deep))
    except SinkError as error:
        raise click.UsageError(str(error)) from error
    if not db.execute("SELECT 1 FROM file WHERE kind = '_ledger'").fetchone():
        raise click.UsageError("there is no ledger there; is it the right store, and the right device?")
    scratch.index(db)


async def _read(db: Connection, options: Options, *, deep: bool) -> None:
    await loading.files(db, options.sink, options.device)
    await loading.ledger(db, options.sink)
    if deep:
        await loading.contents(db, options.sink)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
