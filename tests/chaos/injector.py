"""Carries a plan out."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.plan import Stroke
from chaos.site import Site


@dataclass(frozen=True)
class Injected:
    """A fault that was injected; times in seconds since the epoch."""

    name: str
    began: float
    ended: float


class Injector:
    """Injects faults and undoes them.

    Args:
        site: What they are done to.

    Attributes:
        done: Those that are over.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._subjects: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.done: list[Injected] = []

    async def run(self, strokes: Sequence[Stroke]) -> None:
        """Carry a plan out; when this returns, nothing of it is left."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for stroke in strokes:
                group.create_task(self._strike(stroke, started))

    async def _strike(self, stroke: Stroke, started: float) -> None:
        await asyncio.sleep(started + stroke.at - time.monotonic())
        # On a busy machine undoing takes longer than was planned for.
        async with self._subjects[stroke.fault.subject], stroke.fault.strike(self._site):
            began = time.time()
            await asyncio.sleep(stroke.lasts)
        self.done.append(Injected(stroke.fault.name, began, time.time()))
