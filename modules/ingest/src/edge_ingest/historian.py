"""Hands the items' history to upload, which stores it beside the results: at least once, and when there is time."""

import logging
from typing import Final

from edge_common.clock import Clock
from edge_common.hub import Hub, Received
from edge_common.messages import KeptMessage
from edge_ingest.bell import Bell
from edge_ingest.ledger import history
from edge_ingest.ledger.journal import Journal

log = logging.getLogger(__name__)

ROUND_S: Final = 5.0
"""Between two rounds: what happens to an item meanwhile travels together."""

PATIENCE_S: Final = 60.0
"""How long upload may take to say that it has what was sent in a round."""

WINDOW: Final = 1500
"""Events in a round, at most; they take some 4 KB each in memory."""


class Historian:
    """The rounds; each sends the oldest events, and the next one comes once upload has them all.

    Args:
        hub: Where they go.
        journal: The ledger.
        clock: Time.
    """

    def __init__(self, hub: Hub, journal: Journal, clock: Clock) -> None:
        self._hub = hub
        self._journal = journal
        self._clock = clock
        self._bell = Bell(clock)
        self._unconfirmed: set[int] = set()
        self._kept: list[KeptMessage] = []

    async def take_kept(self, message: Received) -> None:
        """Handle a message on the input ``kept``.

        Raises:
            MalformedMessageError: It cannot be read.
        """
        kept = KeptMessage.decode(message.body)
        self._kept.append(kept)
        self._unconfirmed.difference_update(kept.numbers)
        self._bell.ring()

    async def run(self) -> None:
        """Send what has happened, for ever."""
        while True:
            if gone := await self._journal.do(history.bound):
                log.error("%d events of the history are lost: nobody takes them; are its routes there?", gone)
            if await self._round() < WINDOW:
                await self._clock.sleep(ROUND_S)

    async def _round(self) -> int:
        """Send the oldest events, and wait until upload has them, or for as long as is reasonable.

        Returns:
            How many were sent.
        """
        await self._forget()  # what was confirmed late
        messages = await self._journal.do(history.untold, WINDOW)
        self._unconfirmed = {event.number for message in messages for item in message.items for event in item.events}
        sent = len(self._unconfirmed)
        for message in messages:
            await self._hub.send("history", message.encode(), {"kind": "history"})
        until = self._clock.monotonic() + PATIENCE_S
        while self._unconfirmed and (left := until - self._clock.monotonic()) > 0:
            await self._bell.wait(left)
        await self._forget()
        return sent

    async def _forget(self) -> None:
        """Let events go that upload has: a round's together, which is one transaction."""
        kept, self._kept = self._kept, []
        if kept:
            await self._journal.do(history.forget, kept)
