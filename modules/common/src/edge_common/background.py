"""Threads for what can wait: they give way to those that serve."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_MORE_NICENESS: Final = 10


def background(name: str) -> ThreadPoolExecutor:
    """One thread of low priority.

    Args:
        name: Seen in stack dumps.
    """
    return ThreadPoolExecutor(1, name, initializer=_give_way)


def _give_way() -> None:
    thread = threading.get_native_id()  # Linux: priorities are of threads
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _MORE_NICENESS)
