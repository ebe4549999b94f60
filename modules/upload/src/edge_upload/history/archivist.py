"""Takes the history that ingest sends, and says what of it is on this disk."""

import asyncio
import logging
from typing import Final

from edge_common.hub import Hub, Received
from edge_common.messages import HistoryMessage
from edge_upload.database import SpoolUnavailableError
from edge_upload.history.events import Events
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

MOST_WAITING: Final = 512
"""Messages in memory; what ingest has on its way is some ten of them."""

MOST_TOGETHER: Final = 8
"""Messages in one commit: what is confirmed of them fits a message."""


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
            messages = [await self._arrived.get()]
            while len(messages) < MOST_TOGETHER and not self._arrived.empty():
                messages.append(self._arrived.get_nowait())
            try:
                confirmed = await self._thread.call(self._events.take, messages)
            except SpoolUnavailableError as error:
                self._note(error)
            else:
                self._refusing = False
                for kept in confirmed:
                    await self._hub.send("kept", kept.encode(), {"kind": "kept"})

    def _note(self, error: SpoolUnavailableError) -> None:
        if not self._refusing:
            log.warning("the history is left with ingest for now: %s", error)
        self._refusing = True
