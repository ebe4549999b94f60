"""Announces the active model's contract: when it changes, when somebody seems not to know it, and from time to time."""

import asyncio

from edge_common.clock import Clock
from edge_common.hub import Hub
from edge_common.messages import ContractMessage
from edge_common.timing import wait_for_event
from edge_inference.serving import Serving


class Announcer:
    """Says what input is wanted.

    Args:
        hub: The connection.
        serving: Whose active model's contract it is.
        clock: For the interval.
    """

    def __init__(self, hub: Hub, serving: Serving, clock: Clock) -> None:
        self._hub = hub
        self._serving = serving
        self._clock = clock
        self._due = asyncio.Event()
        self._seconds = 0.0

    def configure(self, seconds: float) -> None:
        """Set the interval."""
        self._seconds = seconds
        self.soon()

    def soon(self) -> None:
        """Announce at once; many calls while one is under way make one more."""
        self._due.set()

    async def run(self) -> None:
        """Announce for ever."""
        while True:
            await wait_for_event(self._due, self._seconds, self._clock)
            self._due.clear()
            if self._serving.active:
                wanted = self._serving.active.contract.input
                message = ContractMessage(stamp=wanted.stamp, input=wanted)
                await self._hub.send("contract", message.encode(), {"kind": "contract"})
