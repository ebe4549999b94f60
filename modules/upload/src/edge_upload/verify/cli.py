"""The command ``edge-verify``."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection

import click

from edge_common.errors import ConfigurationError
from edge_upload.sinks import Sink, SinkError
from edge_upload.sinks.choice import named
from edge_upload.verify import differences, loading, report, scratch
from edge_upload.verify import trace as tracing


def command() -> None:
    """Run it from a console. Ctrl-C ends it at once, also amid a long query: nothing needs to be tidied."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()


@dataclass(frozen=True)
class Options:
    """What can be chosen of each command."""

    store: str
    device: str | None
    json: bool


@click.group(invoke_without_command=True)
@click.option(
    "--store",
    metavar="FOLDER|URL",
    required=True,
    envvar="EDGE_STORE",
    help="The cloud share, as it is mounted here, or a container's address; BLOB_CREDENTIALS names the file with a"
    " connection string or a SAS for it.",
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
def main(context: click.Context, *, store: str, device: str | None, as_json: bool, deep: bool, grace: float) -> None:
    """Compare what the ledger says with what the store holds.

    The status is 0 if the store holds what the ledger says, 1 if anything differs, and 2 if it cannot be told.
    """
    context.obj = Options(store, device, as_json)
    if context.invoked_subcommand is None:
        _check(context.obj, deep=deep, grace=grace)


@main.command()
@click.argument("what", metavar="PATH|ID")
@click.pass_obj
def trace(options: Options, what: str) -> None:
    """Tell one file's whole way; PATH is that on the device's share."""
    with _judging(), scratch.opened() as db:
        items = tracing.trace(db, asyncio.run(_history(db, options, what)))
        _print(tracing.as_json(items) if options.json else tracing.as_text(items))
    if not items:
        click.echo(f"the ledger in this store does not know {what!r}", err=True)
        sys.exit(1)


def _check(options: Options, *, deep: bool, grace: float) -> None:
    with _judging(), scratch.opened() as db:
        asyncio.run(_load(db, options, deep=deep))
        scratch.digest(db)
        differences.find(db, datetime.now(UTC).timestamp() - grace)
        _print(report.as_json(db) if options.json else report.as_text(db))
        clean = report.clean(db)
    sys.exit(0 if clean else 1)


@contextmanager
def _judging() -> Iterator[None]:
    """What keeps it from being told whether the store is as it should be ends the command with 2."""
    try:
        yield
    except (ConfigurationError, SinkError, scratch.ScratchError) as error:
        raise click.UsageError(str(error)) from error


async def _load(db: Connection, options: Options, *, deep: bool) -> None:
    async with _listed(db, options) as sink:
        await loading.ledger(db, sink)
        if deep:
            await loading.contents(db, sink)


async def _history(db: Connection, options: Options, what: str) -> list[loading.Event]:
    async with _listed(db, options) as sink:
        return await loading.history(db, sink, what)


@asynccontextmanager
async def _listed(db: Connection, options: Options) -> AsyncIterator[Sink]:
    """The store, once it is noted what it holds."""
    sink = named(options.store)
    try:
        await loading.files(db, sink, options.device)
        if not db.execute("SELECT 1 FROM file WHERE kind = '_ledger'").fetchone():
            raise click.UsageError("there is no ledger there; is it the right store, and the right device?")
        yield sink
    finally:
        await sink.close()


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
