"""The main job: feed the suite, swap its model on the way, wait until all is settled, and judge."""

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from edge_examples.deployment import deployment
from edge_examples.drops import WRITERS, Drop, deliver
from edge_examples.example import Example
from edge_examples.packages import prepare
from edge_examples.report import Report
from edge_examples.suite import Folders, Suite, running
from edge_examples.verdict import collect, judge
from edge_simulator.agent.engines import EngineName

RATE: Final = 50.0
"""Files dropped each second."""


@dataclass(frozen=True)
class JobOptions:
    """What can be chosen.

    Attributes:
        example: What is fed, and to which model.
        folder: Where the run keeps what it makes; emptied first.
        models: Where the model packages are kept between runs.
        files: Good files to drop.
        timeout_s: When to give up waiting.
        engine: What the modules run on: processes, or containers of images that have been built.
    """

    example: Example
    folder: Path
    models: Path
    files: int
    timeout_s: float
    engine: EngineName


async def run(options: JobOptions, console: Console) -> bool:
    """Run the job and print its report.

    Returns:
        Whether every file is settled as it should be.

    Raises:
        SuiteError: The suite did not start or did not settle in time.
    """
    console.print(f"Training and packing two versions of the example {options.example.name} …")
    folders = Folders(options.folder, options.models)
    packed = prepare(options.example, folders.models, folders.trust)
    for package in packed:
        summary = f"  {package.name} {package.version}: {package.accuracy:.1%} on what was held out, {package.ref}"
        console.print(summary, soft_wrap=True)
    drops = options.example.drops(options.files)
    shutil.rmtree(options.folder, ignore_errors=True)
    console.print("Starting the simulator and the four modules …")
    manifest = deployment(options.example, options.folder / "deployment")
    running_suite = running(folders, "--engine", options.engine, manifest=manifest)
    async with running_suite as suite, asyncio.timeout(options.timeout_s):
        await suite.swap(packed[0].desired())
        started = time.monotonic()
        with _progress(console) as progress:
            closed, swap_ms = await _feed_and_settle(suite, drops, folders.share, packed[1].desired(), progress)
        seconds = time.monotonic() - started
        counts = await suite.ledger()
    example, settled = options.example, counts.get("uploaded", 0) + counts.get("done", 0)
    evidence = collect(folders.share, folders.cloud, settled, example.columns)
    verdict = judge(drops, closed, evidence, example.is_right)
    report = Report(example.name, verdict, evidence, seconds, swap_ms)
    report.publish(console, options.folder.parent / "report.json")
    return report.verdict.clean


async def _feed_and_settle(
    suite: Suite, drops: Sequence[Drop], share: Path, model: dict[str, object], progress: Progress
) -> tuple[dict[str, float], float]:
    """Drop the files, ask for another model in the middle, and wait until all are settled."""
    middle = len(drops) // 2
    dropped = progress.add_task("dropped", total=len(drops))

    async def feed(some: Sequence[Drop]) -> dict[str, float]:
        return await _feed(some, share, lambda: progress.advance(dropped))

    async with asyncio.TaskGroup() as group:
        group.create_task(_watch(suite, len(drops), progress))
        closed = await feed(drops[:middle])
        swap = group.create_task(suite.swap(model))
        closed |= await feed(drops[middle:])
    return closed, swap.result()


async def _feed(drops: Sequence[Drop], share: Path, on_drop: Callable[[], None]) -> dict[str, float]:
    """Drop files at a steady rate; gives when each was complete, by path."""
    loop = asyncio.get_running_loop()
    closed: dict[str, float] = {}

    async def drop_one(drop: Drop) -> None:
        closed[drop.path] = await loop.run_in_executor(pool, deliver, drop, share)
        on_drop()

    with ThreadPoolExecutor(WRITERS) as pool:
        async with asyncio.TaskGroup() as group:
            for drop in drops:
                group.create_task(drop_one(drop))
                await asyncio.sleep(1 / RATE)
    return closed


async def _watch(suite: Suite, files: int, progress: Progress) -> None:
    """Show how far the files are until all are settled."""
    bars = {bar: progress.add_task(bar, total=files) for bar in ("stored", "in the cloud share", "quarantined")}
    settled = 0
    while settled < files:
        await suite.pause()
        counts = await suite.ledger()
        uploaded = counts.get("uploaded", 0) + counts.get("done", 0)
        quarantined = counts.get("quarantined", 0)
        progress.update(bars["stored"], completed=counts.get("accepted", 0) + uploaded)
        progress.update(bars["in the cloud share"], completed=uploaded)
        progress.update(bars["quarantined"], completed=quarantined)
        settled = uploaded + quarantined + counts.get("gone", 0)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
