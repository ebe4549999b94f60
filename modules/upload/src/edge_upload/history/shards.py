"""Shards of events as Parquet files. Importing this module imports pyarrow, which takes a quarter of a second."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from edge_upload.history.columns import COLUMNS

ARROW: Final = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64()}

SCHEMA: Final = pa.schema(
    pa.field(name, ARROW[kind.split()[0]], nullable=not kind.endswith("NOT NULL")) for name, kind in COLUMNS.items()
)

ROW_GROUP: Final = 20_000


def write(file: BinaryIO, rows: Iterable[tuple[Any, ...]]) -> int:
    """Write a shard, a row group at a time.

    Args:
        file: Where it goes.
        rows: ``entry`` and the columns.

    Returns:
        The last entry.

    Raises:
        OSError: The disk refuses.
    """
    last = 0
    remaining = iter(rows)
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        while run := list(islice(remaining, ROW_GROUP)):
            entries, *columns = zip(*run, strict=True)
            last = entries[-1]
            writer.write_batch(
                pa.RecordBatch.from_arrays(
                    [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
                    schema=SCHEMA,
                )
            )
    return last


def read(file: BinaryIO) -> Iterator[pa.RecordBatch]:
    """The events of a shard, of this release or another: columns that it lacks are empty, others are left out.

    Raises:
        pyarrow.ArrowInvalid: It is no shard.
        OSError: It is damaged.
    """
    with pq.ParquetFile(file) as shard:
        for batch in shard.iter_batches(ROW_GROUP, columns=[n for n in COLUMNS if n in shard.schema_arrow.names]):
            yield batch
