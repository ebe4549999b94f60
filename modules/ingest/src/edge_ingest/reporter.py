"""Says what is in the ledger, and whether sending is paused: reported properties, direct method and metrics."""

import logging
from typing import Any

from edge_common.clock import Clock
from edge_common.errors import HubRefusedError
from edge_common.hub import Hub
from edge_ingest.bell import Bell
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.summary import Summary, summary
from edge_ingest.meters import Meters
from edge_ingest.pause import Pause
from edge_ingest.settings import IngestSettings

log = logging.getLogger(__name__)


class Reporter:
    """The ledger's counts, for those who look on.

    Args:
        hub: Takes the reported properties ``ledger`` and ``paused``.
        journal: The ledger.
        pause: Whether sending is paused.
        clock: Time.
        meters: Shows the same.
        settings: What is in force.
    """

    def __init__(
        self, hub: Hub, journal: Journal, pause: Pause, clock: Clock, meters: Meters, settings: IngestSettings
    ) -> None:
        self._hub = hub
        self._journal = journal
        self._pause = pause
        self._clock = clock
        self._meters = meters
        self._settings = settings
        self._bell = Bell(clock)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force."""
        self._settings = settings
        self._bell.ring()

    def ring(self) -> None:
        """Something has changed that is worth an early report."""
        self._bell.ring()

    async def run(self) -> None:
        """Report what has changed, for ever."""
        reported: tuple[Summary, bool] | None = None
        while True:
            current, paused = await self._journal.do(summary), self._pause.on
            if (current, paused) != reported:
                self._meters.show(current, paused=paused)
                await self._report(current, paused=paused)
                reported = current, paused
            await self._bell.wait(self._settings.report_seconds)

    async def answer(self, _: Any) -> tuple[int, Any]:
        """The direct method ``ledger``: the same counts, at once."""
        return 200, (await self._journal.do(summary)).as_json()

    async def _report(self, current: Summary, *, paused: bool) -> None:
        try:
            await self._hub.report({"ledger": current.as_json(), "paused": paused})
        except HubRefusedError as error:
            log.error("the ledger's counts were not taken: %s", error)
