"""How many processors this process may use: those of its affinity, no more than its control group's quota.

``cpu.max`` of control group v2: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files.
"""

import math
import os
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")


def usable(root: Path = _ROOT) -> int:
    """The whole number of them, at least one.

    Args:
        root: Where ``/sys`` is.
    """
    there = len(os.sched_getaffinity(0))
    try:
        quota, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
    except FileNotFoundError:
        return there
    return there if quota == "max" else max(1, min(there, math.ceil(int(quota) / int(period))))
