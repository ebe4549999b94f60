"""Whether others kept the processors busy meanwhile: then a measurement is not kept."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

MOST: Final = 0.15
"""Of all processors' time, which others may have had."""

_ROOT: Final = Path("/")
_IDLE: Final = (3, 4)
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Moment:
    """What was used until now, in seconds.

    Attributes:
        busy: By all processes, on all processors.
        total: That there was.
        own: By this process.
    """

    busy: float
    total: float
    own: float

    @classmethod
    def now(cls, root: Path = _ROOT) -> Self:
        """From ``/proc/stat``: https://docs.kernel.org/filesystems/proc.html#miscellaneous-kernel-statistics-in-proc-stat.

        Args:
            root: Where ``/proc`` is.
        """
        with (root / "proc/stat").open() as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        total = sum(ticks)
        return cls((total - sum(ticks[place] for place in _IDLE)) / _TICKS, total / _TICKS, time.process_time())

    def quiet_since(self, before: Self) -> bool:
        """Whether others had little since then."""
        others = (self.busy - before.busy) - (self.own - before.own)
        return others <= MOST * (self.total - before.total)
