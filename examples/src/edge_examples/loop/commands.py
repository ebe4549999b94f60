"""The commands of the project, as somebody would type them."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from edge_examples.suite import SuiteError


class Done(NamedTuple):
    """A command that has ended.

    Attributes:
        status: Its exit status.
        lines: What it printed.
    """

    status: int
    lines: list[str]


async def run(environment: Mapping[str, str], *command: str | Path, statuses: frozenset[int] = frozenset({0})) -> Done:
    """Run a command of this environment to its end.

    Args:
        environment: Added to this process's.
        command: Its name, and arguments.
        statuses: Those that are expected.

    Raises:
        SuiteError: It ended with another.
    """
    name, *arguments = map(str, command)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name(name),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        said, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode not in statuses:
        raise SuiteError(f"{' '.join(map(str, command))} ended with {process.returncode}: {complaint.decode().strip()}")
    return Done(process.returncode or 0, said.decode().splitlines())
