"""Threads for what can wait: they give way to those that serve."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_MORE_NICENESS: Final = 10


def background(name: str, count: int = 1) -> ThreadPoolExecutor:
    """Threads of low priority.

    Args:
        name: Seen in stack dumps.
        count: How many.
    """
    return ThreadPoolExecutor(count, name, initializer=_give_way)


def _give_way() -> None:
    thread = threading.get_native_id()  # Linux: priorities are of threads
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _MORE_NICENESS)
