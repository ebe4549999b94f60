"""Sites' tables as files of several kinds and lengths, and a handful of bad files among them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from edge_examples.drops import Drop, Manner
from edge_examples.telecom import files
from edge_examples.telecom.data import SEED, WINDOW, site

KINDS: Final = (("csv", files.csv), ("jsonl", files.json_lines), ("parquet", files.parquet))
DAYS: Final = (1, 1, 1, 7, 30)
MANNERS: Final = (Manner.WRITTEN, Manner.RENAMED, Manner.RENAMED, Manner.SLOW)


def good(count: int) -> list[Drop]:
    """Sites as files; kind, length and manner are drawn at random, seeded."""
    draws = np.random.default_rng(SEED).integers(0, 1 << 30, (count, 3)).tolist()
    return [_site(number, *numbers) for number, numbers in enumerate(draws)]


def _site(number: int, kind: int, length: int, manner: int) -> Drop:
    suffix, write = KINDS[kind % len(KINDS)]
    days = DAYS[length % len(DAYS)]
    made = site(number, days, faults=1 + days // 5)
    path = f"region-{number % 4}/site-{number:04d}.{suffix}"
    return Drop(path, write(made.table), MANNERS[manner % len(MANNERS)], truth=made.truth())


def bad() -> Sequence[Drop]:
    """Files that must end in quarantine, each for its own reason."""
    table = site(9000, days=1).table
    text = files.csv(table)
    return [
        Drop("bad/empty.csv", b"", code="EMPTY"),
        Drop("bad/short.csv", files.csv(table[: WINDOW - 1]), code="EMPTY"),
        Drop("bad/columns.csv", files.csv(table.drop_columns(["users"])), code="WRONG_COLUMNS"),
        Drop("bad/gap.csv", files.csv(_without_users(table)), code="MISSING_VALUE"),
        Drop("bad/broken.csv", text + b"2026-01-02,1\n", code="DECODE_FAILED"),
        Drop("bad/half.parquet", files.parquet(table)[:3000], code="DECODE_FAILED"),
        Drop("bad/picture.csv", b"\x89PNG\r\n\x1a\n", code="UNSUPPORTED"),
        Drop("bad/outside.csv", b"/etc/hostname", Manner.LINK, code="SYMLINK"),
    ]


def _without_users(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("users")
    users = table["users"].to_pylist()
    return table.set_column(at, "users", pa.array([None, *users[1:]]))
