"""Sees to it that no module outlives its simulator, however that ends.

A process of its own waits for the end of the pipe from the simulator, which comes even when that dies by SIGKILL.
Then it kills every process with the simulator's mark in its environment: the modules, and all that they started.
(PR_SET_PDEATHSIG would reach the modules alone, and not their children.) It runs by its path, without the package.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_VARIABLE: Final = "EDGE_SIMULATOR_RUN"
_PAUSE_S: Final = 0.02
"""Between two looks, in which what was killed ends."""


@contextmanager
def guard() -> Iterator[Mapping[str, str]]:
    """Give the environment that marks a process as one of ours; none of them is left at the end."""
    mark = secrets.token_hex(16)
    command = [sys.executable, "-I", "-S", __file__, f"{_VARIABLE}={mark}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=unmarked()):  # noqa: S603 (our own file)
        yield {_VARIABLE: mark}


def unmarked() -> dict[str, str]:
    """Return this process's environment for a guard: another one, over this simulator itself, must not find it."""
    return {name: value for name, value in os.environ.items() if name != _VARIABLE}


def _main(mark: bytes) -> None:
    sys.stdin.buffer.read()
    # A process can appear between two looks at /proc, so a second one must find nothing, too.
    while _kill(mark) or _kill(mark):
        pass


def _kill(mark: bytes) -> bool:
    """Kill whatever carries the mark, and say whether there was anything."""
    found = list(_marked(mark))
    for process in found:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.kill(process, signal.SIGKILL)
    time.sleep(_PAUSE_S)
    return bool(found)


def _marked(mark: bytes) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):  # it has ended, or is another user's, and so none of ours
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


if __name__ == "__main__":
    _main(sys.argv[1].encode())
