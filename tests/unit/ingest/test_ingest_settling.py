"""Which files have stood still for long enough."""

from math import inf

import pytest

from edge_ingest.settling import EMPTY_PATIENCE, Settling
from edge_ingest.sight import Signature

EMPTY = Signature(0, 1)
HALF = Signature(50, 2)
WHOLE = Signature(100, 3)


@pytest.fixture
def settling() -> Settling:
    return Settling(settle_s=1.0, most=3)


def look(settling: Settling, path: str, signature: Signature, now: float) -> bool:
    """Look at a path, which must be due."""
    assert path in settling.due(now, 10)
    return settling.settled(path, signature, now)


def test_a_file_that_stands_still_is_taken_after_the_settle_time(settling: Settling) -> None:
    settling.note("a", 10.0)
    assert settling.next_due() == 10.0
    assert not look(settling, "a", WHOLE, 10.0)
    assert settling.due(10.9, 10) == []
    assert settling.next_due() == 11.0
    assert look(settling, "a", WHOLE, 11.0)
    assert len(settling) == 0
    assert settling.next_due() == inf


def test_a_file_that_is_written_slowly_is_not_taken_before_its_end(settling: Settling) -> None:
    settling.note("a", 0.0)
    for second in range(100):
        assert not look(settling, "a", Signature(second, second), float(second))
    assert look(settling, "a", Signature(99, 99), 100.0)


def test_the_same_size_with_another_time_is_a_change(settling: Settling) -> None:
    settling.note("a", 0.0)
    assert not look(settling, "a", Signature(100, 1), 0.0)
    assert not look(settling, "a", Signature(100, 2), 1.0)
    assert look(settling, "a", Signature(100, 2), 2.0)


def test_a_file_that_was_renamed_into_place_is_taken_at_once(settling: Settling) -> None:
    settling.note("a", 0.0, in_place=True)
    assert look(settling, "a", WHOLE, 0.0)


def test_an_empty_file_is_given_more_time_wherever_it_came_from(settling: Settling) -> None:
    settling.note("a", 0.0, in_place=True)
    for second in range(EMPTY_PATIENCE):
        assert not look(settling, "a", EMPTY, float(second))
    assert look(settling, "a", EMPTY, float(EMPTY_PATIENCE))


def test_an_empty_file_that_is_written_to_has_to_settle_like_any_other(settling: Settling) -> None:
    settling.note("a", 0.0)
    assert not look(settling, "a", EMPTY, 0.0)
    assert not look(settling, "a", WHOLE, 1.0)
    assert look(settling, "a", WHOLE, 2.0)


def test_closing_a_file_starts_its_time_anew_only_if_it_has_changed(settling: Settling) -> None:
    settling.note("a", 0.0)
    assert not look(settling, "a", HALF, 0.0)
    settling.note("a", 0.4)
    assert not look(settling, "a", WHOLE, 0.4)
    settling.note("a", 0.6)
    assert not look(settling, "a", WHOLE, 0.6)
    assert look(settling, "a", WHOLE, 1.4)


def test_what_happens_while_we_look_is_not_overlooked(settling: Settling) -> None:
    settling.note("a", 0.0, in_place=True)
    assert settling.due(0.0, 10) == ["a"]
    settling.note("a", 0.1)
    assert not settling.settled("a", WHOLE, 0.1)
    assert not look(settling, "a", WHOLE, 0.1)
    assert look(settling, "a", WHOLE, 1.1)


def test_a_scan_does_not_disturb_what_is_watched_already(settling: Settling) -> None:
    settling.note("a", 0.0)
    assert not look(settling, "a", HALF, 0.0)
    settling.saw("a", WHOLE, 0.9)
    assert settling.next_due() == 1.0


def test_a_scan_counts_as_the_first_look(settling: Settling) -> None:
    settling.saw("a", WHOLE, 0.0)
    assert settling.due(0.5, 10) == []
    assert look(settling, "a", WHOLE, 1.0)


def test_there_is_room_for_so_many_paths(settling: Settling) -> None:
    assert all(settling.note(path, 0.0) for path in "abc")
    assert settling.full
    assert not settling.note("d", 0.0)
    assert settling.note("a", 0.0)
    settling.forget("a")
    assert settling.note("d", 0.0)


def test_due_paths_come_in_the_order_of_their_times_and_so_many_at_a_time(settling: Settling) -> None:
    settling.note("late", 2.0)
    settling.note("early", 1.0)
    settling.note("later", 3.0)
    assert settling.due(2.5, 1) == ["early"]
    assert settling.due(2.5, 10) == ["late"]


def test_what_is_forgotten_is_not_due(settling: Settling) -> None:
    settling.note("a", 0.0)
    settling.forget("a")
    assert settling.due(1.0, 10) == []
    assert not settling.settled("a", WHOLE, 1.0)
