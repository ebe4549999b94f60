"""Pictures, drawn by a seed."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

GRAIN: Final = 6.0
"""The noise on a picture, of 255, by which its JPEG is as large as a camera's."""
QUALITY: Final = 85
_DETAIL: Final = 40
"""Pixels across the largest of what a picture shows."""


def photographs(width: int, height: int, count: int, seed: int = 1) -> Sequence[bytes]:
    """JPEGs that a decoder has as much work with as with photographs: blurred shapes under a camera's grain."""
    random = np.random.default_rng(seed)
    return [_photograph(random, width, height) for _ in range(count)]


def _photograph(random: np.random.Generator, width: int, height: int) -> bytes:
    coarse = random.integers(0, 256, (height // _DETAIL, width // _DETAIL, 3), np.uint8)
    shapes = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    grain = random.normal(0, GRAIN, (height, width, 1))
    pixels = np.clip(np.asarray(shapes) + grain, 0, 255).astype(np.uint8)
    return _encoded(pixels, "JPEG", quality=QUALITY)


def glyphs(count: int, seed: int = 1) -> Sequence[bytes]:
    """Small grey PNGs, 28 pixels square."""
    random = np.random.default_rng(seed)
    return [_encoded(random.integers(0, 2, (28, 28), np.uint8) * 255, "PNG") for _ in range(count)]


def _encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], kind: str, **options: int) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
