"""Small messages leave at once: Nagle's algorithm is switched off where the SDK offers no way to do so."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

DESCRIPTORS: Final = Path("/proc/self/fd")


def send_at_once() -> None:
    """Set ``TCP_NODELAY`` on every TCP connection that this process has now.

    Otherwise a message waits for the acknowledgement of what was sent before, which the other side's kernel delays for
    40 ms where it has nothing to send itself.
    """
    for descriptor in DESCRIPTORS.iterdir():
        with suppress(OSError):  # closed meanwhile
            _set(int(descriptor.name))


def _set(descriptor: int) -> None:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    with socket.socket(fileno=os.dup(descriptor)) as same:
        if same.family in {socket.AF_INET, socket.AF_INET6} and same.type == socket.SOCK_STREAM:
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
