"""Part 2: what an item costs beside decoding and inference."""

from pathlib import Path
from typing import Final

from bench.findings import Findings
from bench.goals import Goal
from bench.limit import alone
from bench.networks import tiny
from bench.pictures import glyphs
from bench.roles import draw, seconds_by_role, seconds_by_thread
from bench.scale import Scale
from bench.stage import stage

GOAL_MS: Final = 0.8
GOAL_RATE: Final = 1500
DISTINCT: Final = 500
WAY: Final = ("ingest", "transform", "inference", "upload")
"""An item's."""

NOTE: Final = f"""\
Pictures of 28×28 pixels and a model of one layer. CPU is in milliseconds an item, from the share to the cloud share;
`decoding and running` is what one process takes for that, and the overhead is what all modules take beyond it. The
simulator, which stands for edgeHub, is told and not counted. Goals: {GOAL_MS} ms, {GOAL_RATE} items a second."""


async def overhead(folder: Path, scale: Scale) -> Findings:
    """Measure it."""
    async with stage(folder) as on:
        await on.serve("tiny", tiny())
        contents = glyphs(DISTINCT)
        await on.push(on.lay_out(contents, DISTINCT))  # what is allocated once is there now
        files = on.lay_out(contents, scale.files)
        bare = await alone(on.model_folder("tiny"), files)
        processes = await on.processes()
        before = {name: seconds_by_thread(processes[name]) for name in WAY}
        pushed = await on.push(files)
        used = {name: await seconds_by_role(processes[name], before[name]) for name in WAY}
    png = folder.with_suffix(".png")
    draw({name: {role: s / pushed.files * 1000 for role, s in roles.items()} for name, roles in used.items()}, png)
    beyond = pushed.modules_cpu_ms - bare.cpu_ms
    row = {
        "items": pushed.files,
        "items a second": pushed.rate,
        **{f"CPU of {name}": value for name, value in sorted(pushed.cpu_ms.items())},
        "decoding and running": bare.cpu_ms,
        "overhead": beyond,
        "others' CPUs": pushed.others,
    }
    goals = [
        Goal("`overhead_ms_per_item`", beyond, GOAL_MS),
        Goal("items a second, of next to no work", pushed.rate, GOAL_RATE, least=True),
    ]
    return Findings("Overhead of an item", [row], NOTE, {"overhead_ms_per_item": round(beyond, 3)}, png, goals)
