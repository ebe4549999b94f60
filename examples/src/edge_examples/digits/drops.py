"""The held-out digits as image files of several kinds."""

import io
from typing import Final

import numpy as np

from edge_examples.digits.data import SEED, Split, draw
from edge_examples.drops import Drop, Manner

FORMATS: Final = (("png", "PNG"), ("jpg", "JPEG"), ("bmp", "BMP"))
SIZES: Final = ((32, 32), (64, 64), (48, 64), (160, 120))
FOLDERS: Final = ("", "line-1/", "line-2/", "line-2/camera-7/")


def good(held_out: Split, count: int) -> list[Drop]:
    """Digits as files; kind, size, folder and manner are drawn at random, seeded."""
    draws = np.random.default_rng(SEED).integers(0, 1 << 30, (count, 4)).tolist()
    return [_digit(held_out, index, tuple(numbers)) for index, numbers in enumerate(draws)]


def _digit(held_out: Split, index: int, numbers: tuple[int, ...]) -> Drop:
    suffix, kind = FORMATS[numbers[0] % len(FORMATS)]
    size = SIZES[numbers[1] % len(SIZES)]
    folder = FOLDERS[numbers[2] % len(FOLDERS)]
    manner = (Manner.WRITTEN, Manner.RENAMED, Manner.RENAMED, Manner.SLOW)[numbers[3] % 4]
    file = io.BytesIO()
    draw(held_out.images[index], size).save(file, kind)
    truth = (str(held_out.labels[index]),)
    return Drop(f"{folder}digit-{index:04d}.{suffix}", file.getvalue(), manner, truth)
