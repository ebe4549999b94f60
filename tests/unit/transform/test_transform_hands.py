"""Many pieces in few threads: one that hangs, or all of them."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from edge_common.errors import ItemError
from edge_transform.errors import OverdueError
from edge_transform.hands import Piece, work_off
from edge_transform.stopwatch import Stopwatch


@pytest.fixture
def enough() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def endless(enough: Event, stopwatch: Stopwatch) -> int:
    stopwatch.start()
    while not enough.is_set():
        time.monotonic()
    return 0


def failing(_: Stopwatch) -> int:
    raise ItemError("BAD", "it is bad")


def without_memory(_: Stopwatch) -> int:
    raise MemoryError


async def test_what_comes_of_pieces() -> None:
    pieces: list[Piece[int]] = [Piece(lambda _, n=n: n) for n in range(100)]  # type: ignore[misc]
    pieces[10:12] = [Piece(failing), Piece(without_memory)]
    with ThreadPoolExecutor(2) as pool:
        await work_off(pieces, 2, pool, 10)
    outcomes = [piece.outcome for piece in pieces]
    assert [one.code for one in outcomes if isinstance(one, ItemError)] == ["BAD", "NO_MEMORY"]
    assert [*outcomes[:10], *outcomes[12:]] == [*range(10), *range(12, 100)]


async def test_where_no_thread_is_left_the_rest_stays_without_an_outcome(enough: Event) -> None:
    pieces = [Piece(lambda watch: endless(enough, watch)) for _ in range(3)]
    with ThreadPoolExecutor(1) as pool:
        await work_off(pieces, 2, pool, 0.1)
        enough.set()
    given_up, *others = [piece.outcome for piece in pieces]
    assert isinstance(given_up, OverdueError)
    assert others == [None, None]


async def test_what_nobody_waits_for_is_not_begun() -> None:
    begun, go_on = [Event() for _ in range(3)], Event()

    def piece(number: int) -> Piece[bool]:
        def work(_: Stopwatch) -> bool:
            begun[number].set()
            return go_on.wait(60)

        return Piece(work)

    with ThreadPoolExecutor(1) as pool:
        working = asyncio.create_task(work_off([piece(number) for number in range(3)], 1, pool, 10))
        await asyncio.to_thread(begun[0].wait, 60)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        go_on.set()
    assert [each.is_set() for each in begun] == [True, False, False]


async def test_what_is_broken_is_raised() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        await work_off([Piece(lambda _: 1 // 0)], 1, pool, 10)
