"""The suite to play with: it runs until Ctrl-C, and keeps its state for the next time."""

from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from edge_examples.deployment import deployment
from edge_examples.example import Example
from edge_examples.packages import Packed, prepare
from edge_examples.suite import Folders, Suite, running
from edge_simulator.agent.engines import EngineName

HELP = """
The suite runs. Drop {takes} into
  {share}
and results appear, some seconds later, in
  {cloud}
In another terminal:
  .venv/bin/edge-simulator status --state {state}
  .venv/bin/edge-simulator monitor --state {state}
  .venv/bin/edge-simulator twin get inference --state {state}
  .venv/bin/edge-simulator twin set ingest --state {state} retention=archive
Swap the model:
{swaps}
Ctrl-C stops everything.
"""
SWAP = """  .venv/bin/edge-simulator twin set inference --state {state} \\
      model.name={name} model.version={version} model.requestId={name}-{version} model.ref={ref}"""


async def run(example: Example, folders: Folders, engine: EngineName, console: Console) -> None:
    """Start the suite and show the ledger's counts until cancelled.

    Raises:
        SuiteError: The suite did not start, or ended by itself.
    """
    packed = prepare(example, folders.models, folders.trust)
    manifest = deployment(example, folders.root / "deployment")
    async with running(folders, "--engine", engine, manifest=manifest) as suite:
        active = (await suite.reported("inference", "model") or {}).get("active") or {}
        if active.get("name") != example.name:
            await suite.swap(packed[0].desired())
        console.print(_help(example, folders, packed), highlight=False, soft_wrap=True)
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(Text(await _line(suite)), refresh=True)
                await suite.pause()


async def _line(suite: Suite) -> str:
    counts = await suite.ledger()
    return "  ".join(f"{state} {count}" for state, count in counts.items() if count) or "nothing seen yet"


def _help(example: Example, folders: Folders, packed: Sequence[Packed]) -> str:
    swaps = [
        SWAP.format(state=folders.state, name=package.name, version=package.version, ref=package.ref)
        for package in packed
    ]
    return HELP.format(
        takes=example.takes,
        share=folders.share,
        cloud=folders.cloud,
        state=folders.state,
        swaps="\n".join(swaps),
    )
