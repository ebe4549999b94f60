"""Says what is in the ledger: reported property, direct method and metrics."""

import logging
from typing import Any

from edge_common.clock import Clock
from edge_common.errors import HubRefusedError
from edge_common.hub import Hub
from edge_ingest.bell import Bell
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.summary import Summary, summary
from edge_ingest.meters import Meters
from edge_ingest.settings import IngestSettings

log = logging.getLogger(__name__)


class Reporter:
    """The ledger's counts, for those who look on.

    Args:
        hub: Takes the reported property ``ledger``.
        journal: The ledger.
        clock: Time.
        meters: Shows the same.
        settings: What is in force.
    """

    def __init__(self, hub: Hub, journal: Journal, clock: Clock, meters: Meters, settings: IngestSettings) -> None:
        self._hub = hub
        self._journal = journal
        self._clock = clock
        self._meters = meters
        self._settings = settings
        self._bell = Bell(clock)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force."""
        self._settings = settings
        self._bell.ring()

    async def run(self) -> None:
        """Report what has changed, for ever."""
        reported: Summary | None = None
        while True:
            current = await self._journal.do(summary)
            if current != reported:
                self._meters.show(current)
                await self._report(current)
                reported = current
            await self._bell.wait(self._settings.report_seconds)

    async def answer(self, _: Any) -> tuple[int, Any]:
        """The direct method ``ledger``: the same counts, at once."""
        return 200, (await self._journal.do(summary)).as_json()

    async def _report(self, current: Summary) -> None:
        try:
            await self._hub.report({"ledger": current.as_json()})
        except HubRefusedError as error:
            log.error("the ledger's counts were not taken: %s", error)
