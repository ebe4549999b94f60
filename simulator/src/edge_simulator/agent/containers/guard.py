"""Sees to it that no container outlives its simulator, however that ends.

A process of its own waits for the end of the pipe from the simulator, which comes even when that dies by SIGKILL, and
then removes what carries the run's label: containers are the engine's children, which `agent.guard` may not reach.
"""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from edge_simulator.agent.containers.client import connect
from edge_simulator.agent.containers.project import remove_run
from edge_simulator.agent.guard import unmarked


@contextmanager
def guard() -> Iterator[str]:
    """Give the run whose containers and networks are gone at the end."""
    run = secrets.token_hex(8)
    command = [sys.executable, "-m", __name__, run]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=unmarked()):  # noqa: S603 (this very file)
        yield run


def _main(run: str) -> None:
    sys.stdin.buffer.read()
    with closing(connect()) as client:
        remove_run(client, run)


if __name__ == "__main__":
    _main(sys.argv[1])
