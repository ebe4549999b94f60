"""The tensor store with its residents: room, turns, and ends."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_common.fakes import FakeClock
from edge_common.messages import Part, Receipt, ReceiptStatus
from edge_common.tensors import HEADER_BYTES, TensorWriter
from edge_transform.store import BatchStore
from support.clocks import PatientClock
from unit.transform.pictures import LUMA, item_of

ROW = np.zeros((1, *LUMA.sample_shape), np.float32)
ROOM = ROW.nbytes + HEADER_BYTES


@pytest.fixture
def clock() -> FakeClock:
    return PatientClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[BatchStore]:
    store = BatchStore(TensorWriter(tmp_path, ROOM), clock)
    yield store
    store.close()


def part(name: str) -> Part:
    return Part(item=item_of(name.encode()), first=0, rows=1)


def put(store: BatchStore, name: str, until: float = 60.0) -> asyncio.Task[bool]:
    return asyncio.create_task(store.put(name, ROW, [part(name)], until))


async def settle(store: BatchStore, name: str) -> None:
    await store.settle([Receipt(id=part(name).item.id, attempt=1, part=0, status=ReceiptStatus.PART)])


def stored(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.npy")}


async def test_batches_wait_for_room_and_get_it_in_turn(tmp_path: Path, store: BatchStore) -> None:
    assert await put(store, "a")
    waiting = {name: put(store, name) for name in "bcd"}
    for before, name in zip("abc", "bcd", strict=True):
        assert stored(tmp_path) == {before}
        await settle(store, before)
        assert await waiting.pop(name)
        assert not any(task.done() for task in waiting.values())
    assert (stored(tmp_path), store.used) == ({"d"}, ROOM)


async def test_a_batch_whose_leases_have_ended_is_given_up(tmp_path: Path, store: BatchStore, clock: FakeClock) -> None:
    assert await put(store, "a")
    late = put(store, "b", until=10)
    await clock.advance(11)
    await settle(store, "a")
    assert not await late
    assert stored(tmp_path) == set()


async def test_a_higher_budget_is_room(store: BatchStore) -> None:
    assert await put(store, "a")
    waiting = put(store, "b")
    store.set_budget(2 * ROOM)
    assert await waiting


async def test_a_batch_that_outgrew_a_lowered_budget_waits_for_a_higher_one(store: BatchStore) -> None:
    store.set_budget(ROOM - 1)
    waiting = put(store, "a")
    await asyncio.sleep(0)
    store.set_budget(ROOM)
    assert await waiting


async def test_once_it_closes_nothing_waits(store: BatchStore) -> None:
    assert await put(store, "a")
    waiting = put(store, "b")
    await asyncio.sleep(0)
    store.stop_waiting()
    assert not await waiting
    assert not await put(store, "c")
    await settle(store, "a")
    assert await put(store, "d")


@pytest.mark.parametrize(("budget", "rows"), [(ROOM - 1, 0), (ROOM, 1), (ROOM + ROW.nbytes, 2)])
def test_rows_that_fit_the_budget(store: BatchStore, budget: int, rows: int) -> None:
    store.set_budget(budget)
    assert store.rows_that_fit(LUMA) == rows


async def test_what_was_there_before_is_counted(tmp_path: Path, clock: FakeClock) -> None:
    TensorWriter(tmp_path, ROOM).write("orphan", ROW)
    store = BatchStore(TensorWriter(tmp_path, ROOM), clock)
    assert store.used == ROOM
    store.close()
