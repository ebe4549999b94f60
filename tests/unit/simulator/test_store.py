"""What the hub keeps on disk."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_simulator.routing import UPSTREAM, Delivery, Endpoint, Message, ModuleInput
from edge_simulator.store.database import Database
from edge_simulator.store.queue import UPSTREAM_MODULE, Queue
from edge_simulator.store.sessions import Subscriptions
from edge_simulator.store.twins import Twin, TwinStore
from support.mqtt import Clock

INPUT = ModuleInput("m", "i")
OTHER = ModuleInput("m", "other")
LOW = 2_000_000_000


class Store:
    """A queue on a file, which can be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.open()

    def open(self) -> None:
        self.database = Database(self.path)
        self.queue = Queue(self.database, self.clock)

    def put(self, body: bytes, endpoint: Endpoint = INPUT, priority: int = LOW, ttl_s: int = 100) -> None:
        message = Message("/messages/modules/s/outputs/o", {"k": "v", "flag": None}, {"messageId": "1"}, body)
        self.queue.put(message, Delivery(endpoint, priority, None), ttl_s)

    def bodies(self, module: str = "m", limit: int = 100) -> list[bytes]:
        return [queued.body for queued in self.queue.peek(module, limit)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "hub.sqlite")
    yield store
    store.database.close()


def test_a_message_comes_back_whole(store: Store) -> None:
    store.put(b"\x00\xff")
    (queued,) = store.queue.peek("m", 10)
    assert (queued.input, queued.body) == ("i", b"\x00\xff")
    assert (queued.properties, queued.system_properties) == ({"k": "v", "flag": None}, {"messageId": "1"})


def test_first_in_first_out_within_a_priority(store: Store) -> None:
    for body, priority in ((b"1", LOW), (b"2", 1), (b"3", LOW), (b"4", 0), (b"5", 1)):
        store.put(body, priority=priority)
    assert store.bodies() == [b"4", b"2", b"5", b"1", b"3"]


def test_no_more_than_asked_for(store: Store) -> None:
    for number in range(5):
        store.put(b"%d" % number)
    assert store.bodies(limit=2) == [b"0", b"1"]


def test_what_is_under_way_is_left_out(store: Store) -> None:
    for number in range(4):
        store.put(b"%d" % number)
    first, _, third = store.queue.peek("m", 3)
    assert [queued.body for queued in store.queue.peek("m", 3, without=[first.row, third.row])] == [b"1", b"3"]


def test_what_has_arrived_is_gone(store: Store) -> None:
    store.put(b"1")
    store.put(b"2")
    store.queue.remove(store.queue.peek("m", 1)[0].row)
    assert store.bodies() == [b"2"]


def test_modules_and_the_cloud_have_their_own_queues(store: Store) -> None:
    store.put(b"m")
    store.put(b"n", ModuleInput("n", "i"))
    store.put(b"up", UPSTREAM)
    assert [store.bodies(name) for name in ("m", "n", UPSTREAM_MODULE)] == [[b"m"], [b"n"], [b"up"]]
    assert store.queue.counts() == {("m", "i"): 1, ("n", "i"): 1, (UPSTREAM_MODULE, ""): 1}


def test_messages_expire(store: Store) -> None:
    store.put(b"short", ttl_s=10)
    store.put(b"long", ttl_s=11)
    store.put(b"for ever", ttl_s=-1)
    store.clock.now += 10
    assert store.bodies() == [b"long", b"for ever"]
    store.queue.remove_expired()
    assert store.queue.counts() == {("m", "i"): 2}
    store.clock.now += 1e9
    assert store.bodies() == [b"for ever"]


def test_a_removed_endpoint_loses_its_queue_and_starts_empty(store: Store) -> None:
    store.put(b"kept")
    store.put(b"dropped", OTHER)
    store.put(b"dropped", UPSTREAM)
    store.queue.keep_only([INPUT])
    assert store.queue.counts() == {("m", "i"): 1}


def test_rows_are_never_used_twice(store: Store) -> None:
    store.put(b"1")
    (first,) = store.queue.peek("m", 1)
    store.queue.remove(first.row)
    store.put(b"2")
    store.queue.remove(first.row)
    assert store.bodies() == [b"2"]


def test_order_and_rows_go_on_after_a_restart(store: Store) -> None:
    store.put(b"1")
    store.database.close()
    store.open()
    store.put(b"2")
    assert store.bodies() == [b"1", b"2"]


def test_what_is_not_committed_is_lost_with_the_process(store: Store, tmp_path: Path) -> None:
    store.put(b"committed")
    store.database.commit()
    store.put(b"lost")
    copy = tmp_path / "copy.sqlite"
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes(store.path.with_name(store.path.name + suffix).read_bytes())
    after = Store(copy)
    assert after.bodies() == [b"committed"]
    after.database.close()


def test_who_waits_for_the_commit_is_called_after_it_and_in_order(store: Store) -> None:
    calls: list[str] = []
    store.database.after_commit(lambda: calls.append("nothing to wait for"))
    store.put(b"1")
    store.database.after_commit(lambda: calls.append("first"))
    store.database.after_commit(lambda: calls.append("second"))
    assert calls == ["nothing to wait for"]
    store.database.commit()
    store.database.commit()
    assert calls == ["nothing to wait for", "first", "second"]


def test_after_a_failed_write_nobody_is_told_that_it_is_safe(store: Store) -> None:
    calls: list[str] = []
    store.database.after_commit(lambda: calls.append("before"))
    store.put(b"1")
    store.database.after_commit(lambda: calls.append("after"))
    with pytest.raises(sqlite3.OperationalError):
        store.database.write("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError):
        store.database.commit()
    store.database.close()
    assert calls == ["before"]


async def test_a_failed_write_ends_the_committing(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError):
        store.database.write("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError):
        await store.database.keep_committing()


async def test_a_turn_of_the_event_loop_is_one_commit(store: Store) -> None:
    committed: list[int] = []
    committing = asyncio.create_task(store.database.keep_committing())
    await asyncio.sleep(0)
    for number in range(3):
        store.put(b"%d" % number)
        store.database.after_commit(lambda: committed.append(store.database._connection.total_changes))
    assert committed == []
    await asyncio.sleep(0)
    assert committed == [3, 3, 3]
    committing.cancel()


def test_subscriptions(store: Store) -> None:
    subscriptions = Subscriptions(store.database)
    subscriptions.add("edge/m", "a/#", 1)
    subscriptions.add("edge/m", "b", 0)
    subscriptions.add("edge/m", "a/#", 0)
    subscriptions.add("edge/n", "c", 1)
    assert subscriptions.of("edge/m") == {"a/#": 0, "b": 0}
    subscriptions.remove("edge/m", "a/#")
    subscriptions.clear("edge/n")
    assert (subscriptions.of("edge/m"), subscriptions.of("edge/n")) == ({"b": 0}, {})


def test_twins(store: Store) -> None:
    twins = TwinStore(store.database)
    twin = Twin({"a": 1}, {"a": 2}, 3, {"ä": None}, 4)
    twins.save("m", Twin({}, {}, 1, {}, 1))
    twins.save("m", twin)
    assert twins.load() == {"m": twin}
