"""Bytes a second."""

import asyncio

from edge_upload.sinks.blob.throttle import Bucket, Throttle
from support.upload import HurriedClock


def test_without_a_rate_nothing_waits() -> None:
    bucket = Bucket()
    bucket.take(1 << 40)
    assert bucket.wait(0.0) == 0


def test_what_was_sent_is_paid_for_before_the_next() -> None:
    bucket = Bucket()
    bucket.rate = 100
    assert bucket.wait(0.0) == 0
    bucket.take(1000)
    assert bucket.wait(0.0) == 10
    assert bucket.wait(4.0) == 6
    bucket.rate = 600
    assert bucket.wait(4.0) == 1
    assert bucket.wait(50.0) == 0


def test_idle_time_is_not_saved_up() -> None:
    bucket = Bucket()
    bucket.rate = 100
    assert bucket.wait(1000.0) == 0
    bucket.take(500)
    assert bucket.wait(1000.0) == 5


async def test_pieces_sent_together_keep_to_the_rate() -> None:
    clock = HurriedClock()
    throttle = Throttle(clock)
    throttle.limit(1000)
    await asyncio.gather(*(throttle.admit(500) for _ in range(21)))
    assert 10 <= clock.monotonic() < 10.1


async def test_a_limit_that_is_lifted_lets_go_those_who_wait() -> None:
    clock = HurriedClock()
    throttle = Throttle(clock)
    throttle.limit(1)
    await throttle.admit(1_000_000)
    waiting = asyncio.create_task(throttle.admit(1))
    await asyncio.sleep(0)
    throttle.limit(None)
    await waiting
    assert clock.monotonic() <= 3
