"""What wakes a loop: time, or somebody who rings."""

import asyncio
from math import inf

from edge_common.clock import Clock
from edge_common.timing import wait_for_event


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
        if seconds > 0 and not self._rung.is_set():
            await wait_for_event(self._rung, None if seconds == inf else seconds, self._clock)
        self._rung.clear()
