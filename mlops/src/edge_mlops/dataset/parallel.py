"""Datasets for whoever reads them on many machines: a part of the manifest becomes samples, wherever that part is.

It is what Ray's ``map_batches`` with ``batch_format="pyarrow"`` calls, or Spark's ``mapInArrow`` for each of its
batches.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from edge_common.contract import Input
from edge_mlops.dataset import versions
from edge_mlops.labelled import labels_of
from edge_mlops.originals import prepared
from edge_upload.sinks.choice import named

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "id": pa.string(),
    "sample": pa.int64(),
    "split": pa.string(),
    "label": pa.string(),
    "values": pa.list_(pa.float32()),
    "code": pa.string(),
}
SCHEMA: Final = pa.schema(_TYPES)


def samples(rows: pa.Table, store: str, wanted: Input) -> pa.Table:
    """Read and prepare what some rows of a manifest name; each file's hash is compared.

    Args:
        rows: Of the manifest, with all columns.
        store: Where the files are.
        wanted: The contract's input half.

    Returns:
        Columns of ``SCHEMA``, a row a sample: its number in the file, its label if it has one, and its values, in the
        order of memory; for a file that cannot be prepared one row, with the ``code``.

    Raises:
        BlobError: A file is not what the manifest says.
        SinkError: The store does not answer.
    """
    return asyncio.run(_samples(rows, store, wanted))


async def _samples(rows: pa.Table, store: str, wanted: Input) -> pa.Table:
    sink = named(store)
    made: list[Mapping[str, Any]] = []
    try:
        async for one in prepared(sink, versions.items_of(rows), wanted):
            about = {"id": one.item.id, "split": one.item.split}
            if one.code:
                made.append({**about, "code": one.code})
            for number, (values, label) in enumerate(zip(one.samples, labels_of(one), strict=True)):
                made.append({**about, "sample": number, "label": label, "values": values.ravel()})
    finally:
        await sink.close()
    return pa.Table.from_pylist(made, SCHEMA)
