"""Work that goes on side by side."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def together(*works: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do all of it; what fails ends the rest.

    Raises:
        ExceptionGroup: What failed.
    """
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work(), name=work.__qualname__)
