"""Part 6: what a stream of batches notices of swaps, by ``benchmarks/swap.py``, a process of its own."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from bench.findings import Findings
from bench.goals import Goal
from bench.scale import Scale

PROGRAM: Final = Path(__file__).parents[1] / "swap.py"
GOALS: Final = {"dropped": 0, "wrong_model": 0, "p99_ratio": 1.5}
NOTE: Final = """\
Models of 5 to 200 MB are swapped under a stream of batches. `dropped`: batches without a prediction; `wrong_model`:
answers of another model than the batch was prepared for; `p99_ratio`: the 99th percentile of latency during swaps over
that between them, which says little where `other_cpus` is near the machine's number; `memory_growth_mb`: since the
first model served alone. Goal: nothing dropped, nothing wrong, memory back at its level."""


async def swap(_folder: Path, _scale: Scale) -> Findings:
    """Measure it.

    Raises:
        RuntimeError: The program fails.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, PROGRAM, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{PROGRAM.name} ended with status {process.returncode}")
    row = json.loads(output.splitlines()[-1])
    goals = [Goal(f"swaps: {figure}", row[figure], bound) for figure, bound in GOALS.items()]
    return Findings("Swaps under load", [row], NOTE, goals=goals)
