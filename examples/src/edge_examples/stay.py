"""The suite to play with: it runs until Ctrl-C, and keeps its state for the next time."""

from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from edge_examples.digits import data
from edge_examples.packages import Packed, prepare
from edge_examples.suite import Folders, Suite, running
from edge_simulator.agent.engines import EngineName

HELP = """
The suite runs. Drop pictures of digits into
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
      model.version={version} model.requestId={version} model.ref={ref}"""


async def run(folders: Folders, engine: EngineName, console: Console) -> None:
    """Start the suite and show the ledger's counts until cancelled.

    Raises:
        SuiteError: The suite did not start, or ended by itself.
    """
    packed = prepare(folders.models, folders.trust, data.load())
    async with running(folders, "--engine", engine) as suite:
        if not (await suite.reported("inference", "model") or {}).get("active"):
            await suite.swap(packed[0].desired())
        console.print(_help(folders, packed), highlight=False, soft_wrap=True)
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(Text(await _line(suite)), refresh=True)
                await suite.pause()


async def _line(suite: Suite) -> str:
    counts = await suite.ledger()
    return "  ".join(f"{state} {count}" for state, count in counts.items() if count) or "nothing seen yet"


def _help(folders: Folders, packed: Sequence[Packed]) -> str:
    swaps = [SWAP.format(state=folders.state, version=package.version, ref=package.ref) for package in packed]
    return HELP.format(share=folders.share, cloud=folders.cloud, state=folders.state, swaps="\n".join(swaps))
