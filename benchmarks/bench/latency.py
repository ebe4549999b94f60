"""Part 3: from a file being closed to its prediction being published, at several loads."""

import asyncio
import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from bench.findings import Cell, Findings
from bench.goals import Goal
from bench.limit import alone
from bench.networks import network
from bench.pictures import photographs
from bench.scale import Scale
from bench.stage import Stage, stage
from edge_common.messages import PredictionsMessage
from edge_examples.drops import Drop, Manner, deliver

NETWORK: Final = "shufflenet"
LOADS: Final = (0.1, 0.5, 0.8)
DISTINCT: Final = 100
GOAL_MS: Final = 15
NOTE: Final = f"""\
Milliseconds from a file being renamed into place to its prediction being at IoT Hub's end of the simulator, for
{NETWORK} at 640×480. Files come at random (a Poisson process) at a share of the rate that the suite reached just before
with all of them waiting. `one process` is what decoding and running one picture takes there. Goal at 10 %: p50 at most
that and {GOAL_MS} ms."""


async def latency(folder: Path, scale: Scale) -> Findings:
    """Measure it at every load."""
    contents = photographs(640, 480, DISTINCT)
    async with stage(folder) as on:
        await on.serve(NETWORK, network(NETWORK))
        files = on.lay_out(contents, scale.pictures)
        bare = await alone(on.model_folder(NETWORK), files)
        full = await on.push(files)
        bare_ms = bare.seconds / bare.files * 1000
        rows = [await _at(on, contents, load, load * full.rate, scale.seconds, bare_ms) for load in LOADS]
    goal = Goal(f"p50 at {LOADS[0]:.0%} load, ms", float(rows[0]["p50"]), bare_ms + GOAL_MS)
    return Findings("From file closed to prediction published", rows, NOTE, goals=[goal])


async def _at(
    on: Stage, contents: Sequence[bytes], load: float, rate: float, seconds: float, bare_ms: float
) -> Mapping[str, Cell]:
    files = max(1, round(rate * seconds))
    drops = [Drop(f"load-{load}/{each:06}", contents[each % len(contents)], Manner.RENAMED) for each in range(files)]
    waits = np.random.default_rng(1).exponential(1 / rate, files)
    published: dict[str, float] = {}
    before = await on.look()
    listening = asyncio.create_task(_listen(on, published))
    closed = await _feed(drops, on.share, waits.cumsum().tolist())
    await on.settled(files)
    _, others = await on.used_since(before)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    came = {path: at for body, at in published.items() for path in _paths(body)}
    times = [(came[path] - at) * 1000 for path, at in closed.items()]
    p50, p99 = np.percentile(times, (50, 99)).tolist()
    return {
        "load": f"{load:.0%}",
        "files a second": rate,
        "files": files,
        "p50": p50,
        "p99": p99,
        "one process": bare_ms,
        "others' CPUs": others,
    }


async def _feed(drops: Sequence[Drop], share: Path, times: Sequence[float]) -> Mapping[str, float]:
    """Drop each file at its time; gives when each was complete."""
    began = time.monotonic()

    async def drop_one(drop: Drop, due: float) -> tuple[str, float]:
        await asyncio.sleep(began + due - time.monotonic())
        return drop.path, await asyncio.to_thread(deliver, drop, share)

    return dict(await asyncio.gather(*map(drop_one, drops, times)))


async def _listen(on: Stage, published: dict[str, float]) -> None:
    """Note when each body of predictions came, for ever; they are read once there is nothing to measure any more."""
    async with on.control.events() as events:
        async for event in events:
            if event["kind"] == "message" and event["systemProperties"].get("outputName") == "predictions":
                published[event["body"]] = time.time()


def _paths(body: str) -> Iterator[str]:
    return (part.item.path for part in PredictionsMessage.decode(base64.b64decode(body)).parts)
