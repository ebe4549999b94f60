"""IoT Hub's end of `$upstream`."""

import asyncio
from typing import Final

from edge_simulator.faults import Faults
from edge_simulator.hub.monitor import Monitor
from edge_simulator.store.queue import UPSTREAM_MODULE, Queue

_BATCH: Final = 64


class Upstream:
    """Takes what is queued for IoT Hub and shows it to the monitor."""

    def __init__(self, queue: Queue, monitor: Monitor, faults: Faults) -> None:
        self._queue = queue
        self._monitor = monitor
        self._faults = faults
        faults.watch("upstream", lambda _: self.wake())

    def wake(self) -> None:
        """Take the next batch, and leave the event loop to others before the one after."""
        if self._faults.upstream_down:
            return
        batch = self._queue.peek(UPSTREAM_MODULE, _BATCH)
        for queued in batch:
            self._monitor.message(queued)
            self._queue.remove(queued.row)
        if len(batch) == _BATCH:
            asyncio.get_running_loop().call_soon(self.wake)
