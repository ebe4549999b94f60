"""Many small pieces of work in few threads.

Each thread takes the next piece as soon as it has done one: so a piece costs no change of threads, and one that does
not end keeps no other from being done.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from edge_common.errors import ItemError
from edge_transform.errors import OverdueError, no_memory
from edge_transform.stopwatch import Stopwatch

T = TypeVar("T")

LOOK_S: Final = 1.0
"""How often it is seen to how long pieces take."""


@dataclass(slots=True)
class Piece(Generic[T]):
    """Something to do.

    Attributes:
        work: Does it; starts the stopwatch where its CPU time begins to count.
        stopwatch: Its own.
        outcome: What came of it; None while nothing has.
    """

    work: Callable[[Stopwatch], T]
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    outcome: T | ItemError | None = None

    def do(self) -> T | ItemError:
        """Do it, on this thread."""
        try:
            return self.work(self.stopwatch)
        except ItemError as error:
            return error
        except MemoryError:
            return no_memory()


class _Hand(Generic[T]):
    """One thread's turn."""

    def __init__(self, todo: deque[Piece[T]]) -> None:
        self._todo = todo
        self.at: Piece[T] | None = None
        self.dismissed = False

    def run(self) -> None:
        while not self.dismissed:
            try:
                self.at = self._todo.popleft()
            except IndexError:
                return
            outcome = self.at.do()
            if not self.dismissed:
                self.at.outcome = outcome


_AtWork = dict[asyncio.Future[None], _Hand[T]]


async def work_off(pieces: Sequence[Piece[T]], hands: int, pool: ThreadPoolExecutor, seconds: float) -> None:
    """Do all pieces.

    One that takes too long is given up, and its thread with it: its outcome is an OverdueError. Where no thread is
    left, some pieces may stay without an outcome. Cancelled, it leaves what was not begun undone.

    Args:
        pieces: What to do.
        hands: How many threads' turns to take.
        pool: The threads.
        seconds: The CPU time after which a piece is given up.
    """
    todo, loop = deque(pieces), asyncio.get_running_loop()
    at_work = {loop.run_in_executor(pool, hand.run): hand for hand in (_Hand(todo) for _ in pieces[:hands])}
    try:
        while at_work:
            done, _ = await asyncio.wait(at_work, timeout=LOOK_S)
            for ended in done:
                del at_work[ended]
                ended.result()
            _give_up(at_work, seconds)
    finally:
        _dismiss(at_work, [*at_work])  # where nobody waits for the pieces any more


def _give_up(at_work: _AtWork[T], seconds: float) -> None:
    """Go on without the hands that are at a piece for too long."""
    at = {one: hand.at for one, hand in at_work.items()}
    late = {one: piece for one, piece in at.items() if piece and piece.stopwatch.seconds > seconds}
    if late:
        _dismiss(at_work, [*late, *(one for one, piece in at.items() if piece is None)])  # whose thread may be lost
    for piece in late.values():
        piece.outcome = OverdueError(seconds)


def _dismiss(at_work: _AtWork[T], those: Sequence[asyncio.Future[None]]) -> None:
    for one in those:
        at_work.pop(one).dismissed = True
        one.cancel()
