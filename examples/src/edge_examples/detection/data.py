"""Pictures with shapes in them, and where these are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SEED: Final = 20260104
SIZES: Final = ((320, 240), (240, 320), (400, 400), (640, 360))
MOST: Final = 3
"""Shapes in a picture."""
TRIES: Final = 50
"""To find a place for one; then the picture has fewer."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Objects:
    """What is in a picture.

    Attributes:
        labels: What each is.
        boxes: Where: left, top, right, bottom, in pixels.
    """

    labels: tuple[str, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Scene:
    """A picture, and what is in it."""

    picture: Image.Image
    objects: Objects


def scene(number: int) -> Scene:
    """A picture with up to ``MOST`` shapes, none of which touches another; the same number gives the same one."""
    rng = np.random.default_rng([SEED, number])
    size = SIZES[rng.integers(len(SIZES))]
    boxes = _places(size, int(rng.integers(1, MOST + 1)), rng)
    labels = tuple(rng.choice(list(SHAPES), len(boxes)).tolist())
    picture = Image.new("L", size, int(rng.integers(20, 80)))
    draw = ImageDraw.Draw(picture)
    for label, box in zip(labels, boxes, strict=True):
        SHAPES[label](draw, box, int(rng.integers(150, 250)))
    return Scene(_noisy(picture, rng), Objects(labels, boxes))


def _places(size: tuple[int, int], count: int, rng: np.random.Generator) -> tuple[Box, ...]:
    boxes: list[Box] = []
    for _ in range(TRIES):
        side = rng.uniform(0.16, 0.28) * max(size)
        left, top = rng.uniform(0, size[0] - side), rng.uniform(0, size[1] - side)
        box = (left, top, left + side, top + side)
        if len(boxes) < count and all(_apart(box, other, side / 4) for other in boxes):
            boxes.append(box)
    return tuple(boxes)


def _apart(one: Box, other: Box, gap: float) -> bool:
    beside = one[0] > other[2] + gap or other[0] > one[2] + gap
    return beside or one[1] > other[3] + gap or other[1] > one[3] + gap


def _noisy(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """As a camera sees it: a little out of focus, and grainy."""
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float64)
    return Image.fromarray(np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8))


def _circle(draw: Any, box: Box, light: int) -> None:
    draw.ellipse(box, fill=light)


def _square(draw: Any, box: Box, light: int) -> None:
    draw.rectangle(box, fill=light)


def _triangle(draw: Any, box: Box, light: int) -> None:
    left, top, right, bottom = box
    draw.polygon([((left + right) / 2, top), (right, bottom), (left, bottom)], fill=light)


SHAPES: Final[Mapping[str, Callable[[Any, Box, int], None]]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
}
