"""Who has the processors (proc_pid_stat(5), proc_stat(5))."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORES: Final = len(os.sched_getaffinity(0))
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_USED: Final = (0, 1, 2, 5, 6, 7)
"""Fields of ``/proc/stat``: user, nice, system, irq, softirq, steal."""


def seconds_of(pid: int) -> float:
    """CPU seconds of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def family(pid: int) -> Sequence[int]:
    """A process and all that descend from it."""
    parents = {int(path.parent.name): _parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    found = [pid]
    for member in found:  # which grows meanwhile
        found.extend(child for child, parent in parents.items() if parent == member)
    return found


def resident_mib(pid: int) -> float:
    """MiB of a process' own memory that are in RAM."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


@dataclass(frozen=True)
class Busy:
    """CPU seconds of the whole machine at one time."""

    at: float
    seconds: float

    @classmethod
    def now(cls) -> "Busy":
        """Look."""
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        return cls(time.monotonic(), sum(int(fields[each]) for each in _USED) / _TICKS)

    def others(self, own: Iterable[float]) -> float:
        """How many CPUs others have kept busy since then.

        Args:
            own: CPU seconds since then of all that was measured, and of what measured it.
        """
        now = Busy.now()
        return max(0.0, (now.seconds - self.seconds - sum(own)) / (now.at - self.at))


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
