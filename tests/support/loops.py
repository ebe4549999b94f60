"""An event loop that knows what its threads still have to do, so that a test's time does not outrun their work."""

import asyncio
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")

HOPS = 20
PATIENCE_S = 0.5
"""How long threads are waited for; what a test holds on purpose takes longer."""


class WatchedLoop(asyncio.SelectorEventLoop):
    """The loop that tests run in."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        super().__init__()
        self.at_work: set[Future[Any]] = set()

    def time(self) -> float:
        """As any loop's, and what was leaped over."""
        return super().time() + self.ahead_s

    def run_in_executor(self, executor: Executor | None, func: Callable[[Unpack[Ts]], Any], *args: *Ts) -> Future[Any]:
        """As any loop does; what is given to a thread is remembered until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.at_work.add(future)
        future.add_done_callback(self.at_work.discard)
        return future


async def rest() -> None:
    """Wait until tasks and threads have done all that they can do before time passes.

    Raises:
        TypeError: The loop is not a watched one.
    """
    loop = _watched()
    held: set[Future[Any]] = set()
    while True:
        for _ in range(HOPS):
            await asyncio.sleep(0)
        if not (at_work := loop.at_work - held):
            return
        _, held = await asyncio.wait(at_work, timeout=PATIENCE_S)


async def leap(seconds: float) -> None:
    """Let so much time pass at once, for whoever is to be called later by the loop.

    Raises:
        TypeError: The loop is not a watched one.
    """
    await rest()
    _watched().ahead_s += seconds
    await rest()


def _watched() -> WatchedLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, WatchedLoop):
        raise TypeError("only a watched loop can be waited for")
    return loop
