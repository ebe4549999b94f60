"""Whatever comes is stored, rejected or counted as malformed; it stops neither the intake nor a shard."""

import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_common.errors import MalformedMessageError
from edge_common.hub import Received
from edge_upload import parquet
from edge_upload.records import Layout, Record, arrivals, columns_of
from edge_upload.shards import Entry
from support.upload import NOON, STAMP, item, predicted, predictions

VALID: Any = json.loads(predictions(predicted(item("a"))))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read(body: bytes, kind: str = "classification") -> None:
    """Read a message as the module does."""
    for arrival in arrivals(Received("records", body, {"kind": kind})):
        assert arrival.record.rows >= 1


@given(st.binary(max_size=200), st.sampled_from(["tensors", "classification"]))
def test_bytes_are_no_message(body: bytes, kind: str) -> None:
    with pytest.raises(MalformedMessageError):
        read(body, kind)


def test_half_a_surrogate_is_no_text() -> None:
    body = json.dumps({**VALID, "kind": "kind"}).replace('"kind"', '"\\ud800"').encode()
    with pytest.raises(MalformedMessageError):
        read(body)


@given(st.sampled_from(sorted(VALID)), JSON)
def test_a_message_with_one_wrong_field_is_malformed_or_taken(field: str, value: Any) -> None:
    body = json.dumps({**VALID, field: value}).encode()
    try:
        read(body)
    except MalformedMessageError:
        return


@given(st.sampled_from(["part", "rows", "first"]), st.integers(min_value=2**31))
def test_numbers_that_no_column_holds_are_malformed(field: str, value: int) -> None:
    part = {**VALID["parts"][0], field: value}
    with pytest.raises(MalformedMessageError):
        read(json.dumps({**VALID, "parts": [part]}).encode())


@given(
    st.lists(st.dictionaries(st.text(max_size=8), JSON, max_size=4), min_size=1, max_size=4),
    st.datetimes(timezones=st.timezones()),
)
def test_whatever_a_model_says_fits_a_shard(said: list[dict[str, Any]], captured: Any) -> None:
    seen = item("a").model_copy(update={"captured": captured})
    record = Record(item=seen, part=0, rows=len(said), kind="odd", stamp=STAMP, predictions=tuple(said))
    restored = Record.model_validate_json(record.model_dump_json(exclude_none=True))
    file = io.BytesIO()
    parquet.write(file, Layout(columns=columns_of(record)), [Entry(7, 1, NOON, restored, None)])
    assert pq.ParquetFile(file).metadata.num_rows == len(said)
