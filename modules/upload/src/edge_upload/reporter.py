"""Keeps operators informed, and the spool's index small."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from edge_common.clock import Clock
from edge_common.errors import HubRefusedError
from edge_common.hub import Hub
from edge_upload.acceptor import Acceptor
from edge_upload.cargo import Cargo
from edge_upload.carrier import Carrier
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


@dataclass(frozen=True, slots=True)
class Watched:
    """Parts of the module that know of their troubles.

    Attributes:
        acceptor: Why results are deferred.
        courier: Why nothing is uploaded.
        carrier: Why originals are not.
    """

    acceptor: Acceptor
    courier: Courier
    carrier: Carrier


class Reporter:
    """Reports property ``spool`` when it has changed.

    Args:
        index: Knows what waits.
        thread: The spool's.
        watched: What is reported on.
        hub: Takes the reports.
        clock: Time.
        metrics: Gauges are set there.
    """

    def __init__(
        self,
        index: Index,
        thread: OneThread,
        watched: Watched,
        hub: Hub,
        clock: Clock,
        metrics: UploadMetrics,
    ) -> None:
        self._index = index
        self._thread = thread
        self._watched = watched
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
            self._metrics.aside.set(tally.aside)
            self._metrics.waiting.labels(Cargo.ORIGINAL).set(tally.originals)
            self._metrics.waiting.labels(Cargo.FEATURES).set(tally.features)
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
            "lastUpload": _moment(self._watched.courier.last_upload),
            "samples": {
                "originals": tally.originals,
                "features": tally.features,
                "givenUp": self._metrics.given_up_samples,
            },
            "aside": tally.aside,
            "errors": {
                "accept": _short(self._watched.acceptor.trouble),
                "upload": _short(self._watched.courier.trouble),
                "originals": _short(self._watched.carrier.trouble),
                "aside": _short(tally.fault),
            },
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
