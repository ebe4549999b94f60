"""A device that models run on, and what is seen of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from subprocess import run

from bench.asking import measure
from bench.engines import Run


@dataclass(frozen=True)
class Device:
    """What is measured on.

    Attributes:
        providers: Execution providers; the first is tuned for.
        look: Gives its utilisation in percent, and its memory in use in MiB.
        seconds: Of a turn, and of each step of a swap.
        rounds: Turns of each engine.
        tuning: Seconds to find the best batch and callers.
    """

    providers: Sequence[str]
    look: Callable[[], tuple[float, float]]
    seconds: float = 2.0
    rounds: int = 7
    tuning: float = 30.0


def nvidia_smi(program: str = "nvidia-smi") -> tuple[float, float]:
    """Utilisation in percent, and MiB in use, of the first GPU."""
    query = ["--id=0", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    busy, used = run([program, *query], check=True, capture_output=True, text=True).stdout.split(",")
    return float(busy), float(used)


def watched(runs: Sequence[Run], device: Device) -> tuple[float, float]:
    """What the device is seen to do during a turn that does not count."""
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(measure, runs, device.seconds)
        seen = [device.look()]
        while not turn.done():
            seen.append(device.look())
        turn.result()
    busy, used = zip(*seen, strict=True)
    return median(busy), max(used)
