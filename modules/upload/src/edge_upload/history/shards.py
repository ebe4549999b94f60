"""Shards of events as Parquet files. Importing this module imports pyarrow, which takes a quarter of a second."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.json import ParseOptions, ReadOptions, read_json

COLUMNS: Final[dict[str, pa.DataType]] = {
    "source": pa.string(),
    "number": pa.int64(),
    "module": pa.string(),
    "event": pa.string(),
    "at": pa.float64(),
    "id": pa.string(),
    "attempt": pa.int64(),
    "path": pa.string(),
    "content_sha256": pa.string(),
    "size": pa.int64(),
    "generation": pa.int64(),
    "code": pa.string(),
    "stage": pa.string(),
    "reason": pa.string(),
    "object": pa.string(),
    "object_sha256": pa.string(),
    "object_bytes": pa.int64(),
    "etag": pa.string(),
    "rows": pa.int64(),
    "model_digest": pa.string(),
    "contract_stamp": pa.string(),
}
"""The columns of an event; the item's date stands in the shard's name.

``source`` names the history that the event is from (a ledger, or a spool), ``number`` is its number there, from 1 and
without gaps; together they identify the event. ``module`` says who wrote it, ``event`` is ``seen``, ``accepted``,
``stored``, ``dropped`` (its original was given up), or the state that the item has got in the ledger, ``at`` is in
seconds since 1970. The ``object`` columns, ``etag`` and ``rows`` say where in the store how much of an item was stored.
"""

SCHEMA: Final = pa.schema(COLUMNS)

Where = Callable[[pa.RecordBatch], pa.BooleanArray]
"""Says which rows are meant. Arrow's own expressions take a library (Acero) that the images leave out."""

ROW_GROUP: Final = 2_000
"""Events that are in memory at once, as JSON and as columns: some 30 MB."""


def write(file: BinaryIO, events: Iterable[tuple[int, str]]) -> int:
    """Write a shard, a row group at a time.

    Args:
        file: Where it goes.
        events: Number in the spool, and JSON.

    Returns:
        The last number.

    Raises:
        OSError: The disk refuses.
    """
    last = 0
    remaining = iter(events)
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        while run := list(islice(remaining, ROW_GROUP)):
            last = run[-1][0]
            writer.write_table(_table([event for _, event in run]))
    return last


def _table(events: Sequence[str]) -> pa.Table:
    lines = "\n".join(events).encode()
    return read_json(
        BytesIO(lines),
        ReadOptions(use_threads=False, block_size=len(lines)),
        ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore"),
    )


def read(file: Path | BinaryIO, columns: Sequence[str], where: Where | None = None) -> Iterator[tuple[Any, ...]]:
    """Rows of a shard, of whichever release and kind, as these columns; one that it lacks is None.

    Args:
        file: The shard.
        columns: What to give.
        where: Which rows; it may test any of the columns.

    Raises:
        pyarrow.ArrowInvalid: It is no Parquet file.
        OSError: It is damaged, or cannot be read.
    """
    with pq.ParquetFile(file) as shard:
        there = [name for name in columns if name in shard.schema_arrow.names]
        for batch in shard.iter_batches(ROW_GROUP, columns=there):
            values = [batch[name] if name in there else pa.nulls(batch.num_rows) for name in columns]
            rows = pa.RecordBatch.from_arrays(values, [*columns])
            if where:
                rows = rows.filter(where(rows))
            yield from zip(*rows.to_pydict().values(), strict=True)
