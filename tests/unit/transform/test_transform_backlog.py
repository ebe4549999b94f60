"""The items that wait: their order, their attempts, their time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_common.messages import MAX_BODY_BYTES, Part, TensorsMessage
from edge_transform import backlog
from edge_transform.backlog import Backlog, Waiting
from unit.transform.pictures import item_of

AGE = 0.02


def waiting(name: str, since: float = 0.0, lease: float = 60.0, attempt: int = 1, *, suspect: bool = False) -> Waiting:
    return Waiting(item_of(b"", name, attempt), since, since + lease, suspect)


def names(batch: list[Waiting]) -> list[str]:
    return [entry.item.path for entry in batch]


def filled(*entries: Waiting) -> Backlog:
    result = Backlog()
    for entry in entries:
        assert result.add(entry)
    return result


def test_items_are_taken_in_the_order_in_which_they_came() -> None:
    items = filled(*(waiting(name) for name in "dacb"))
    assert names(items.take(3)) == ["d", "a", "c"]
    assert names(items.take(3)) == ["b"]
    assert items.take(3) == []


def test_a_suspect_is_taken_alone() -> None:
    items = filled(*(waiting(name, suspect=name.isupper()) for name in "abCDe"))
    assert [names(items.take(9)) for _ in range(4)] == [["a", "b"], ["C"], ["D"], ["e"]]


@pytest.mark.parametrize(
    ("entries", "now", "due"),
    [
        ((), 5.0, None),
        ((1.0,), 1.0, AGE),
        ((1.0,), 1.015, 0.005),
        ((1.0,), 1.02, 0.0),
        ((1.0,), 9.0, 0.0),
        ((1.0, 1.01), 1.01, 0.01),
        ((1.0, 1.0, 1.0), 1.0, 0.0),
        ((1.0, 1.0, 1.0, 1.0), 1.0, 0.0),
    ],
)
def test_a_batch_is_due_when_it_is_full_or_old_enough(
    entries: tuple[float, ...], now: float, due: float | None
) -> None:
    items = filled(*(waiting(str(number), since) for number, since in enumerate(entries)))
    assert items.due_in(now, 3, AGE) == (None if due is None else pytest.approx(due))


def test_a_newer_attempt_replaces_the_older() -> None:
    items = filled(waiting("a"), waiting("b"), waiting("a", since=5, attempt=2))
    assert [(entry.item.path, entry.item.attempt, entry.since) for entry in items.take(9)] == [("b", 1, 0), ("a", 2, 5)]


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_older_or_repeated_attempt_changes_nothing(attempt: int) -> None:
    first = waiting("a", attempt=2)
    assert filled(first, waiting("a", since=5, attempt=attempt)).take(9) == [first]


def test_items_whose_lease_has_ended_are_dropped() -> None:
    items = filled(waiting("a", lease=10), waiting("b", lease=11), waiting("c", lease=9))
    assert items.drop_expired(8.9) == 0
    assert items.drop_expired(10) == 2
    assert names(items.take(9)) == ["b"]


def test_what_is_over_the_most_is_refused_but_newer_attempts_are_not() -> None:
    items = filled(*(waiting(str(number)) for number in range(backlog.MOST_ITEMS)))
    assert not items.add(waiting("one more"))
    assert items.add(waiting("7", attempt=2))
    assert len(items) == backlog.MOST_ITEMS


@given(st.lists(st.integers(1, 900), min_size=1, max_size=120), st.integers(1, 1024))
def test_a_batch_is_no_more_than_one_message_can_name(lengths: list[int], most: int) -> None:
    items = filled(*(waiting(f"{number}-".ljust(length, "ü")) for number, length in enumerate(lengths)))
    taken = 0
    while batch := items.take(most):
        assert len(batch) <= most
        parts = tuple(Part(item=entry.item, first=row, rows=1) for row, entry in enumerate(batch))
        message = TensorsMessage(batch="0" * 32, stamp="0" * 64, parts=parts)
        assert len(message.encode()) <= MAX_BODY_BYTES
        taken += len(batch)
    assert taken == len(lengths)
