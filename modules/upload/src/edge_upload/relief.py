"""What can go from a spool that is over its budget. All methods block, within a transaction on the spool's thread."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from edge_common.messages import Item, Receipt
from edge_upload.cargo import Cargo
from edge_upload.database import Database
from edge_upload.history.events import Events
from edge_upload.index import ASSEMBLING, Index
from edge_upload.metrics import UploadMetrics

log = logging.getLogger(__name__)

IDLE: Final = timedelta(seconds=60)
"""An attempt of which no part has come for so long makes room; ingest sends the item anew."""

LOWEST_FIRST: Final = (
    (Cargo.FEATURES, False),
    (Cargo.FEATURES, True),
    (Cargo.ORIGINAL, False),
    (Cargo.ORIGINAL, True),
)
"""Features before originals, from which they can be made again, and which take next to no room here."""


class Relief:
    """Makes room.

    Args:
        database: The spool's.
        index: Knows the items.
        events: Where it is written down which originals are given up.
        metrics: Counts what is given up.
    """

    def __init__(self, database: Database, index: Index, events: Events, metrics: UploadMetrics) -> None:
        self._database = database
        self._index = index
        self._events = events
        self._metrics = metrics

    def abandon(self, item: Item, now: datetime) -> None:
        """Let go of attempts that have come to a halt, but not of the one that an item is in."""
        self._database.execute(
            "DELETE FROM items WHERE state = ? AND changed < ? AND NOT (id = ? AND attempt = ?)",
            [ASSEMBLING, (now - IDLE).timestamp(), item.id, item.attempt],
        )

    def drop(self, size: int, now: datetime) -> Iterator[Receipt]:
        """Give up samples of the lowest value, until so many bytes are free or none is left.

        Returns:
            Receipts for items of which nothing else waits.
        """
        dropped = list(self._lowest(size))
        for number, _, cargo in dropped:
            if cargo is Cargo.ORIGINAL:
                self._events.dropped(number, now)
            self._database.execute("DELETE FROM parts WHERE number = ?", [number])
            self._metrics.give_up(cargo, "dropped")
        if dropped:
            log.warning("the spool is full: %s samples are given up", len(dropped))
        return self._index.finish({item for _, item, _ in dropped}, now)

    def _lowest(self, size: int) -> Iterator[tuple[int, int, Cargo]]:
        query = "SELECT number, item, bytes FROM going WHERE cargo = ? AND hard = ? ORDER BY date, layout, number"
        freed = 0
        for cargo, hard in LOWEST_FIRST:
            for number, item, freeing in self._database.execute(query, [cargo, hard]):
                if freed >= size:
                    return
                freed += freeing
                yield number, item, cargo
