"""Shards as files: columns, types, features, memory."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edge_upload.parquet import ROW_GROUP_BYTES, column_names, write
from edge_upload.records import Layout, Record, TensorType, columns_of
from edge_upload.shards import Entry
from support.upload import MODEL, NOON, STAMP, item


def record(*predictions: dict[str, Any], rows: int | None = None, kind: str = "classification") -> Record:
    return Record(
        item=item("a"), part=0, rows=rows or len(predictions), kind=kind, stamp=STAMP, model=MODEL,
        predictions=predictions,
    )  # fmt: skip


def written(layout: Layout, *entries: Entry) -> pa.Table:
    file = io.BytesIO()
    write(file, layout, entries)
    return pq.ParquetFile(file).read()


def test_predictions_become_columns_of_their_types() -> None:
    one = record(
        {"label": "x", "labels": ["x", "y"], "scores": [1, 0.5], "sure": True, "box": {"w": 1}},
        {"label": None, "labels": [], "scores": [], "sure": False},
    )
    table = written(Layout(columns=columns_of(one)), Entry(7, 1, NOON, one, None))
    assert {name: str(table.schema.field(name).type) for name in ("label", "labels", "scores", "sure", "box")} == {
        "label": "string",
        "labels": "list<element: string>",
        "scores": "list<element: double>",
        "sure": "bool",
        "box": "string",
    }
    first, second = table.to_pylist()
    assert (first["label"], first["scores"], first["box"], first["row"]) == ("x", [1.0, 0.5], '{"w": 1}', 0)
    assert (second["label"], second["labels"], second["box"], second["row"]) == (None, [], None, 1)
    assert first["stored_at"] == NOON


def test_a_column_whose_name_is_taken_gets_a_prefix() -> None:
    columns = (("id", "string"), ("label", "string"), ("prediction_id", "string"))
    assert column_names(Layout(columns=columns)) == {
        "id": "prediction_id",
        "label": "label",
        "prediction_id": "prediction_prediction_id",
    }


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8", "int64"])
@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3)])
def test_features_keep_type_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    rows = np.arange(2 * int(np.prod(shape)), dtype=dtype).reshape(2, *shape)
    layout = Layout(features=TensorType(dtype=dtype, shape=shape))
    table = written(layout, Entry(7, 1, NOON, record(rows=2, kind="tensors"), rows.tobytes()))
    features: Any = table["features"].combine_chunks()
    np.testing.assert_array_equal(features.to_numpy_ndarray(), rows)


def test_a_full_disk_is_an_os_error() -> None:
    one = record({"label": "x" * 100_000})
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb", buffering=0) as full:
        write(full, Layout(columns=columns_of(one)), [Entry(7, 1, NOON, one, None)])


def test_a_large_shard_is_written_a_row_group_at_a_time() -> None:
    size = 1 << 20
    count = 6 * (ROW_GROUP_BYTES >> 20)
    layout = Layout(features=TensorType(dtype="float32", shape=(size // 4,)))

    def entries() -> Iterator[Entry]:
        for number in range(count):
            features = np.full(size // 4, number, np.float32).tobytes()
            yield Entry(7, size, NOON, record(rows=1, kind="tensors"), features)

    file = io.BytesIO()
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    write(file, layout, entries())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pq.ParquetFile(file).num_row_groups == 6
    assert peak < 4 * ROW_GROUP_BYTES
    assert pa.total_allocated_bytes() - before < ROW_GROUP_BYTES
