"""Runs ``alone`` as a process of its own."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.laid import Laid
from bench.processor import CORES

THREADS: Final = sorted({(CORES, 1), (1, CORES), (2 * CORES, 1)})
"""Candidates for the best: callers, and threads in a run."""


@dataclass(frozen=True)
class Alone:
    """What one process made of some files.

    Attributes:
        files: How many.
        seconds: Without start and warm-up.
        cpu_s: CPU seconds of them.
        others: CPUs that others kept busy.
    """

    files: int
    seconds: float
    cpu_s: float
    others: float

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.files / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a file."""
        return self.cpu_s / self.files * 1000


async def alone(model: Path, laid: Laid, threads: tuple[int, int] = (1, 1), results: Path | None = None) -> Alone:
    """Work through a folder in one process.

    Args:
        model: Folder of the model and its contract.
        laid: What it is fed.
        threads: Callers, and threads in a run.
        results: Where results are stored, if they are.
    """
    arguments = ["-m", "bench.alone", str(model), str(laid.folder), f"--callers={threads[0]}", f"--intra={threads[1]}"]
    if results:
        arguments.append(f"--results={results}")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the one process ended with status {process.returncode}")
    said = json.loads(output)
    return Alone(laid.files, **said)


async def best_threads(model: Path, laid: Laid, results: Path) -> tuple[int, int]:
    """With which threads one process is fastest."""
    rates = {threads: (await alone(model, laid, threads, results)).rate for threads in THREADS}
    return max(rates, key=lambda threads: rates[threads])
