"""Shards as Parquet files. Importing this module imports pyarrow, which takes a quarter of a second."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge_upload.columns import element, fit
from edge_upload.records import BadPartError, Layout, TensorType
from edge_upload.shards import Entry

ROW_GROUP_BYTES: Final = 4 << 20
"""Of the spool; what is in memory while a shard is cut is a few times that."""

MOMENT: Final = pa.timestamp("us", tz="UTC")

FIXED: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "path": pa.string(),
    "captured": MOMENT,
    "content_sha256": pa.string(),
    "generation": pa.int32(),
    "attempt": pa.int32(),
    "part": pa.int32(),
    "row": pa.int32(),
    "kind": pa.string(),
    "model_name": pa.string(),
    "model_version": pa.string(),
    "model_digest": pa.string(),
    "contract_stamp": pa.string(),
    "stored_at": MOMENT,
    "sampled": pa.list_(pa.string()),
}
"""The columns of every shard. Those of the predictions follow, and then the features."""

FEATURES: Final = "features"

UNFIT: Final = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError, OverflowError)
"""What pyarrow and NumPy say of values that do not fit their column."""

SCALARS: Final[dict[str, pa.DataType]] = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "double": pa.float64(),
    "string": pa.string(),
    "json": pa.string(),
}


def write(file: BinaryIO, layout: Layout, entries: Iterable[Entry]) -> None:
    """Write a shard, a row group at a time.

    Args:
        file: Where it goes.
        layout: That of all entries.
        entries: What it is to hold.

    Raises:
        BadPartError: One of them fits no file.
        OSError: The disk refuses.
    """
    names = column_names(layout)
    schema = _schema(layout, names)
    with pq.ParquetWriter(file, schema, compression="zstd", **_encodings(schema)) as writer:
        for run in _row_groups(entries):
            try:
                writer.write_batch(_batch(run, layout, names, schema))
            except UNFIT as error:
                raise _blamed(run, layout, names, schema) from error


def _batch(run: list[Entry], layout: Layout, names: dict[str, str], schema: pa.Schema) -> pa.RecordBatch:
    columns = _fixed_columns(run) | _prediction_columns(run, layout, names)
    arrays = [pa.array(columns[field.name], field.type) for field in schema if field.name in columns]
    if layout.features:
        arrays.append(_tensors(run, layout.features))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _blamed(run: list[Entry], layout: Layout, names: dict[str, str], schema: pa.Schema) -> BadPartError:
    """Whom a row group fails on: who fails alone, or else the largest."""
    for entry in run:
        try:
            _batch([entry], layout, names, schema)
        except UNFIT as error:
            return BadPartError(entry.number, entry.record.item.id, str(error))
    largest = max(run, key=lambda entry: entry.size)
    return BadPartError(largest.number, largest.record.item.id, "it fits no row group with others")


def column_names(layout: Layout) -> dict[str, str]:
    """The name in the file of each of the predictions' columns; one that is taken gets a prefix."""
    taken = {*FIXED, FEATURES}
    names = {}
    for column, _ in layout.columns:
        name = column
        while name in taken:
            name = f"prediction_{name}"
        taken.add(name)
        names[column] = name
    return names


def _schema(layout: Layout, names: dict[str, str]) -> pa.Schema:
    fields = FIXED | {names[column]: arrow_type(column_type) for column, column_type in layout.columns}
    if layout.features:
        fields[FEATURES] = _tensor_type(layout.features)
    return pa.schema(fields)


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Dictionaries for all but the features, whose bytes compress best when the like ones lie together."""
    return {
        "use_dictionary": [name for name in schema.names if name != FEATURES],
        "use_byte_stream_split": [f"{FEATURES}.list.element"] if FEATURES in schema.names else False,
    }


def arrow_type(column_type: str) -> pa.DataType:
    """Arrow's type for one of ``columns``."""
    inner = element(column_type)
    return SCALARS[column_type] if inner is None else pa.list_(arrow_type(inner))


def _tensor_type(features: TensorType) -> Any:
    """Arrow's canonical type for tensors of one shape; readers that do not know it see lists."""
    return pa.fixed_shape_tensor(pa.from_numpy_dtype(np.dtype(features.dtype)), features.shape)


def _row_groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    run: list[Entry] = []
    size = 0
    for entry in entries:
        run.append(entry)
        size += entry.size
        if size >= ROW_GROUP_BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run


def _fixed_columns(run: list[Entry]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in FIXED}
    for entry in run:
        for name, value in _of_part(entry).items():
            columns[name].extend([value] * entry.record.rows)
        columns["row"].extend(range(entry.record.rows))
    return columns


def _of_part(entry: Entry) -> dict[str, Any]:
    record, item, model = entry.record, entry.record.item, entry.record.model
    return {
        "id": item.id,
        "path": item.path,
        "captured": item.captured,
        "content_sha256": item.sha256,
        "generation": item.generation,
        "attempt": item.attempt,
        "part": record.part,
        "kind": record.kind,
        "model_name": model and model.name,
        "model_version": model and model.version,
        "model_digest": model and model.digest,
        "contract_stamp": record.stamp,
        "stored_at": entry.stored,
        "sampled": sorted(entry.why),
    }


def _prediction_columns(run: list[Entry], layout: Layout, names: dict[str, str]) -> dict[str, list[Any]]:
    predictions = list(chain.from_iterable(entry.record.predictions for entry in run))
    return {
        names[column]: [fit(prediction.get(column), column_type) for prediction in predictions]
        for column, column_type in layout.columns
    }


def _tensors(run: list[Entry], features: TensorType) -> Any:
    values = np.frombuffer(b"".join(entry.features or b"" for entry in run), features.dtype)
    tensor_type = _tensor_type(features)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(values), int(np.prod(features.shape)))
    return pa.ExtensionArray.from_storage(tensor_type, rows)
