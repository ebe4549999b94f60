"""Tells of items that are worth more than others to whoever trains the next model."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from edge_common.hub import Hub
from edge_common.messages import Hint, HintsMessage, chunks

MOST_WAITING: Final = 1000
"""Hints are wishes: while the hub is away, the oldest are forgotten."""

MOST_IN_MESSAGE: Final = 100


class Hints:
    """Sends hints without anybody waiting for it.

    Args:
        hub: The connection.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: deque[Hint] = deque(maxlen=MOST_WAITING)
        self._some = asyncio.Event()

    def add(self, hints: Iterable[Hint]) -> None:
        """Send these soon."""
        self._waiting.extend(hints)
        if self._waiting:
            self._some.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            hints = tuple(self._waiting)
            self._waiting.clear()
            for run in chunks(hints, MOST_IN_MESSAGE):
                await self._hub.send("hints", HintsMessage(hints=tuple(run)).encode(), {"kind": "hints"})
