import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_common.errors import MalformedMessageError
from edge_common.messages import (
    MAX_BODY_BYTES,
    Frame,
    Item,
    ItemsMessage,
    Part,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    chunks,
)


def item(path: str = "a/b.png", attempt: int = 1) -> Item:
    return Item.model_validate(
        {
            "id": "0" * 32,
            "path": path,
            "sha256": "0" * 64,
            "size": 3,
            "captured": "2026-01-01T00:00:00Z",
            "date": "2026-01-01",
            "attempt": attempt,
        }
    )


def test_a_body_survives_the_wire() -> None:
    message = ItemsMessage(lease_seconds=60, items=(item(),))
    assert ItemsMessage.decode(message.encode()) == message


def test_fields_are_camel_case_on_the_wire_and_absent_ones_are_left_out() -> None:
    body = json.loads(ReceiptsMessage(receipts=(Receipt(id="0" * 32, attempt=2, status=ReceiptStatus.PART),)).encode())
    assert body == {"schema": 1, "receipts": [{"id": "0" * 32, "attempt": 2, "status": "part"}]}


def test_fields_of_a_newer_release_are_ignored() -> None:
    body = json.loads(ItemsMessage(lease_seconds=60, items=(item(),)).encode())
    body["novelty"] = body["items"][0]["novelty"] = 1
    assert ItemsMessage.decode(json.dumps(body).encode()).items == (item(),)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"schema": 2}, "schema"),
        ({"items": []}, "items"),
        ({"leaseSeconds": 0}, "leaseSeconds"),
        ({"items": [{"id": "x"}]}, "items.0.id"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(change: dict[str, object], where: str) -> None:
    body = json.loads(ItemsMessage(lease_seconds=60, items=(item(),)).encode()) | change
    with pytest.raises(MalformedMessageError, match=where):
        ItemsMessage.decode(json.dumps(body).encode())


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\0b"])
def test_a_path_cannot_leave_the_share(path: str) -> None:
    body = json.loads(ItemsMessage(lease_seconds=60, items=(item(),)).encode())
    body["items"][0]["path"] = path
    with pytest.raises(MalformedMessageError, match="path"):
        ItemsMessage.decode(json.dumps(body).encode())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        ItemsMessage.decode(body)


@given(st.lists(st.integers(1, 4000), max_size=60), st.integers(1, 40))
def test_chunks_keep_order_and_both_limits(lengths: list[int], most: int) -> None:
    entries = [item("p" * length) for length in lengths]
    runs = list(chunks(entries, most))
    assert [entry for run in runs for entry in run] == entries
    assert all(len(run) <= most for run in runs)
    for run in runs:
        assert len(run) == 1 or len(ItemsMessage(lease_seconds=1, items=tuple(run)).encode()) <= MAX_BODY_BYTES


def test_a_part_has_a_frame_for_each_row_or_one_for_all() -> None:
    one, other = (Frame(width=width, height=1, box=(0, 0, width, 1)) for width in (1, 2))
    part: dict[str, Any] = {"item": item(), "first": 0, "rows": 2}
    assert Part(**part).each_frame == (None, None)
    assert Part(**part, frames=(one,)).each_frame == (one, one)
    assert Part(**part, frames=(one, other)).each_frame == (one, other)
    with pytest.raises(ValidationError, match="3 frames for 2 rows"):
        Part(**part, frames=(one,) * 3)


def test_parts_of_the_release_before_have_no_frames() -> None:
    old = {"item": item().model_dump(mode="json", by_alias=True), "first": 0, "rows": 1}
    assert Part.model_validate(old).each_frame == (None,)
