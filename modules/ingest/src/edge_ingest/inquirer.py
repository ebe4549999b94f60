"""Asks upload about items that it accepted, and tells it which have come to their end: receipts get lost, too."""

from itertools import zip_longest
from typing import Final

from edge_common.clock import Clock
from edge_common.hub import Hub
from edge_common.messages import InquiriesMessage, chunks
from edge_ingest.bell import Bell
from edge_ingest.ledger import endings
from edge_ingest.ledger.journal import Journal
from edge_ingest.settings import IngestSettings

MOST_ASKED: Final = 150
"""Questions in a message, some 60 bytes each."""

MOST_TOLD: Final = 150
"""Ends in a message, 35 bytes each; both together stay within a message's size."""


class Inquirer:
    """The rounds of questions.

    Args:
        hub: Where inquiries go.
        journal: The ledger.
        clock: Time.
        settings: What is in force.
    """

    def __init__(self, hub: Hub, journal: Journal, clock: Clock, settings: IngestSettings) -> None:
        self._hub = hub
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self.bell = Bell(clock)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force: the next round comes at once."""
        self._settings = settings
        self.bell.ring()

    async def run(self) -> None:
        """Ask and tell from time to time, for ever."""
        while True:
            await self._round()
            await self.bell.wait(self._settings.inquiry_seconds)

    async def _round(self) -> None:
        now = self._clock.now().timestamp()
        questions = await self._journal.do(endings.ask, now, self._settings.inquiry_seconds)
        questions += await self._journal.do(endings.doubtful, now)
        ends = await self._journal.do(endings.untold, now)
        told = [ends[first : first + MOST_TOLD] for first in range(0, len(ends), MOST_TOLD)]
        for ask, settled in zip_longest(chunks(questions, MOST_ASKED), told, fillvalue=()):
            message = InquiriesMessage(ask=tuple(ask), settled=tuple(settled))
            await self._hub.send("inquiries", message.encode(), {"kind": "inquiries"})
        # Only once the hub has it; told twice does no harm.
        await self._journal.do(endings.told, ends)
