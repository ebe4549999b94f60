"""What a swap takes of a GPU's memory, and whether it gives it back."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import Event
from typing import Final
from weakref import finalize

from bench.asking import over_and_over
from bench.device import Device
from bench.engines import open_on, samples
from bench.findings import Findings
from edge_common.contract import Contract
from edge_inference.serving import Serving

NOTE: Final = """\
FP32 serves, FP16 is loaded beside it and takes over, FP32 is released; then back again. That is done twice, and the
second time told, because kernels that CUDA loads on first use stay. The load never pauses, and a run that fails ends
the benchmark. `growth`: memory at the end, less that at the beginning. Goal: next to none."""
_CALLERS: Final = 2
_GONE_S: Final = 60.0


class Served:
    """A model that is asked all the time, and makes way for another.

    Args:
        contract: Of all models that serve.
        device: What they run on.
    """

    def __init__(self, contract: Contract, device: Device) -> None:
        self._contract = contract
        self._device = device
        self._serving = Serving()
        self._rows = samples(contract, contract.input.batch)
        self.ended = Event()

    def activate(self, folder: Path) -> None:
        """Load a model and let it serve; the one that did until now is kept."""
        self._serving.activate(open_on(folder, self._contract, self._device.providers[0]), 0.0)

    def ask(self) -> list[float]:
        """Ask until it is ended; how long each answer took, in seconds."""
        took: list[float] = []
        while not self.ended.is_set():
            took += over_and_over(self._run, time.perf_counter() + self._device.seconds / 10)
        return took

    def level(self) -> float:
        """MiB in use after a while."""
        time.sleep(self._device.seconds)
        return self._device.look()[1]

    def swap_to(self, folder: Path) -> Sequence[float]:
        """MiB in use while both models are held, and once the one before has gone.

        Raises:
            RuntimeError: It does not go.
        """
        gone = Event()
        finalize(self._serving.current().session, gone.set)
        self.activate(folder)
        both = self.level()
        self._serving.release(0.0, 0.0)
        if not gone.wait(_GONE_S):
            raise RuntimeError("a model that was released is still held")
        return [both, self.level()]

    def _run(self) -> None:
        self._serving.current().run(self._rows)


def swap(folders: Sequence[Path], contract: Contract, device: Device) -> Findings:
    """From the first model to the second and back, under load, twice: what CUDA loads on first use is there then."""
    served = Served(contract, device)
    served.activate(folders[0])
    with ThreadPoolExecutor(_CALLERS) as pool:
        asking = [pool.submit(served.ask) for _ in range(_CALLERS)]
        try:
            trips = [[*served.swap_to(folders[1]), *served.swap_to(folders[0])] for _ in range(2)]
        finally:
            served.ended.set()
        took = [each for caller in asking for each in caller.result()]
    levels = [trips[0][-1], *trips[1]]
    told = dict(zip(("FP32, MiB", "both", "FP16", "both again", "FP32 again"), levels, strict=True))
    growth = levels[-1] - levels[0]
    times = {"runs": len(took), "p50, ms": median(took) * 1000, "slowest, ms": max(took) * 1000}
    return Findings("A swap on a GPU", [{**told, "growth": growth, **times}], NOTE, {"vram_growth_mib": growth})
