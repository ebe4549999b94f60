"""A dataset's samples, read in parts: by whatever hands over parts of the manifest, and by Ray Data."""

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edge_mlops.dataset import parallel
from edge_mlops.dataset.split import SPLITS
from edge_mlops.errors import BlobError
from edge_mlops.labelled import load
from edge_mlops.wishes import read_wish
from edge_upload.sinks.choice import named
from support.datasets import Digits, Store, on_share, picture

PROGRAM = Path(__file__).parents[2] / "support/ray_reading.py"


def in_parts(digits: Digits, rows: int) -> pa.Table:
    manifest = pq.read_table(digits.version / "manifest.parquet")
    wanted = read_wish(digits.wish).input
    parts = [manifest.slice(first, rows) for first in range(0, len(manifest), rows)]
    return pa.concat_tables([parallel.samples(part, str(digits.store.cloud), wanted) for part in parts])


def test_parts_together_are_what_the_whole_is(digits: Digits) -> None:
    found, wanted = in_parts(digits, 100), read_wish(digits.wish).input
    for split in SPLITS:
        whole = asyncio.run(load(named(str(digits.store.cloud)), digits.version, split, wanted))
        mine = found.filter(pa.compute.field("split") == split)
        assert mine["label"].to_pylist() == whole.labels
        assert mine["id"].to_pylist() == [item.id for item in whole.items]
        values = np.array(mine["values"].to_pylist(), np.float32).reshape(whole.samples.shape)
        assert np.array_equal(values, whole.samples)


def test_what_cannot_be_prepared_has_a_row_that_says_so(digits: Digits, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.fill([on_share(store.share, "good", picture(1)), on_share(store.share, "no", b"no picture")])
    version = store.frozen("--labels", store.labels("path,sample,label\nin/good.png,0,one\n"))
    rows = pq.read_table(version / "manifest.parquet")
    found = parallel.samples(rows, str(store.cloud), read_wish(digits.wish).input).to_pylist()
    assert sorted((row["label"] or "", row["sample"], row["code"]) for row in found) == [
        ("", None, "UNSUPPORTED"), ("one", 0, None)
    ]  # fmt: skip


def test_a_file_with_other_bytes_is_told(digits: Digits) -> None:
    rows = pq.read_table(digits.version / "manifest.parquet").slice(0, 2)
    wrong = rows.set_column(rows.schema.get_field_index("sha256"), "sha256", pa.array(["0" * 64] * 2))
    with pytest.raises(BlobError, match="has other bytes"):
        parallel.samples(wrong, str(digits.store.cloud), read_wish(digits.wish).input)


@pytest.mark.timeout(300)  # Ray is several processes, each of which imports it
@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: make test-extras")
def test_ray_reads_the_same_in_parts_at_the_same_time(digits: Digits, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    arguments = [PROGRAM, digits.version, digits.store.cloud, digits.wish, parts]
    command = [sys.executable, *map(str, arguments)]
    own = {"HOME": str(tmp_path), "PYTHONPATH": str(PROGRAM.parents[1]), "RAY_USAGE_STATS_ENABLED": "0"}
    environment = {**os.environ, **own}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stderr
    assert len([*parts.glob("*.parquet")]) == 4
    found = pq.read_table(parts, schema=parallel.SCHEMA).sort_by("id")  # an id is one sample here
    assert len(found) == 240
    assert found.equals(in_parts(digits, 1000).sort_by("id"))
