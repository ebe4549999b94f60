"""Versions of a dataset: ``<folder>/<name>/<number>/``, written whole or not at all, and never changed.

- ``dataset.json``: what it is (:class:`Dataset`),
- ``manifest.parquet``: a row an item, the columns of :class:`~edge_mlops.dataset.selection.Item`,
- ``MLTable``: the manifest as Azure Machine Learning reads it,
- ``profile.json`` and ``profile.html``: how it looks.

Every row names a file in the store that is written once, and its hash.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_common.files import fsync_folder
from edge_inference.package import NAME
from edge_mlops.dataset.labels import Box
from edge_mlops.dataset.selection import Item
from edge_mlops.errors import DatasetError

DATASET: Final = "dataset.json"
MANIFEST: Final = "manifest.parquet"
ROW_GROUP: Final = 20_000

BOX: Final = pa.struct([("label", pa.string()), *((side, pa.float64()) for side in Box._fields[1:])])

TYPES: Final[Mapping[str, pa.DataType]] = {
    "bytes": pa.int64(),
    "labels": pa.list_(pa.string()),
    "boxes": pa.list_(BOX),
}
"""Of the columns that hold no text."""

SCHEMA: Final = pa.schema({name: TYPES.get(name, pa.string()) for name in Item._fields})

ML_TABLE: Final = f"""\
# https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable
type: mltable
paths:
  - file: ./{MANIFEST}
transformations:
  - read_parquet
"""


class Dataset(BaseModel):
    """What a version is.

    Attributes:
        schema_: 1.
        name: Of the dataset.
        version: From 1.
        digest: SHA-256 over all rows of the manifest, in hex: equal datasets have the same.
        store: Where the files are that it names.
        created: When it was frozen.
        items: How many there are of each split.
        labelled: How many of them have a label.
        classes: How many items have each label.
        left_out: What of the store, and of the labels, is not in it, by why.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, serialize_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    name: str
    version: int
    digest: str
    store: str
    created: datetime
    items: Mapping[str, int]
    labelled: Mapping[str, int]
    classes: Mapping[str, int]
    left_out: Mapping[str, int]


class Tally:
    """Counts items on their way into a manifest.

    Attributes:
        items: By split.
        labelled: Likewise, those with a label.
        classes: Items by label.
    """

    def __init__(self) -> None:
        self.items: Counter[str] = Counter()
        self.labelled: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all that was seen, in hex."""
        return self._hash.hexdigest()

    def seen(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items, which are counted as they pass."""
        for item in items:
            said = item if item.boxes else item[:-1]  # so that a version from before there were boxes is the same
            self._hash.update(json.dumps(said).encode() + b"\n")
            self.items[item.split] += 1
            self.labelled[item.split] += bool(item.classes)
            self.classes.update(set(item.classes))
            yield item


def write_manifest(folder: Path, items: Iterable[Item]) -> None:
    """Write items as they come, a row group at a time."""
    remaining = iter(items)
    with pq.ParquetWriter(folder / MANIFEST, SCHEMA, compression="zstd") as writer:
        while rows := list(islice(remaining, ROW_GROUP)):
            writer.write_batch(pa.RecordBatch.from_pylist([_row(item) for item in rows], SCHEMA))


def _row(item: Item) -> dict[str, Any]:
    return item._asdict() | {"boxes": item.boxes and [box._asdict() for box in item.boxes]}


def latest(folder: Path, name: str) -> Path | None:
    """The folder of the newest version of a dataset; None if there is none."""
    numbers = [int(path.name) for path in (folder / name).glob("[0-9]*") if path.name.isdecimal()]
    return folder / name / str(max(numbers)) if numbers else None


def read(version: Path) -> Dataset:
    """What a version is.

    Raises:
        DatasetError: The folder holds none.
    """
    try:
        return Dataset.model_validate_json((version / DATASET).read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(f"{version} is no version of a dataset ({str(error).splitlines()[0]})") from error


def items(version: Path, *splits: str) -> Iterator[Item]:
    """The items of some splits, in the manifest's order, however many there are."""
    manifest = ds.dataset(version / MANIFEST, schema=SCHEMA)
    for batch in manifest.to_batches(filter=ds.field("split").isin(splits), batch_size=ROW_GROUP):
        yield from items_of(batch)


def items_of(rows: pa.RecordBatch | pa.Table) -> Iterator[Item]:
    """The items that rows of a manifest are."""
    for row in rows.to_pylist():
        labels, boxes = row["labels"], row.get("boxes")
        some = {"labels": labels and tuple(labels), "boxes": boxes and tuple(Box(**box) for box in boxes)}
        yield Item(**{**row, **some})


@contextmanager
def draft(folder: Path, name: str) -> Iterator[Path]:
    """A folder for a version that is being made; it goes unless it is published.

    Raises:
        DatasetError: A dataset may not be called so.
        OSError: The disk refuses.
    """
    if not NAME.fullmatch(name):
        raise DatasetError(f"{name!r} is no name: letters, digits, '.', '_' and '-', no sign in front")
    (folder / name).mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder / name))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def publish(made: Path, about: Dataset) -> Path:
    """Let a draft be a version from now on.

    Returns:
        Its folder.

    Raises:
        DatasetError: Somebody else has made that version meanwhile.
    """
    (made / "MLTable").write_text(ML_TABLE)
    (made / DATASET).write_text(about.model_dump_json(indent=2) + "\n")
    for file in made.iterdir():
        file.chmod(0o444)
        _sync(file)
    made.chmod(0o755)
    target = made.parent / str(about.version)
    try:
        made.rename(target)
    except OSError as error:
        raise DatasetError(f"{target} is there already; freeze again") from error
    fsync_folder(target.parent)
    return target


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
