"""Work that is done whole, though it waits in the middle."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def undivided(work: Coroutine[Any, Any, T]) -> T:
    """Do work to its end; cancelling takes effect only then, whatever has come of the work."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
