"""A site's table as files of several kinds."""

import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv


def csv(table: pa.Table) -> bytes:
    """With a head line."""
    file = BytesIO()
    arrow_csv.write_csv(table, file)
    return file.getvalue()


def json_lines(table: pa.Table) -> bytes:
    """An object a row."""
    return "".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()).encode()


def parquet(table: pa.Table) -> bytes:
    """In row groups of a day."""
    file = BytesIO()
    pq.write_table(table, file, row_group_size=96)
    return file.getvalue()
