"""Takes the history that ingest sends, and says what of it is on this disk."""

import asyncio
import logging
from typing import Final

from edge_common.hub import Hub, Received
from edge_common.messages import HistoryMessage, KeptMessage
from edge_upload.database import SpoolUnavailableError
from edge_upload.history.events import Events
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

MOST_WAITING: Final = 512
"""Messages in memory; ingest has no more than that on its way."""


class Archivist:
    """Handles the input ``history``. What it does not confirm, ingest sends again.

    Args:
        events: What is kept there.
        thread: The spool's.
        hub: Takes the confirmations.
    """

    def __init__(self, events: Events, thread: OneThread, hub: Hub) -> None:
        self._events = events
        self._thread = thread
        self._hub = hub
        self._arrived: asyncio.Queue[HistoryMessage] = asyncio.Queue(MOST_WAITING)
        self._refusing = False

    async def history(self, message: Received) -> None:
        """Input ``history``: what happened to items.

        Raises:
            MalformedMessageError: It is no history.
        """
        await self._arrived.put(HistoryMessage.decode(message.body))

    async def run(self) -> None:
        """Keep what arrives, for ever."""
        while True:
            message = await self._arrived.get()
            kept = await self._keep(message)
            if kept:
                await self._hub.send("kept", kept.encode(), {"kind": "kept"})

    async def _keep(self, message: HistoryMessage) -> KeptMessage | None:
        try:
            kept = await self._thread.call(self._store, message)
        except SpoolUnavailableError as error:
            return self._refuse(str(error))
        if kept is None:
            return self._refuse("too much of it waits for the store")
        self._refusing = False
        return kept

    def _store(self, message: HistoryMessage) -> KeptMessage | None:
        return None if self._events.full else self._events.take(message)

    def _refuse(self, reason: str) -> None:
        if not self._refusing:
            log.warning("the history is left with ingest for now: %s", reason)
        self._refusing = True
