"""Labels as people, or labelling tools, hand them over.

CSV has a head line: ``label``; ``id`` (the item's) or ``path`` (on the device's share, or its name in the store); and
``sample``, from 0, where files hold many. COCO (https://cocodataset.org/#format-data) says of a picture the category of
its annotations, if they agree, and their boxes.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from edge_mlops.errors import LabelsError

_ORIGINAL = re.compile(r"(?:.*/)?(?P<id>[0-9a-f]{32})(?:\.[^/.]+)?")
"""An item's id, or its original's name in the store, whatever the tool has put before it."""


class Box(NamedTuple):
    """Where something is in a picture.

    Attributes:
        label: What it is.
        x: Of its upper left corner, in pixels from the picture's.
        y: Likewise.
        width: In pixels.
        height: Likewise.
    """

    label: str
    x: float
    y: float
    width: float
    height: float


class Label(NamedTuple):
    """What is said of an item.

    Attributes:
        key: Its id, or its path on the device's share.
        sample: Of which sample it is said, from 0; None for the whole file.
        label: What it is; None where only boxes say so.
        boxes: What is where in it, if that is said.
    """

    key: str
    sample: int | None
    label: str | None
    boxes: tuple[Box, ...] | None = None


class _Picture(BaseModel):
    id: int
    file_name: str


_Length = Annotated[FiniteFloat, Field(ge=0)]


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    bbox: tuple[FiniteFloat, FiniteFloat, _Length, _Length] | tuple[()] = ()


class _Category(BaseModel):
    id: int
    name: str


class _Coco(BaseModel):
    images: list[_Picture]
    annotations: list[_Annotation]
    categories: list[_Category]


def read(file: Path) -> Iterator[Label]:
    """The labels in a file, by its ending.

    Raises:
        LabelsError: It holds none, or cannot be read.
    """
    try:
        yield from _coco(file) if file.suffix == ".json" else _csv(file)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        reason = f"{error.error_count()} fields are wrong" if isinstance(error, ValidationError) else error
        raise LabelsError(f"{file}: {reason}") from error


def _csv(file: Path) -> Iterator[Label]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines, strict=True)
        columns = {*(rows.fieldnames or ())}
        if "label" not in columns or not columns & {"id", "path"}:
            raise LabelsError(f"{file}: its head line is {', '.join(sorted(columns)) or 'missing'}")
        for row in rows:
            if row["label"]:
                key = row.get("id") or row.get("path")
                if not key:
                    raise ValueError(f"line {rows.line_num} names no item")
                yield Label(_key(key), _sample(row.get("sample")), row["label"])


def _sample(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise ValueError(f"sample {text!r} is no number from 0 on")
    return int(text)


def _coco(file: Path) -> Iterator[Label]:
    """Pictures whose annotations differ have no one label; without boxes, either, they are passed over."""
    found = _Coco.model_validate(json.loads(file.read_bytes()))
    names = {category.id: category.name for category in found.categories}
    said: dict[int, set[str]] = defaultdict(set)
    boxes: dict[int, list[Box]] = defaultdict(list)
    for annotation in found.annotations:
        name = names[annotation.category_id]
        said[annotation.image_id].add(name)
        if annotation.bbox:
            boxes[annotation.image_id].append(Box(name, *annotation.bbox))
    for picture in found.images:
        label = said[picture.id].pop() if len(said[picture.id]) == 1 else None
        theirs = tuple(sorted(boxes[picture.id])) or None
        if label or theirs:
            yield Label(_key(picture.file_name), None, label, theirs)


def _key(text: str) -> str:
    match = _ORIGINAL.fullmatch(text)
    return match["id"] if match else text
