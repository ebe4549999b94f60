"""Counts what comes, and sends the counts."""

import asyncio

from edge_common.clock import Clock
from edge_common.hub import Hub, Received
from edge_common.messages import PredictionsMessage
from edge_common.timing import wait_for_event
from edge_NAME.counting import Counting
from edge_NAME.settings import Settings


class Counter:
    """The module between a hub and a clock.

    Args:
        hub: Where counts are sent.
        clock: When.
    """

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._counting = Counting()
        self._settings = Settings()
        self._changed = asyncio.Event()

    async def configure(self, settings: Settings) -> None:
        """Take over settings, at once: what has been counted is sent, and the time begins again."""
        self._settings = settings
        self._changed.set()

    async def on_predictions(self, received: Received) -> None:
        """Count predictions.

        Raises:
            MalformedMessageError: It is no such message.
        """
        self._counting.add(PredictionsMessage.decode(received.body))

    async def run(self) -> None:
        """Send what has been counted, again and again."""
        while True:
            await wait_for_event(self._changed, self._settings.seconds, self._clock)
            self._changed.clear()
            if message := self._counting.take():
                await self._hub.send("counts", message.encode())
