"""Keeps operators informed, and the spool's index small."""

import logging
from datetime import datetime
from typing import Any, Final

from edge_common.clock import Clock
from edge_common.errors import HubRefusedError
from edge_common.hub import Hub
from edge_upload.acceptor import Acceptor
from edge_upload.courier import Courier
from edge_upload.database import SpoolUnavailableError
from edge_upload.index import Index, Tally
from edge_upload.metrics import UploadMetrics
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

REPORT_S: Final = 5.0
TIDY_S: Final = 60.0

MOST_CHARACTERS: Final = 500
"""Of an error in reported properties, which are limited in size."""


class Reporter:
    """Reports property ``spool`` when it has changed.

    Args:
        index: Knows what waits.
        thread: The spool's.
        acceptor: Knows why results are deferred.
        courier: Knows why nothing is uploaded.
        hub: Takes the reports.
        clock: Time.
        metrics: Gauges are set there.
    """

    def __init__(
        self,
        index: Index,
        thread: OneThread,
        acceptor: Acceptor,
        courier: Courier,
        hub: Hub,
        clock: Clock,
        metrics: UploadMetrics,
    ) -> None:
        self._index = index
        self._thread = thread
        self._acceptor = acceptor
        self._courier = courier
        self._hub = hub
        self._clock = clock
        self._metrics = metrics
        self._said: dict[str, Any] = {}

    async def run(self) -> None:
        """Report, for ever."""
        while True:
            tally = await self._thread.call(self._index.tally)
            self._metrics.spool_bytes.set(tally.bytes)
            self._metrics.spool_items.set(tally.items)
            await self._say(self._spool(tally))
            await self._clock.sleep(REPORT_S)

    async def tidy(self) -> None:
        """Forget what need not be known any more, for ever."""
        while True:
            await self._clock.sleep(TIDY_S)
            try:
                await self._thread.call(self._index.tidy, self._clock.now())
            except SpoolUnavailableError as error:
                log.warning("the index is not tidied now: %s", error)

    def _spool(self, tally: Tally) -> dict[str, Any]:
        return {
            "items": tally.items,
            "bytes": tally.bytes,
            "oldest": _moment(tally.oldest),
            "lastUpload": _moment(self._courier.last_upload),
            "errors": {"accept": _short(self._acceptor.trouble), "upload": _short(self._courier.trouble)},
        }

    async def _say(self, spool: dict[str, Any]) -> None:
        if spool == self._said:
            return
        try:
            await self._hub.report({"spool": spool})
            self._said = spool
        except HubRefusedError as error:
            log.error("reported properties were not taken: %s", error)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _short(text: str | None) -> str | None:
    return text and text[:MOST_CHARACTERS]
