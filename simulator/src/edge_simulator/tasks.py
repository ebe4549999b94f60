"""What goes on beside everything else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` until the block ends; what it raises ends the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


async def every(interval_s: float, *actions: Callable[[], None]) -> None:
    """Take actions at intervals, until cancelled."""
    while True:
        await asyncio.sleep(interval_s)
        for action in actions:
            action()
