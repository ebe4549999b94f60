"""Which batches live in the store, and what ends their stay."""

import pytest

from edge_common.messages import Item, Part, Receipt, ReceiptStatus
from edge_transform.residents import Residents
from unit.transform.pictures import item_of

A, B = item_of(b"a"), item_of(b"b")


def part(item: Item, number: int = 0) -> Part:
    return Part(item=item, part=number, first=0, rows=1)


def receipt(
    item: Item, status: ReceiptStatus = ReceiptStatus.ACCEPTED, number: int | None = 0, attempt: int = 1
) -> Receipt:
    return Receipt(id=item.id, attempt=attempt, part=number, status=status)


def test_a_batch_leaves_when_the_last_of_its_parts_has_a_receipt() -> None:
    residents = Residents()
    residents.add("one", [part(A), part(B)], until=100)
    assert residents.settle(receipt(A)) == []
    assert residents.settle(receipt(A)) == []
    assert residents.settle(receipt(B)) == ["one"]
    assert residents.settle(receipt(B)) == []
    assert residents.expire(1000) == []


@pytest.mark.parametrize("status", [ReceiptStatus.DEFERRED, ReceiptStatus.UNKNOWN])
def test_what_is_not_on_uploads_disk_stays(status: ReceiptStatus) -> None:
    residents = Residents()
    residents.add("one", [part(A)], until=100)
    assert residents.settle(receipt(A, status)) == []
    assert residents.expire(100) == ["one"]


def test_a_receipt_of_another_attempt_or_item_is_not_its() -> None:
    residents = Residents()
    residents.add("one", [part(A)], until=100)
    assert residents.settle(receipt(A, attempt=2)) == []
    assert residents.settle(receipt(B)) == []


def test_a_receipt_for_a_part_is_for_that_part_alone() -> None:
    residents = Residents()
    residents.add("one", [part(A, 0)], until=100)
    residents.add("two", [part(A, 1)], until=100)
    assert residents.settle(receipt(A, ReceiptStatus.PART, 1)) == ["two"]
    assert residents.settle(receipt(A, ReceiptStatus.PART, None)) == []
    assert residents.settle(receipt(A, ReceiptStatus.PART, 0)) == ["one"]


@pytest.mark.parametrize("status", [ReceiptStatus.ACCEPTED, ReceiptStatus.UPLOADED])
def test_a_receipt_for_the_whole_item_makes_good_for_lost_ones(status: ReceiptStatus) -> None:
    residents = Residents()
    residents.add("one", [part(A, 0)], until=100)
    residents.add("two", [part(A, 1), part(B)], until=100)
    residents.add("three", [part(A, 2)], until=100)
    assert set(residents.settle(receipt(A, status, None))) == {"one", "three"}
    assert residents.settle(receipt(B)) == ["two"]


def test_an_item_that_came_twice_is_in_two_batches() -> None:
    residents = Residents()
    residents.add("one", [part(A)], until=100)
    residents.add("two", [part(A)], until=200)
    assert residents.expire(150) == ["one"]
    assert residents.settle(receipt(A)) == ["two"]


def test_time_ends_a_stay_once() -> None:
    residents = Residents()
    residents.add("orphan", [], until=50)
    residents.add("one", [part(A)], until=100)
    assert residents.expire(49.9) == []
    assert residents.expire(50) == ["orphan"]
    assert residents.expire(100) == ["one"]
    assert residents.expire(100) == []
    assert residents.settle(receipt(A)) == []
