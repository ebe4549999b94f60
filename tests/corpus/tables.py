"""Tables and records: delimiters, encodings, lines and nesting that readers choke on."""

import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from corpus.cases import unsupported

ROWS = "".join(f"{number},{number / 7:.3f},cell-{number % 5}\n" for number in range(200))
CSV = ("id,load,name\n" + ROWS).encode()
NESTING = 10_000
COLUMNS = 10**6
LONG_LINE = 1 << 25
"""Bytes; the scale of what is 2 GB in the field."""


def wide() -> bytes:
    header = ",".join(f"c{number}" for number in range(COLUMNS))
    return f"{header}\n{',' * (COLUMNS - 1)}\n".encode()


def mixed_encodings() -> bytes:
    return "id,name\n1,Köln\n".encode() + "2,Zürich\n".encode("latin-1") + "3,Łódź\n".encode("utf-16-le")


def nested() -> bytes:
    return b'{"id": 1}\n' + b'{"a":' * NESTING + b"1" + b"}" * NESTING + b"\n"


def parquet() -> bytes:
    file = BytesIO()
    pq.write_table(pa.table({"load": [number / 7 for number in range(200)]}), file)
    return file.getvalue()


def lying_parquet() -> bytes:
    """Its footer says that it is longer than the file."""
    return parquet()[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1"


def garbled_parquet() -> bytes:
    content = bytearray(parquet())
    length = int.from_bytes(content[-8:-4], "little")
    content[-8 - length : -8] = bytes(byte ^ 0x55 for byte in content[-8 - length : -8])
    return bytes(content)


def arrow() -> bytes:
    file = BytesIO()
    feather.write_feather(pa.table({"load": [1.0, 2.0]}), file)
    return file.getvalue()


TEXT, JSON, BINARY = "text/plain", "application/json", "application/octet-stream"
UTF_16 = "text/plain; charset=utf-16"
PARQUET = "application/vnd.apache.parquet"

TABLES = (
    unsupported("tables/plain.csv", TEXT, lambda: CSV),
    unsupported("tables/csv.png", TEXT, lambda: CSV),
    unsupported("tables/bom.csv", TEXT, lambda: b"\xef\xbb\xbf" + CSV),
    unsupported("tables/utf-16.csv", UTF_16, lambda: CSV.decode().encode("utf-16")),
    unsupported("tables/semicolons.csv", TEXT, lambda: CSV.replace(b",", b";")),
    unsupported("tables/changing-delimiters.csv", TEXT, lambda: CSV + CSV.replace(b",", b"\t")),
    unsupported("tables/ragged.csv", TEXT, lambda: b"a,b,c\n1\n1,2,3,4\n" + CSV),
    unsupported("tables/open-quote.csv", TEXT, lambda: b'a,b\n1,"never closed\n' * 1000),
    unsupported("tables/wide.csv", TEXT, wide),
    unsupported("tables/one-line.csv", TEXT, lambda: b"7," * (LONG_LINE // 2)),
    unsupported("tables/nul-early.csv", BINARY, lambda: b"a,b\n1,\0\n" + CSV),
    unsupported("tables/nul-late.csv", TEXT, lambda: CSV + b"1,\0\n"),
    unsupported("tables/mixed-encodings.csv", BINARY, mixed_encodings),
    unsupported("tables/blank.csv", TEXT, lambda: b"\n \n\n"),
    unsupported("tables/lines.jsonl", JSON, lambda: b"".join(b'{"id": %d}\n' % number for number in range(200))),
    unsupported("tables/nested.jsonl", JSON, nested),
    unsupported("tables/brackets.json", JSON, lambda: b"[" * 1_000_000),
    unsupported("tables/huge-number.json", JSON, lambda: b'{"load": ' + b"9" * 100_000 + b"}"),
    unsupported("tables/twice.json", JSON, lambda: json.dumps({"a": 1}).encode()[:-1] + b', "a": 2}'),
    unsupported("tables/good.parquet", PARQUET, parquet),
    unsupported("tables/lying.parquet", PARQUET, lying_parquet),
    unsupported("tables/garbled.parquet", PARQUET, garbled_parquet),
    unsupported("tables/signature-only.parquet", PARQUET, lambda: b"PAR1PAR1"),
    unsupported("tables/columns.arrow", "application/vnd.apache.arrow.file", arrow),
)
