"""Waiting by an injected clock."""

import asyncio

from edge_common.clock import Clock


async def wait_for_event(event: asyncio.Event, seconds: float | None, clock: Clock) -> None:
    """Wait until an event is set, or until so much time has passed if that is not None."""
    if seconds is None:
        await event.wait()
        return
    tasks = [asyncio.create_task(event.wait()), asyncio.create_task(clock.sleep(seconds))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
