"""Part 5: what grows with files on the share, models kept and a backlog in the spool, and how."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from bench.findings import Cell, Findings
from bench.laid import Laid
from bench.networks import FULL, SIDE, averages, network, tiny
from bench.pictures import glyphs, photographs
from bench.scale import Scale
from bench.stage import Stage, stage

FILES: Final = (1_000, 3_000, 10_000, 30_000, 56_000)
"""Put on the share one after the other: 100,000 in the end."""

MODELS: Final = 8
BACKLOGS: Final = 10
BACKLOG_BYTES: Final = 1_000_000_000
SAMPLE_BYTES: Final = 3 * SIDE * SIDE * 4
DISTINCT: Final = 100
NOTE: Final = """\
Time is in milliseconds an item (files, backlog) or of a swap (models): level where all of it grows by a straight line.
Memory is in MiB resident, by process. The backlog is sampled features that wait for their window."""


@dataclass(frozen=True)
class Point:
    """What was seen at one size.

    Attributes:
        size: How much there was.
        milliseconds: What an item, or a swap, took.
        memory: MiB resident, by process.
    """

    size: float
    milliseconds: float
    memory: dict[str, float]


@dataclass(frozen=True)
class Curve:
    """How one thing grows."""

    title: str
    points: Sequence[Point]


async def growth(folder: Path, scale: Scale) -> Findings:
    """Measure all three, and draw them."""
    curves = [
        Curve("files on the share", await _files(folder, scale.growth)),
        Curve("models kept", await _models(folder)),
        Curve("backlog in the spool, GB", await _backlog(folder, scale.growth)),
    ]
    png = folder.with_suffix(".png")
    draw(curves, png)
    rows: Sequence[Mapping[str, Cell]] = [
        {"what": curve.title, "size": point.size, "milliseconds": point.milliseconds, **point.memory}
        for curve in curves
        for point in curve.points
    ]
    return Findings("Growth", rows, NOTE, picture=png)


async def _files(folder: Path, share_of_all: float) -> Sequence[Point]:
    contents = glyphs(DISTINCT)
    steps = [max(DISTINCT, round(files * share_of_all)) for files in FILES]
    points = []
    async with stage(folder) as on:
        await on.serve("tiny", tiny())
        for files, total in zip(steps, accumulate(steps), strict=True):
            pushed = await on.push(on.lay_out(contents, files))
            points.append(Point(total, pushed.seconds / files * 1000, dict(pushed.memory)))
    return points


async def _models(folder: Path) -> Sequence[Point]:
    points = []
    async with stage(folder) as on:
        for number in range(1, MODELS + 1):
            milliseconds = await on.serve("squeezenet", network("squeezenet", seed=number, batch=FULL), str(number))
            await on.push(on.lay_out(glyphs(1), 1))
            points.append(Point(number, milliseconds, await on.memory()))
    return points


async def _backlog(folder: Path, share_of_all: float) -> Sequence[Point]:
    """Features of every picture go to the spool, and may leave it in some days."""
    files = max(DISTINCT, round(BACKLOG_BYTES * share_of_all / SAMPLE_BYTES))
    closed = f"{datetime.now(UTC) + timedelta(days=3):%a} 00:00-00:01".lower()
    kept = {"features": "all", "uploadWindows": [closed], "spoolBudgetBytes": 2 * BACKLOGS * BACKLOG_BYTES}
    points, contents = [], photographs(SIDE, SIDE, DISTINCT)
    async with stage(folder) as on:
        await on.serve("averages", averages())
        await on.suite.edit_twin("upload", kept)
        for step in range(1, BACKLOGS + 1):
            seconds = await _pile_up(on, on.lay_out(contents, files), step * files)
            points.append(Point(step * files * SAMPLE_BYTES / 1e9, seconds / files * 1000, await on.memory()))
    return points


async def _pile_up(on: Stage, laid: Laid, total: int) -> float:
    """Move files into the share; seconds until upload has accepted all that are there."""
    began = time.monotonic()
    laid.move(on.share)
    while (await on.suite.ledger()).get("accepted", 0) < total:
        await on.suite.pause()
    return time.monotonic() - began


def draw(curves: Sequence[Curve], png: Path) -> None:
    """Time above, memory below, a column for each curve."""
    figure = Figure(figsize=(15, 8), layout="constrained")
    times, memories = figure.subplots(2, len(curves))
    for took, memory, curve in zip(times, memories, curves, strict=True):
        sizes = [point.size for point in curve.points]
        took.plot(sizes, [point.milliseconds for point in curve.points], "o-")
        for name in curve.points[0].memory:
            memory.plot(sizes, [point.memory[name] for point in curve.points], "o-", label=name)
        took.set(title="milliseconds", xlabel=curve.title, ylim=(0, None))
        memory.set(title="memory, MiB", xlabel=curve.title, ylim=(0, None))
        memory.legend()
    figure.savefig(png, dpi=100)
