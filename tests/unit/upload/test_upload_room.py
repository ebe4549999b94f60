"""The spool keeps within its budget, and leaves its disk place for a shard."""

import pytest

from edge_common.errors import ItemError
from edge_upload.room import MARGIN, Limits, Room

MIB = 1 << 20


def room(used: int = 0, *, budget: int = 10 * MIB, shard: int = MIB, free: int = 1 << 40) -> Room:
    return Room(Limits(budget, shard, lambda: free), used)


def test_the_budget_is_used_up_to_the_last_byte() -> None:
    full = room(used=8 * MIB)
    assert full.take(2 * MIB)
    assert not full.take(1)


def test_what_does_not_fit_takes_nothing() -> None:
    nearly = room(used=9 * MIB)
    assert not nearly.take(2 * MIB)
    assert nearly.take(MIB)


def test_a_full_disk_takes_nothing_while_the_budget_would() -> None:
    enough = 2 * 1000 + MIB + MARGIN
    assert room(used=5 * MIB, free=enough).take(1000)
    assert not room(used=5 * MIB, free=enough - 1).take(1000)


def test_what_never_fits_is_refused() -> None:
    with pytest.raises(ItemError) as caught:
        room().take(10 * MIB + 1)
    assert caught.value.code == "TOO_LARGE"
