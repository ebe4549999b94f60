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
        alarm = asyncio.create_task(self._clock.sleep(seconds))
        alarm.add_done_callback(self._go_off)
        try:
            await self._rung.wait()
        finally:
            alarm.remove_done_callback(self._go_off)
            alarm.cancel()

    def _go_off(self, _: asyncio.Task[None]) -> None:
        self._rung.set()
