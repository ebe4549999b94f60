"""Samples with labels, in memory."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_common.contract import Input
from edge_mlops.dataset import versions
from edge_mlops.dataset.selection import Item
from edge_mlops.errors import DatasetError
from edge_mlops.originals import Prepared, Samples, prepared
from edge_upload.sinks import Sink


class Labelled(NamedTuple):
    """Samples of a split that have labels.

    Attributes:
        samples: Float32 of shape ``(n, *wanted.sample_shape)``.
        labels: What each of them is.
        items: Whose each of them is.
        unprepared: Files with labels that could not be prepared, by code.
    """

    samples: Samples
    labels: list[str]
    items: list[Item]
    unprepared: Counter[str]


async def load(sink: Sink, version: Path, split: str, wanted: Input) -> Labelled:
    """The samples of a split that have labels.

    Raises:
        DatasetError: A label is of a sample that its file does not have.
        BlobError: An original is not what the dataset says.
        SinkError: The store does not answer.
    """
    blocks = [np.empty((0, *wanted.sample_shape), np.float32)]
    labels: list[str] = []
    items: list[Item] = []
    unprepared: Counter[str] = Counter()
    some = (item for item in versions.items(version, split) if item.label or item.labels)
    async for one in prepared(sink, some, wanted):
        if one.code:
            unprepared[one.code] += 1
            continue
        said = labels_of(one)
        chosen = [number for number, label in enumerate(said) if label is not None]
        blocks.append(one.samples[chosen])
        labels.extend(label for label in said if label is not None)
        items.extend([one.item] * len(chosen))
    return Labelled(np.concatenate(blocks), labels, items, unprepared)


def labels_of(one: Prepared) -> Sequence[str | None]:
    """What is said of each sample; later ones than any label may be without.

    Raises:
        DatasetError: A label is of a sample that the file does not have.
    """
    count, labels = len(one.samples), one.item.labels
    if labels is None:
        return [one.item.label] * count
    if len(labels) > count:
        raise DatasetError(f"a label is of sample {len(labels) - 1} of {one.item.path}, which has {count} samples")
    return [*labels, *[None] * (count - len(labels))]
