"""Drawn shapes as an example."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np

from edge_examples.detection.data import SEED, scene
from edge_examples.detection.training import finds_all, train
from edge_examples.drops import Drop, Manner
from edge_examples.example import Example
from edge_examples.pictures import bad

FORMATS: Final = (("png", "PNG"), ("jpg", "JPEG"), ("bmp", "BMP"))
MANNERS: Final = (Manner.WRITTEN, Manner.RENAMED, Manner.RENAMED, Manner.SLOW)


def _drops(count: int) -> Sequence[Drop]:
    """Pictures as files; kind and manner are drawn at random, seeded."""
    draws = np.random.default_rng(SEED).integers(0, 1 << 30, (count, 2)).tolist()
    good = [_picture(number, *numbers) for number, numbers in enumerate(draws)]
    return [*good, *bad(good)]


def _picture(number: int, kind: int, manner: int) -> Drop:
    suffix, name = FORMATS[kind % len(FORMATS)]
    made, file = scene(number), io.BytesIO()
    made.picture.save(file, name)
    path = f"camera-{number % 4}/{number:04d}.{suffix}"
    return Drop(path, file.getvalue(), MANNERS[manner % len(MANNERS)], truth=(made.objects,))


DETECTION: Final = Example(
    "detection",
    "pictures of shapes",
    300,
    train,
    _drops,
    is_right=finds_all,
    columns=("labels", "boxes"),
    upstream="alert = 'true'",
)
