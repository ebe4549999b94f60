"""Room that threads share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from edge_transform.room import Room


def test_what_fits_is_in_use_at_once() -> None:
    room, both = Room(10), Barrier(2)

    def use(amount: int) -> None:
        with room.taken(amount):
            both.wait(60)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(use, [4, 6])) == [None, None]


def test_what_does_not_fit_waits_for_what_is_in_use() -> None:
    room, inside, left = Room(10), Event(), []

    def wait() -> None:
        inside.wait(60)
        with room.taken(7):
            left.append("second")

    with ThreadPoolExecutor(1) as pool:
        with room.taken(4):
            later = pool.submit(wait)
            inside.set()
            left.append("first")
        later.result(60)
    assert left == ["first", "second"]


def test_what_is_larger_than_all_of_it_goes_alone() -> None:
    with Room(10).taken(1000):
        pass


def test_room_that_an_error_leaves_is_free() -> None:
    room = Room(10)
    for _ in range(3):
        try:
            with room.taken(10):
                raise ValueError
        except ValueError:
            pass
    with room.taken(10):
        pass
