"""The whole suite under a steady rate: does anything grow?

Feeds the example's digits to the suite on the simulator, looks at every process each second, and draws memory, open
files, queues and latency to a PNG. Exits with 1 if a process' memory rises after the warm-up, or a file is lost,
stored twice or settled wrongly. The last line is one JSON object.

    python benchmarks/soak.py [--minutes 10] [--rate 20] [--png .run/soak.png]
"""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench.processor import resident_mib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge_examples.digits.example import DIGITS
from edge_examples.drops import Drop, deliver
from edge_examples.packages import prepare
from edge_examples.suite import Folders, Suite, running
from edge_examples.verdict import Evidence, Verdict, collect, judge
from edge_simulator.control.client import ControlClient

LOOK_S = 1.0
WARM_UP = 1 / 3
"""The share of the run in which caches fill and pools grow."""
MOST_MIB = 4.0
"""By which a process may grow after that, by the slope of its memory: so a longer run finds a slower leak."""


@dataclass(frozen=True)
class Look:
    """What was seen at one time.

    Attributes:
        minutes: Since the start.
        memory: MiB resident, by process.
        files: Open files, by process.
        waiting: Messages in the hub's queues, and files that are not settled.
    """

    minutes: float
    memory: Mapping[str, float]
    files: Mapping[str, int]
    waiting: Mapping[str, int]


def main() -> None:
    """Run, draw, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=20, help="files a second")
    parser.add_argument("--png", type=Path, default=Path(".run/soak.png"))
    options = parser.parse_args()
    folder = Path(".run/soak")
    shutil.rmtree(folder, ignore_errors=True)
    folders = Folders(folder, Path(".run/models"))
    good = [drop for drop in DIGITS.drops(700) if drop.code is None]
    drops = [again(good, index) for index in range(int(options.minutes * 60 * options.rate))]
    started = time.time()
    looks, closed, evidence = asyncio.run(soak(folders, drops, options.rate))
    times = [(closed[row["path"]], row["stored_at"].timestamp()) for row in evidence.records]
    draw(looks, [((done - started) / 60, stored - done) for done, stored in times], options.png)
    verdict, rising = judge(drops, closed, evidence), slopes(looks, options.minutes)
    print(json.dumps(summary(verdict, rising)))
    grown = max(rising.values()) * options.minutes * (1 - WARM_UP)
    sys.exit(int(not verdict.clean or grown > MOST_MIB))


def summary(verdict: Verdict, rising: Mapping[str, float]) -> Mapping[str, object]:
    """What the last line says."""
    return {
        "files": verdict.files,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "wrong": len(verdict.wrong),
        "p50_ms": round(verdict.latency_ms(50)),
        "p99_ms": round(verdict.latency_ms(99)),
        "mib_per_minute": {name: round(slope, 3) for name, slope in rising.items()},
    }


def again(good: Sequence[Drop], index: int) -> Drop:
    """The digits over and over, each time under another name."""
    drop = good[index % len(good)]
    return replace(drop, path=f"{index // len(good)}/{drop.path}")


async def soak(
    folders: Folders, drops: Sequence[Drop], rate: float
) -> tuple[Sequence[Look], Mapping[str, float], Evidence]:
    """Feed the suite at a steady rate; what was seen, when each file was complete, and what became of it."""
    models = prepare(DIGITS, folders.models, folders.trust)
    async with running(folders) as suite, ControlClient.connect(folders.state) as control:
        await suite.edit_twin("ingest", {"retention": "delete"})
        await suite.swap(models[-1].desired())
        looks: list[Look] = []
        watching = asyncio.create_task(watch(control, suite, looks))
        closed = await feed(drops, folders.share, rate)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        counts = await suite.until_settled(len(drops))
    return looks, closed, collect(folders.share, folders.cloud, counts.get("uploaded", 0) + counts.get("done", 0))


async def feed(drops: Sequence[Drop], share: Path, rate: float) -> dict[str, float]:
    """Drop each file when its time has come; gives when each was complete."""
    began = time.monotonic()

    async def drop_one(index: int, drop: Drop) -> tuple[str, float]:
        await asyncio.sleep(began + index / rate - time.monotonic())
        return drop.path, await asyncio.to_thread(deliver, drop, share)

    return dict(await asyncio.gather(*(drop_one(*each) for each in enumerate(drops))))


async def watch(control: ControlClient, suite: Suite, looks: list[Look]) -> None:
    """Look for ever."""
    began = time.monotonic()
    while True:
        status = await control.status()
        processes = {"simulator": status["pid"], **{each["name"]: each["pid"] for each in status["modules"]}}
        ledger = await suite.ledger()
        open_items = sum(count for state, count in ledger.items() if state not in {"done", "uploaded", "quarantined"})
        looks.append(
            Look(
                (time.monotonic() - began) / 60,
                {name: resident_mib(pid) for name, pid in processes.items()},
                {name: open_files(pid) for name, pid in processes.items()},
                {"in the hub": sum(queue["messages"] for queue in status["queues"]), "not settled": open_items},
            )
        )
        await asyncio.sleep(LOOK_S)


def open_files(pid: int) -> int:
    """How many a process has."""
    return len([*Path(f"/proc/{pid}/fd").iterdir()])


def slopes(looks: Sequence[Look], minutes: float) -> Mapping[str, float]:
    """MiB a minute by which each process grew after the warm-up, by least squares."""
    late = [look for look in looks if look.minutes >= minutes * WARM_UP]
    times = np.array([look.minutes for look in late])
    return {
        name: float(np.polyfit(times, np.array([look.memory[name] for look in late]), 1)[0]) for name in late[0].memory
    }


def draw(looks: Sequence[Look], latencies: Sequence[tuple[float, float]], png: Path) -> None:
    """Four plots over time, in minutes; a latency is a pair of when and how long."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    (memory, files), (waiting, latency) = figure.subplots(2, 2)
    lines(memory, "memory, MiB", looks, [look.memory for look in looks])
    lines(files, "open files", looks, [look.files for look in looks])
    lines(waiting, "waiting", looks, [look.waiting for look in looks])
    latency.plot(*zip(*latencies, strict=True), ".", markersize=2)
    latency.set_title("from file complete to result durable, s")
    png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(png, dpi=120)


def lines(axes: Axes, title: str, looks: Sequence[Look], values: Sequence[Mapping[str, float]]) -> None:
    """One line a name."""
    for name in values[0]:
        axes.plot([look.minutes for look in looks], [value[name] for value in values], label=name)
    axes.set_title(title)
    axes.set_ylim(bottom=0)
    axes.legend()


if __name__ == "__main__":
    main()
