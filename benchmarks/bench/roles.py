"""What the threads of the modules do, how much CPU each kind of them takes, and a drawing of it.

The kernel knows the threads' CPU (proc_pid_schedstat(5)), py-spy their names.
"""

import asyncio
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

EVENT_LOOP: Final = "event loop"
HUB: Final = "SDK, metrics, others"
OWN: Final = ("ledger", "files", "prepare", "store", "caller", "spool", "cutter", "history")
"""Beginnings of the names that the modules give their threads; all others are of libraries."""

MOST_LOOKS: Final = 20
LEAST_LABELLED: Final = 0.03
"""Milliseconds; what is shorter has no place for a label."""


def role_of(thread: str) -> str:
    """What a thread of that name does."""
    if thread == "MainThread":
        return EVENT_LOOP
    name = re.sub(r"_\d+$", "", thread)
    return name if name in OWN else HUB


def seconds_by_thread(pid: int) -> Mapping[int, float]:
    """CPU seconds of each thread of a process until now."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


async def seconds_by_role(pid: int, before: Mapping[int, float]) -> Mapping[str, float]:
    """CPU seconds of the threads of a process since an earlier look, by what they do.

    Raises:
        RuntimeError: py-spy may not look at it.
    """
    now, names = seconds_by_thread(pid), await _names(pid)
    used: defaultdict[str, float] = defaultdict(float)
    for thread, seconds in now.items():
        used[role_of(names.get(thread, ""))] += seconds - before.get(thread, 0.0)
    return used


def draw(milliseconds: Mapping[str, Mapping[str, float]], png: Path) -> None:
    """A bar for each module, cut by roles; in the order in which an item passes the modules.

    Args:
        milliseconds: Of an item, by module and role.
        png: Where it goes.
    """
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axes = figure.subplots()
    roles = [EVENT_LOOP, *OWN, HUB]
    for index, role in enumerate(roles):
        lengths = [used.get(role, 0.0) for used in milliseconds.values()]
        starts = [sum(used.get(other, 0.0) for other in roles[:index]) for used in milliseconds.values()]
        bars = axes.barh([*milliseconds], lengths, left=starts, color=f"C{index}", label=role)
        axes.bar_label(bars, [_label(length) for length in lengths], label_type="center", fontsize=8, color="white")
    axes.invert_yaxis()
    axes.set(xlabel="CPU of an item, milliseconds", xlim=(0, None))
    figure.legend(loc="outside right center", fontsize=8)
    figure.savefig(png, dpi=100)


def _label(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds >= LEAST_LABELLED else ""


async def _names(pid: int) -> Mapping[int, str]:
    """Of a process's threads. One that is looked at without being paused may change under the look: then once more."""
    for _ in range(MOST_LOOKS):
        spy = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("py-spy"),
            *("dump", "--json", "--nonblocking", "--pid", str(pid)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, trouble = await spy.communicate()
        if spy.returncode == 0:
            return {thread["os_thread_id"]: thread["thread_name"] for thread in json.loads(output)}
    raise RuntimeError(f"py-spy could not look at process {pid}: {trouble.decode()}")
