"""What wakes a loop: time, or somebody who rings."""

import asyncio
from math import inf

from edge_common.clock import Clock


class Bell:
    """Rung by those who have work for a loop, waited for by that loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the wait that goes on, or else the next one."""
        self._rung.set()

    async def wait(self, seconds: float = inf) -> None:
        """Return when the bell has been rung since the last wait, or after so many seconds."""
        if seconds == inf:
            await self._rung.wait()
        elif seconds > 0 and not self._rung.is_set():
            await self._first_of(seconds)
        self._rung.clear()

    async def _first_of(self, seconds: float) -> None:
        waits = [asyncio.create_task(self._rung.wait()), asyncio.create_task(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
