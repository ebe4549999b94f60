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
class Limits:
    """What the spool may take.

    Attributes:
        budget: Bytes in all.
        shard: Bytes that a shard may take.
        free: Of the spool's disk.
    """

    budget: int
    shard: int
    free: FreeBytes


class Room:
    """What the spool may still take in one transaction, at whose start it is seen what the disk has.

    A spool that filled its disk could not cut the shard that would empty it; so place for a shard is kept free.

    Args:
        limits: The limits.
        used: Bytes that the spool holds.

    Attributes:
        used: Likewise, with what was taken since.
    """

    def __init__(self, limits: Limits, used: int) -> None:
        self._limits = limits
        self._free = limits.free()
        self.used = used

    def take(self, size: int) -> bool:
        """Take so many bytes, if they fit beside those that are there.

        Raises:
            ItemError: They will never fit.
        """
        self.check(size)
        total = self.used + size
        needed = 2 * size + min(self._limits.shard, total) + MARGIN  # what is stored passes through a log
        fits = total <= self._limits.budget and needed <= self._free
        if fits:
            self.used = total
            self._free -= 2 * size
        return fits

    def lacks(self, size: int) -> int:
        """How many bytes over the budget that would be; that the disk is full is no matter of what the spool holds."""
        return max(0, self.used + size - self._limits.budget)

    def check(self, size: int, *, whole: int = 0) -> None:
        """Make sure that something can fit at all.

        Args:
            size: Bytes of a part.
            whole: Bytes of its item, as far as it has come.

        Raises:
            ItemError: They will never fit.
        """
        if size > MOST_PART_BYTES or max(size, whole) > self._limits.budget:
            raise ItemError("TOO_LARGE", f"{max(size, whole)} bytes of results are over the spool's budget")
