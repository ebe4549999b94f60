"""What is done with the store by those who only see that: somebody labels originals, somebody judges predictions."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from edge_examples.drops import Drop

COLUMNS: Final = ("path", "label", "model_version", "sampled")


def label(cloud: Path, file: Path, known: Mapping[str, str]) -> int:
    """Say of every original in the store what is on it, for whom that is known.

    Args:
        cloud: The store.
        file: Takes the labels.
        known: What is on pictures, by the SHA-256 of their bytes, in hex.

    Returns:
        How many have a label now.
    """
    originals = sorted(path for path in (cloud / "raw").rglob("*") if path.is_file())
    said = {path: known.get(hashlib.sha256(path.read_bytes()).hexdigest()) for path in originals}
    rows = [(path.relative_to(cloud).as_posix(), answer) for path, answer in said.items() if answer]
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([("path", "label"), *rows])
    return len(rows)


def records(cloud: Path) -> list[Mapping[str, Any]]:
    """All predictions in the store; what was collected without a model is none."""
    shards = (pq.ParquetFile(path) for path in sorted(cloud.glob("records/**/*.parquet")))
    return [
        row for shard in shards if "label" in shard.schema_arrow.names for row in shard.read([*COLUMNS]).to_pylist()
    ]


def accuracy(rows: Iterable[Mapping[str, Any]], drops: Sequence[Drop], version: str) -> float:
    """The share of files that a version of the model named rightly; a file that it has not predicted is wrong."""
    said = {row["path"]: row["label"] for row in rows if row["model_version"] == version}
    return float(np.mean([said.get(drop.path) == drop.truth[0] for drop in drops]))
