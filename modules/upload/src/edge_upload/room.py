"""How much more the spool may take."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_common.errors import ItemError

FreeBytes = Callable[[], int]
"""Says how many bytes a disk can still take."""

MOST_PART_BYTES: Final = 512 << 20
"""SQLite holds values of up to a billion bytes."""

MARGIN: Final = 4 << 20
"""Bytes of the disk that are left for the database's log."""


def disk_of(folder: Path) -> FreeBytes:
    """The disk that a folder is on."""
    return lambda: shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Room:
    """The spool's limits.

    A spool that fills its disk could not cut the shard that would empty it; so the place for a shard is kept free.

    Attributes:
        budget: Bytes that the spool may hold.
        shard: Bytes that a shard may take.
        free: Of the spool's disk.
    """

    budget: int
    shard: int
    free: FreeBytes

    def fits(self, used: int, size: int) -> bool:
        """Whether so many bytes fit beside those that are used.

        Raises:
            ItemError: They will never fit.
        """
        if size > min(self.budget, MOST_PART_BYTES):
            raise ItemError("TOO_LARGE", f"{size} bytes of results are over the spool's budget")
        total = used + size
        # Twice the size: it goes through the database's log.
        return total <= self.budget and self.free() >= 2 * size + min(self.shard, total) + MARGIN
